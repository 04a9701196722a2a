//! The two towers as loaded graphs: batches in, unit-norm embeddings out.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use medclip_core::architecture::{TextPooling, TextTower};
use medclip_core::batch::{Embeddings, ImageBatch};
use medclip_core::map::LocationMaps;
use medclip_core::model::ModelConfig;
use medclip_core::tokenize::Tokenizer;

use crate::engine::{self, GraphSource, GuardedEngine, GuardedSession, Tensor, TensorView, Values};
use crate::error::{EncodeError, LoadError};
use crate::graph::{GraphContract, GraphInfo};
use crate::kind::EngineKind;
use crate::options::ModelOptions;

/// A graph on an engine, with what is needed to check its output.
struct Tower {
    engine: EngineKind,
    session: GuardedSession,
    /// SHA-256 of the weights the graph was written from, where it says so.
    weights_sha256: Option<String>,
    dim: usize,
}

impl Tower {
    fn load(
        engine: &GuardedEngine,
        graph: GraphSource<'_>,
        contract: &GraphContract,
        dim: usize,
        threads: NonZeroUsize,
    ) -> Result<Self, LoadError> {
        let path = || match graph {
            GraphSource::File(path) => path.to_owned(),
            GraphSource::Bytes(_) => PathBuf::from("the graph given"),
        };
        let info = match graph {
            GraphSource::File(path) => GraphInfo::read(path)?,
            GraphSource::Bytes(bytes) => GraphInfo::parse(bytes)
                .map_err(|error| LoadError::NotOnnx { path: path(), source: error.into() })?,
        };
        // A graph in memory lies nowhere, so nothing lies beside it.
        info.external_paths(if let GraphSource::File(path) = graph { path } else { Path::new("") })?;
        contract.verify(&info).map_err(|source| LoadError::WrongGraph { path: path(), source })?;
        let session = engine.prepare(graph, &info, contract, threads).map_err(|source| LoadError::Graph {
            engine: engine.kind(),
            path: path(),
            source,
        })?;
        let weights_sha256 = info.weights_sha256().map(str::to_owned);
        Ok(Self { engine: engine.kind(), session, weights_sha256, dim })
    }

