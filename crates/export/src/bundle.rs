//! A checkpoint as a bundle: both graphs, the configuration, the tokenizer, and the prompts embedded once.

use std::error::Error;
use std::fmt;
use std::path::Path;

use medclip_core::bank::{BankError, PromptBank, Provenance};
use medclip_core::batch::{Embeddings, EmbeddingsError, ImageBatch};
use medclip_core::bundle::{BundleError, BundleFile, BundleWriter};
use medclip_core::golden::{Golden, GoldenError, GoldenProvenance, golden_images, golden_sentences};
use medclip_core::model::{ModelConfig, ModelConfigError};
use medclip_core::preprocess::{PreprocessError, Preprocessor};
use medclip_core::prompt::{PromptError, PromptSet, check_meaning, sentences};
use medclip_core::tokenize::Tokenizer;
use thiserror::Error;

use crate::checkpoint::Checkpoint;
use crate::error::ExportError;
use crate::graph::OnnxFile;
use crate::options::{GraphOptions, Storage};

/// What a bundle holds that a checkpoint does not. Both texts are kept to the byte.
#[derive(Debug, Clone, Copy)]
pub struct BundleContents<'a> {
    /// Zero-shot classes, as [`PromptSet::parse`] takes them.
    pub prompts: &'a str,
    /// Model card, in Markdown.
    pub card: &'a str,
}

/// How a bundle is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BundleOptions {
    /// The image graph; single precision by default.
    pub image: GraphOptions,
    /// The text graph; weights in half precision by default, as most of it is one large table.
    pub text: GraphOptions,
    /// A graph of this many bytes or more has its weights in a file beside it; 64 MiB by default. ONNX Runtime maps such a
    /// file into memory, which halves the time a large tower takes to load; a small one is handier in one piece.
    pub detach_from: usize,
    /// Whether a bundle that is already there is replaced; not by default.
    pub replace: bool,
}

impl Default for BundleOptions {
    fn default() -> Self {
        Self {
            image: GraphOptions { storage: Storage::F32 },
            text: GraphOptions { storage: Storage::F16 },
            detach_from: 64 << 20,
            replace: false,
        }
    }
}

/// What to embed with a graph that goes into the bundle; [`crate::names`] lists a graph's inputs and output.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum EmbedRequest<'a> {
    /// Sentences in batches, with the text graph; the embeddings of all are wanted, one batch after the other.
    Sentences {
        /// The ONNX file; it is read from the disk, as nothing keeps so much in memory.
        graph: &'a Path,
        /// What `model.toml` will say.
        config: &'a ModelConfig,
        /// Makes the graph's inputs.
        tokenizer: &'a Tokenizer,
        /// Of each class the positive prompts, then the negative ones; and the golden sentences.
        batches: &'a [&'a [&'a str]],
    },
    /// The golden images, with the image graph.
    Images {
        /// The ONNX file; it is read from the disk, as nothing keeps so much in memory.
        graph: &'a Path,
        /// What `model.toml` will say.
        config: &'a ModelConfig,
        /// The graph's input.
        images: &'a ImageBatch,
    },
}

impl fmt::Debug for EmbedRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sentences { batches, .. } => {
                let counts: Vec<usize> = batches.iter().map(|batch| batch.len()).collect();
                f.debug_struct("Sentences").field("batches", &counts).finish_non_exhaustive()
            }
            Self::Images { images, .. } => {
                f.debug_struct("Images").field("shape", &images.shape()).finish_non_exhaustive()
            }
        }
    }
}