    /// `rows` embeddings, checked for shape and finiteness.
    fn embed(&self, inputs: &[TensorView<'_>], rows: usize) -> Result<Embeddings, EncodeError> {
        self.checked(self.run(inputs)?.next(), rows)
    }

    /// What the contract has computed, in its order.
    fn run(&self, inputs: &[TensorView<'_>]) -> Result<impl Iterator<Item = Tensor> + use<>, EncodeError> {
        let outputs = self.session.run(inputs);
        Ok(outputs.map_err(|source| EncodeError::Run { engine: self.engine, source })?.into_iter())
    }

    fn checked(&self, output: Option<Tensor>, rows: usize) -> Result<Embeddings, EncodeError> {
        let output = output.unwrap_or_default();
        let expected = [rows, self.dim];
        if output.shape != expected || output.values.len() != rows * self.dim {
            return Err(EncodeError::OutputShape { expected, actual: output.shape });
        }
        match output.values.iter().position(|value| !value.is_finite()) {
            Some(position) => Err(EncodeError::NonFinite { row: position / self.dim + 1 }),
            None => Ok(Embeddings::new(output.values, self.dim)?),
        }
    }
}

/// The image tower.
pub(crate) struct ImageEncoder {
    tower: Tower,
    /// Channels, height, width.
    image_shape: [usize; 3],
}

impl ImageEncoder {
    pub(crate) fn load(
        engine: &GuardedEngine,
        graph: GraphSource<'_>,
        config: &ModelConfig,
        threads: NonZeroUsize,
    ) -> Result<Self, LoadError> {
        Self::load_of_width(engine, graph, config, config.architecture.embedding_dim, threads)
    }

    /// The same with the map of every image.
    pub(crate) fn load_with_map(
        engine: &GuardedEngine,
        graph: GraphSource<'_>,
        config: &ModelConfig,
        threads: NonZeroUsize,
    ) -> Result<Self, LoadError> {
        let dim = config.architecture.embedding_dim;
        Self::load_of_contract(engine, graph, config, &GraphContract::image(config).with_map(), dim, threads)
    }

    /// A graph with the image tower's input and rows of `dim` values.
    fn load_of_width(
        engine: &GuardedEngine,
        graph: GraphSource<'_>,
        config: &ModelConfig,
        dim: usize,
        threads: NonZeroUsize,
    ) -> Result<Self, LoadError> {
        let contract = GraphContract::image(config).of_width(dim);
        Self::load_of_contract(engine, graph, config, &contract, dim, threads)
    }

    fn load_of_contract(
        engine: &GuardedEngine,
        graph: GraphSource<'_>,
        config: &ModelConfig,
        contract: &GraphContract,
        dim: usize,
        threads: NonZeroUsize,
    ) -> Result<Self, LoadError> {
        let tower = Tower::load(engine, graph, contract, dim, threads)?;
        let side = config.preprocess.image_size;
        Ok(Self { tower, image_shape: [config.preprocess.channels, side, side] })
    }

    /// SHA-256 of the weights the graph was written from, where it says so.
    pub(crate) fn weights_sha256(&self) -> Option<&str> {
        self.tower.weights_sha256.as_deref()
    }

    /// `[batch, channels, height, width]` to `[batch, dim]`.
    pub(crate) fn encode(&self, images: &ImageBatch) -> Result<Embeddings, EncodeError> {
        let shape = self.checked_shape(images)?;
        let pixels = TensorView { shape: &shape, values: Values::F32(images.data()) };
        self.tower.embed(&[pixels], shape[0])
    }

    /// `[batch, channels, height, width]` to `[batch, dim]` and `[batch, rows, columns, dim]`, where the map was loaded.
    pub(crate) fn encode_with_maps(
        &self,
        images: &ImageBatch,
    ) -> Result<(Embeddings, LocationMaps), EncodeError> {
        let shape = self.checked_shape(images)?;
        let pixels = TensorView { shape: &shape, values: Values::F32(images.data()) };
        let (images, dim) = (shape[0], self.tower.dim);
        let mut outputs = self.tower.run(&[pixels])?;
        let embeddings = self.tower.checked(outputs.next(), images)?;
        let Tensor { shape: actual, values } = outputs.next().unwrap_or_default();
        let maps = match *actual.as_slice() {
            [batch, rows, columns, width] if batch == images && width == dim => {
                LocationMaps::new(values, [batch, rows, columns, width]).ok()
            }
            _ => None,
        };
        let maps = maps.ok_or(EncodeError::MapShape { images, dim, actual })?;
        match maps.data().iter().position(|value| !value.is_finite()) {
            Some(position) => {
                Err(EncodeError::NonFinite { row: position / (maps.data().len() / images) + 1 })
            }
            None => Ok((embeddings, maps)),
        }
    }

    fn checked_shape(&self, images: &ImageBatch) -> Result<[usize; 4], EncodeError> {
        let shape = images.shape();
        let [rows, channels, height, width] = shape;
        if rows == 0 {
            return Err(EncodeError::Empty);
        }
        if [channels, height, width] != self.image_shape {
            let actual = [channels, height, width];
            return Err(EncodeError::ImageShape { expected: self.image_shape, actual });
        }
        Ok(shape)
    }
}

/// The text tower.
pub(crate) struct TextEncoder {
    tower: Tower,
    pooling: TextPooling,
    max_length: usize,
}

impl TextEncoder {
    pub(crate) fn load(
        engine: &GuardedEngine,
        graph: GraphSource<'_>,
        config: &ModelConfig,
        threads: NonZeroUsize,
    ) -> Result<Self, LoadError> {
        let TextTower::Bert(bert) = &config.architecture.text;
        let dim = config.architecture.embedding_dim;
        let tower = Tower::load(engine, graph, &GraphContract::text(config), dim, threads)?;
        Ok(Self { tower, pooling: bert.pooling, max_length: config.tokenizer.max_length })
    }

    /// SHA-256 of the weights the graph was written from, where it says so.
    pub(crate) fn weights_sha256(&self) -> Option<&str> {
        self.tower.weights_sha256.as_deref()
    }

    /// One embedding per sentence, in order.
    pub(crate) fn encode<S: AsRef<str>>(
        &self,
        tokenizer: &Tokenizer,
        sentences: &[S],
    ) -> Result<Embeddings, EncodeError> {
        if sentences.is_empty() {
            return Err(EncodeError::Empty);
        }
        match self.pooling {
            TextPooling::Masked => self.encode_by_length(tokenizer, sentences),
            TextPooling::Reference => self.encode_together(tokenizer, sentences),
        }
    }

    /// Padding takes part in the average, so the batch is padded to its longest sentence exactly as given.
    fn encode_together<S: AsRef<str>>(
        &self,
        tokenizer: &Tokenizer,
        sentences: &[S],
    ) -> Result<Embeddings, EncodeError> {
        let tokens = tokenizer.batch(sentences)?;
        self.embed(&tokens.shape(), tokens.ids(), tokens.mask())
    }

    /// Padding is masked out, so sentences are padded to the next of a few lengths: those of about one length run as one
    /// batch.
    fn encode_by_length<S: AsRef<str>>(
        &self,
        tokenizer: &Tokenizer,
        sentences: &[S],
    ) -> Result<Embeddings, EncodeError> {
        let mut buckets: BTreeMap<usize, Bucket> = BTreeMap::new();
        for (row, sentence) in sentences.iter().enumerate() {
            let tokens = tokenizer.batch(std::slice::from_ref(sentence))?;
            let length = padded_length(tokens.ids().len(), self.max_length);
            let bucket = buckets.entry(length).or_default();
            bucket.rows.push(row);
            let filled = bucket.rows.len() * length;
            bucket.ids.extend_from_slice(tokens.ids());
            bucket.ids.resize(filled, i64::from(tokenizer.pad_id()));
            bucket.mask.extend_from_slice(tokens.mask());
            bucket.mask.resize(filled, 0);
        }
        let dim = self.tower.dim;
        let mut values = vec![0.0; sentences.len() * dim];
        for (length, bucket) in &buckets {
            let found = self.embed(&[bucket.rows.len(), *length], &bucket.ids, &bucket.mask)?;
            for (embedding, row) in found.iter().zip(&bucket.rows) {
                values[row * dim..][..dim].copy_from_slice(embedding);
            }
        }
        Ok(Embeddings::new(values, dim)?)
    }

    fn embed(&self, shape: &[usize; 2], ids: &[i64], mask: &[i64]) -> Result<Embeddings, EncodeError> {
        let ids = TensorView { shape, values: Values::I64(ids) };
        let mask = TensorView { shape, values: Values::I64(mask) };
        self.tower.embed(&[ids, mask], shape[0])
    }
}

/// Embeds sentences with a text graph that is in no bundle yet, as an exporter does to fill a prompt bank.
///
/// # Shapes
/// - returns: `[sentences, dim]`, unit norm
///
/// # Errors
/// [`EncodeError`] when the graph is not the one `config` calls for, a sentence cannot be turned into tokens, the engine
/// fails, or an embedding is not finite.
pub fn embed_sentences(
    graph: GraphSource<'_>,
    config: &ModelConfig,
    tokenizer: &Tokenizer,
    batches: &[&[&str]],
    options: ModelOptions,
) -> Result<Embeddings, EncodeError> {
    let ModelOptions { engine, threads, .. } = options;
    let load = || {
        let engine = engine::engine(&engine)?;
        TextEncoder::load(&engine, graph, config, threads)
    };
    let encoder = load().map_err(|error| EncodeError::TextTower(Box::new(error)))?;
    let mut values = Vec::new();
    for sentences in batches {
        values.extend_from_slice(encoder.encode(tokenizer, sentences)?.data());
    }
    Ok(Embeddings::new(values, config.architecture.embedding_dim)?)
}

/// Embeds pixels with an image graph that is in no bundle yet, as an exporter does to record golden answers.
///
/// # Shapes
/// - `images`: `[batch, channels, height, width]`
/// - returns: `[batch, dim]`, unit norm
///
/// # Errors
/// [`EncodeError`] when the graph is not the one `config` calls for, the images are not of its shape, the engine fails,
/// or an embedding is not finite.
pub fn embed_pixels(
    graph: GraphSource<'_>,
    config: &ModelConfig,
    images: &ImageBatch,
    options: ModelOptions,
) -> Result<Embeddings, EncodeError> {
    let ModelOptions { engine, threads, .. } = options;
    let load = || {
        let engine = engine::engine(&engine)?;
        ImageEncoder::load(&engine, graph, config, threads)
    };
    load().map_err(|error| EncodeError::ImageTower(Box::new(error)))?.encode(images)
}

/// An image graph that is in no bundle, loaded to be run on many batches: a tower in another precision, or one whose output
/// is every activation in a row.
pub struct Probe {
    encoder: ImageEncoder,
}

impl Probe {
    /// Loads a graph with the image tower's input and an output of `width` values a row.
    ///
    /// # Errors
    /// [`LoadError`] as for a bundle's image tower.
    pub fn load(
        graph: GraphSource<'_>,
        config: &ModelConfig,
        width: usize,
        options: &ModelOptions,
    ) -> Result<Self, LoadError> {
        let engine = engine::engine(&options.engine)?;
        let encoder = ImageEncoder::load_of_width(&engine, graph, config, width, options.threads)?;
        Ok(Self { encoder })
    }

    /// `[batch, channels, height, width]` to `[batch, width]`.
    ///
    /// # Errors
    /// As [`embed_pixels`].
    pub fn run(&self, images: &ImageBatch) -> Result<Embeddings, EncodeError> {
        self.encoder.encode(images)
    }
}

impl std::fmt::Debug for Probe {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Probe").field("width", &self.encoder.tower.dim).finish_non_exhaustive()
    }
}

/// Sentences that share a padded length.
#[derive(Default)]
struct Bucket {
    /// Their positions in the batch.
    rows: Vec<usize>,
    ids: Vec<i64>,
    mask: Vec<i64>,
}

/// The next power of two from 16, or `max_length` where that is shorter.
fn padded_length(tokens: usize, max_length: usize) -> usize {
    tokens.next_power_of_two().max(16).min(max_length).max(tokens)
}

#[cfg(test)]
mod tests {
    use super::padded_length;

    #[test]
    fn padded_lengths_are_few_and_never_cut() {
        for (tokens, max_length, expected) in [
            (1, 77, 16),
            (16, 77, 16),
            (17, 77, 32),
            (33, 77, 64),
            (65, 77, 77),
            (77, 77, 77),
            (5, 8, 8),
            (9, 8, 9),
        ] {
            assert_eq!(padded_length(tokens, max_length), expected, "{tokens} tokens of {max_length}");
        }
    }
}