/// Writes the bundle `directory`: whole, or not at all.
///
/// `embed` runs the engine of the caller's choice on a graph and returns a unit-norm embedding of everything it is handed,
/// in order: once for the golden images, once for prompts and golden sentences; the golden ones let the bundle be tested
/// where it is used. It gets sentences rather than tokens, so that it pads each batch as it will when the bundle is used;
/// under reference pooling that decides the embeddings.
///
/// # Errors
/// [`WriteBundleError`] when a graph cannot be written, the prompts cannot be parsed or cannot mean what they say
/// ([`check_meaning`]), `embed` fails or returns
/// something other than one unit vector of the joint space per sentence or image, or the directory cannot be written.
pub fn write_bundle<E>(
    checkpoint: &Checkpoint,
    contents: BundleContents<'_>,
    options: &BundleOptions,
    directory: impl AsRef<Path>,
    embed: impl FnMut(EmbedRequest<'_>) -> Result<Embeddings, E>,
) -> Result<(), WriteBundleError>
where
    E: Into<Box<dyn Error + Send + Sync>>,
{
    write_bundle_if(checkpoint, contents, options, directory, embed, |_| Ok(()))
}

/// [`write_bundle`], if `accept` has nothing against the bundle: it gets the path where the bundle is whole and can be
/// opened, but not yet in its place.
///
/// # Errors
/// Those of [`write_bundle`], and [`WriteBundleError::Refused`].
pub fn write_bundle_if<E>(
    checkpoint: &Checkpoint,
    contents: BundleContents<'_>,
    options: &BundleOptions,
    directory: impl AsRef<Path>,
    mut embed: impl FnMut(EmbedRequest<'_>) -> Result<Embeddings, E>,
    accept: impl FnOnce(&Path) -> Result<(), Box<dyn Error + Send + Sync>>,
) -> Result<(), WriteBundleError>
where
    E: Into<Box<dyn Error + Send + Sync>>,
{
    let config = checkpoint.config();
    let model = config.to_toml().map_err(WriteBundleError::Config)?;
    let classes = PromptSet::parse(contents.prompts)?.expand();
    check_meaning(&classes, checkpoint.tokenizer())?;
    let mut writer = BundleWriter::create(directory, options.replace)?;

    writer.add(BundleFile::Model, model.as_bytes())?;
    writer.add(BundleFile::Tokenizer, checkpoint.tokenizer_json())?;
    writer.add(BundleFile::Card, contents.card.as_bytes())?;
    let graph = checkpoint.image_graph(&options.image)?;
    let files = [BundleFile::IMAGE_GRAPH, BundleFile::IMAGE_WEIGHTS];
    let image_graph_sha256 = add_graph(&mut writer, files, graph, options.detach_from)?;
    let graph = checkpoint.text_graph(&options.text)?;
    let files = [BundleFile::TEXT_GRAPH, BundleFile::TEXT_WEIGHTS];
    let text_graph_sha256 = add_graph(&mut writer, files, graph, options.detach_from)?;
    let prompts_sha256 = writer.add(BundleFile::Prompts, contents.prompts.as_bytes())?.to_owned();

    let mut embed = |request: EmbedRequest<'_>| {
        let embeddings = embed(request).map_err(|error| WriteBundleError::Embed(error.into()))?;
        let (actual, expected) = (embeddings.dim(), config.architecture.embedding_dim);
        if actual == expected {
            Ok(embeddings)
        } else {
            Err(WriteBundleError::Dimension { actual, expected })
        }
    };
    let image_graph = writer.path(BundleFile::IMAGE_GRAPH);
    let text_graph = writer.path(BundleFile::TEXT_GRAPH);
    let (graph, tokenizer) = (text_graph.as_path(), checkpoint.tokenizer());

    let (images, lines) = (golden_images(), golden_sentences());
    let pixels = Preprocessor::new(config.preprocess.clone())?.batch(&images)?;
    let of_images = embed(EmbedRequest::Images { graph: &image_graph, config, images: &pixels })?;
    let (prompts, lines_read) = (sentences(&classes), lines.iter().map(String::as_str).collect::<Vec<_>>());
    let batches = [prompts.as_slice(), lines_read.as_slice()];
    let of_sentences = embed(EmbedRequest::Sentences { graph, config, tokenizer, batches: &batches })?;
    let [of_prompts, of_lines] = split(&of_sentences, batches.map(<[_]>::len))?;

    let provenance = Provenance { prompts_sha256, text_graph_sha256: text_graph_sha256.clone() };
    let bank = PromptBank::build(classes, of_prompts)?.with_provenance(provenance);
    writer.add(BundleFile::PromptBank, &bank.to_bytes()?)?;
    let provenance = GoldenProvenance { image_graph_sha256, text_graph_sha256 };
    let golden = Golden::new(images, of_images, lines, of_lines)?.with_provenance(provenance);
    writer.add(BundleFile::Golden, &golden.to_bytes()?)?;
    writer.finish_if(|bundle| accept(bundle).map_err(WriteBundleError::Refused))
}

/// Adds a graph, of `detach_from` bytes or more with its weights in the second file, and returns the SHA-256 of the first.
pub(crate) fn add_graph(
    writer: &mut BundleWriter,
    [file, weights]: [BundleFile; 2],
    mut graph: OnnxFile,
    detach_from: usize,
) -> Result<String, BundleError> {
    if graph.encoded_len() >= detach_from {
        let (detached, data) = graph.detach(weights.file_name());
        writer.add_with(weights, |out| data.write_to(out))?;
        graph = detached;
    }
    Ok(writer.add_with(file, |out| graph.write_to(out))?.to_owned())
}

/// The embeddings of two batches, of so many rows.
fn split(all: &Embeddings, rows: [usize; 2]) -> Result<[Embeddings; 2], WriteBundleError> {
    let (actual, expected) = (all.rows(), rows.iter().sum());
    if actual != expected {
        return Err(WriteBundleError::Rows { actual, expected });
    }
    let mut values = all.data().to_vec();
    let second = values.split_off(rows[0] * all.dim());
    Ok([Embeddings::new(values, all.dim())?, Embeddings::new(second, all.dim())?])
}

/// Why a bundle was not written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum WriteBundleError {
    /// A graph cannot be written.
    #[error(transparent)]
    Graph(#[from] ExportError),
    /// The prompts are no prompt file.
    #[error("the prompts cannot be used")]
    Prompts(#[from] PromptError),
    /// The configuration has no TOML form.
    #[error("cannot write model.toml")]
    Config(#[source] ModelConfigError),
    /// The engine failed on a graph.
    #[error("cannot embed prompts and golden inputs")]
    Embed(#[source] Box<dyn Error + Send + Sync>),
    /// The engine returned vectors of another space.
    #[error("prompts or golden inputs were embedded in {actual} dimensions, the joint space has {expected}")]
    Dimension {
        /// Width of what was returned.
        actual: usize,
        /// Width of the joint space.
        expected: usize,
    },
    /// The engine returned fewer or more vectors than it was handed sentences.
    #[error("{expected} sentences gave {actual} embeddings")]
    Rows {
        /// Vectors returned.
        actual: usize,
        /// Sentences handed over.
        expected: usize,
    },
    /// The embeddings are of no dimension.
    #[error("the embeddings have no shape")]
    Shape(#[from] EmbeddingsError),
    /// The golden images cannot be made the graph's input.
    #[error("the golden images cannot be preprocessed")]
    Preprocess(#[from] PreprocessError),
    /// The embeddings make no golden answers.
    #[error("the golden inputs were not embedded")]
    Golden(#[from] GoldenError),
    /// The embeddings make no prompt bank.
    #[error("the prompts were not embedded")]
    Bank(#[from] BankError),
    /// The caller does not accept the bundle.
    #[error("the bundle is refused")]
    Refused(#[source] Box<dyn Error + Send + Sync>),
    /// The directory cannot be written.
    #[error("the bundle cannot be written")]
    Write(#[from] BundleError),
}
