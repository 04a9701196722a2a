//! A bundle ready to score.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use medclip_core::bank::PromptBank;
use medclip_core::batch::{Embeddings, ImageBatch};
use medclip_core::bundle::{Bundle, BundleFile};
use medclip_core::head::{Head, HeadError};
use medclip_core::map::LocationMaps;
use medclip_core::precision::{Precision, TowerKind};
use medclip_core::preprocess::Preprocessor;
use medclip_core::prompt::{PromptSet, check_meaning, sentences};
use medclip_core::tokenize::{TextDoubt, Tokenizer};
use tracing::{debug_span, info_span};

use crate::classifier::Classifier;
use crate::encoder::{ImageEncoder, TextEncoder};
use crate::engine::{self, GraphSource, GuardedEngine};
use crate::error::{EncodeError, LoadError};
use crate::kind::EngineKind;
use crate::options::precision::{Chosen, choose};
use crate::options::{ModelOptions, PrecisionChoice};
use crate::self_test::{SelfTest, needed, passes};

/// A model loaded from a bundle: images and sentences in, embeddings out. A [`Classifier`] makes scores of them.
///
/// Every method takes `&self` and may be called from many threads at once.
pub struct Model {
    bundle: Bundle,
    engine: GuardedEngine,
    /// Engine and precision of the image tower in one word.
    label: String,
    options: ModelOptions,
    image_precision: Precision,
    image: ImageEncoder,
    /// The image tower with its second output, loaded when it is first asked for.
    mapped: Mutex<Option<Arc<ImageEncoder>>>,
    text: Mutex<Option<Arc<TextTower>>>,
}

impl Model {
    /// Opens and verifies the bundle in `dir` and loads its image tower, with default options.
    ///
    /// # Errors
    /// As [`Model::open_with`].
    pub fn open(dir: impl AsRef<Path>) -> Result<Self, LoadError> {
        Self::open_with(dir, ModelOptions::default())
    }

    /// Opens and verifies the bundle in `dir` and loads its image tower.
    ///
    /// The text tower stays on disk: the bundle's own classes are embedded already, in its prompt bank.
    ///
    /// # Errors
    /// [`LoadError`] when a file of the bundle is missing, changed or malformed, when the engine is not in this build or
    /// cannot run here, when a graph's inputs or outputs are not what `model.toml` calls for, when the engine refuses
    /// it, when the bundle lacks the precision asked for, or when it fails the self-test that the options ask for.
    pub fn open_with(dir: impl AsRef<Path>, options: ModelOptions) -> Result<Self, LoadError> {
        Self::from_bundle(Bundle::open(dir.as_ref())?, options)
    }

    /// Loads the image tower of a bundle that was verified: one in memory ([`Bundle::from_bytes`]), say.
    ///
    /// # Errors
    /// As [`Model::open_with`], and [`LoadError::ExternalData`] for graphs in memory whose weights are in another file.
    pub fn from_bundle(bundle: Bundle, options: ModelOptions) -> Result<Self, LoadError> {
        let _span = info_span!("load", engine = %options.engine.kind(), threads = options.threads).entered();
        let engine = engine::engine(&options.engine)?;
        let load =
            |graph: GraphSource<'_>| ImageEncoder::load(&engine, graph, bundle.config(), options.threads);
        let Loaded { tower: image, precision, .. } =
            load_tower(&bundle, TowerKind::Image, options.precision, &engine, load)?;
        let label = precision.on(engine.kind().name());
        let (mapped, text) = (Mutex::default(), Mutex::default());
        let model = Self { bundle, engine, label, options, image_precision: precision, image, mapped, text };
        if model.options.self_test {
            model.require(TowerKind::Image, precision, model.golden_image_cosine())?;
        }
        Ok(model)
    }

    /// The bundle's own classes, whose prompts are embedded already.
    pub fn classifier(&self) -> Classifier {
        self.of_bank(self.bundle.bank().clone())
    }

    /// Other zero-shot classes, their prompts embedded by the text tower.
    ///
    /// # Errors
    /// [`EncodeError`] when the text tower cannot be loaded, a prompt cannot mean what it says ([`check_meaning`]) or cannot
    /// be embedded.
    pub fn prompt_classifier(&self, prompts: &PromptSet) -> Result<Classifier, EncodeError> {
        let expanded = prompts.expand();
        check_meaning(&expanded, &self.text_tower()?.tokenizer)?;
        let embeddings = self.embed_texts(&sentences(&expanded))?;
        Ok(self.of_bank(PromptBank::build(expanded, embeddings)?))
    }

    /// The classes of a head that was fitted on this model's embeddings.
    ///
    /// # Errors
    /// [`HeadError`] when it was fitted for another bundle.
    pub fn head_classifier(&self, head: Head) -> Result<Classifier, HeadError> {
        let dim = self.dim();
        head.check(self.bundle.id(), dim)?;
        Ok(Classifier::of_head(head, dim))
    }

    fn of_bank(&self, bank: PromptBank) -> Classifier {
        let (scale, pooling) = (self.bundle.logit_scale(), self.bundle.config().prompt_pooling);
        Classifier::of_prompts(bank, scale, pooling, self.dim())
    }

    /// Width of the embeddings.
    fn dim(&self) -> usize {
        self.bundle.config().architecture.embedding_dim
    }

    /// A unit-norm embedding of every image.
    ///
    /// # Shapes
    /// - `images`: `[batch, channels, height, width]`
    /// - returns: `[batch, dim]`
    ///
    /// # Errors
    /// [`EncodeError`] when the images are not of this model's shape, the engine fails, or an embedding is not finite.
    pub fn embed_images(&self, images: &ImageBatch) -> Result<Embeddings, EncodeError> {
        let _span = debug_span!("encode", images = images.shape()[0]).entered();
        self.image.encode(images)
    }

    /// A unit-norm embedding of every image, and its locations, whose mean it is; the first call loads the image tower once
    /// more, with its second output. [`Classifier::maps`] makes maps of classes of them.
    ///
    /// # Shapes
    /// - `images`: `[batch, channels, height, width]`
    /// - returns: `[batch, dim]` and `[batch, rows, columns, dim]`
    ///
    /// # Errors
    /// As [`Model::embed_images`], and [`EncodeError::ImageTower`] for a bundle whose image tower has no maps, as earlier
    /// versions wrote it.
    pub fn embed_with_maps(&self, images: &ImageBatch) -> Result<(Embeddings, LocationMaps), EncodeError> {
        let _span = debug_span!("encode", images = images.shape()[0], maps = true).entered();
        self.mapped_tower()?.encode_with_maps(images)
    }

    /// Loads what [`Model::embed_with_maps`] needs.
    ///
    /// # Errors
    /// [`EncodeError::ImageTower`], as there.
    pub fn load_maps(&self) -> Result<(), EncodeError> {
        self.mapped_tower().map(drop)
    }

    fn mapped_tower(&self) -> Result<Arc<ImageEncoder>, EncodeError> {
        once(&self.mapped, || self.load_mapped_tower()).map_err(EncodeError::ImageTower)
    }

    fn load_mapped_tower(&self) -> Result<ImageEncoder, LoadError> {
        let (config, threads) = (self.bundle.config(), self.options.threads);
        let load = |graph: GraphSource<'_>| ImageEncoder::load_with_map(&self.engine, graph, config, threads);
        let choice = PrecisionChoice::Exactly(self.image_precision);
        Ok(load_tower(&self.bundle, TowerKind::Image, choice, &self.engine, load)?.tower)
    }

    /// A unit-norm embedding of every sentence; the first call loads the text tower.
    ///
    /// # Shapes
    /// - returns: `[sentences, dim]`
    ///
    /// # Errors
    /// [`EncodeError`] when the text tower cannot be loaded, a sentence cannot be turned into tokens, the engine fails,
    /// or an embedding is not finite.
    pub fn embed_texts<S: AsRef<str>>(&self, sentences: &[S]) -> Result<Embeddings, EncodeError> {
        let _span = debug_span!("encode", sentences = sentences.len()).entered();
        let text = self.text_tower()?;
        text.encoder.encode(&text.tokenizer, sentences)
    }

    /// What the text tower cannot take in of a sentence, for whoever embeds it: tokens that are cut or unknown. The first call
    /// loads the tower.
    ///
    /// # Errors
    /// [`EncodeError`] when the text tower cannot be loaded, or the sentence cannot be turned into tokens.
    pub fn doubts(&self, sentence: &str) -> Result<Vec<TextDoubt>, EncodeError> {
        Ok(self.text_tower()?.tokenizer.doubts(sentence)?)
    }

    /// Runs the bundle's golden images and sentences and compares the embeddings with those it was written with. A copy
    /// without its text tower, and a build without feature `text`, run the images alone.
    ///
    /// # Errors
    /// As [`Model::embed_images`] and [`Model::embed_texts`].
    pub fn self_test(&self) -> Result<SelfTest, EncodeError> {
        let has_text = Tokenizer::IS_BUILT && self.bundle.has_text_tower();
        let text = has_text.then(|| self.text_tower()).transpose()?;
        let text_precision = text.as_ref().map_or(Precision::Fp32, |text| text.precision);
        let needed = [(TowerKind::Image, self.image_precision), (TowerKind::Text, text_precision)]
            .map(|(tower, precision)| needed(&self.bundle, tower, precision));
        let text = text.map(|text| self.golden_text_cosine(&text)).transpose()?;
        Ok(SelfTest { image: self.golden_image_cosine()?, text, needed })
    }

    /// Makes the batches this model takes.
    pub fn preprocessor(&self) -> &Preprocessor {
        self.bundle.preprocessor()
    }

    /// The bundle on disk.
    pub fn bundle(&self) -> &Bundle {
        &self.bundle
    }

    /// Name of the model, as `model.toml` gives it.
    pub fn name(&self) -> &str {
        &self.bundle.config().name
    }

    /// The engine in use.
    pub fn engine(&self) -> EngineKind {
        self.engine.kind()
    }

    /// Precision of the image tower in use.
    pub const fn precision(&self) -> Precision {
        self.image_precision
    }

    /// Engine and precision of the image tower in one word: `tract`, `ort-cpu/int8`.
    pub fn engine_label(&self) -> &str {
        &self.label
    }

    fn text_tower(&self) -> Result<Arc<TextTower>, EncodeError> {
        once(&self.text, || self.load_text_tower()).map_err(EncodeError::TextTower)
    }

    fn load_text_tower(&self) -> Result<TextTower, LoadError> {
        self.bundle.require_text_tower()?;
        let tokenizer = self.bundle.tokenizer()?;
        let choice = self.options.precision.of_text(&self.bundle);
        let (config, threads) = (self.bundle.config(), self.options.threads);
        let load = |graph: GraphSource<'_>| TextEncoder::load(&self.engine, graph, config, threads);
        let Loaded { tower: encoder, precision, path } =
            load_tower(&self.bundle, TowerKind::Text, choice, &self.engine, load)?;
        if encoder.weights_sha256() != self.image.weights_sha256() {
            let image = self.bundle.path(BundleFile::IMAGE_GRAPH);
            return Err(LoadError::DifferentWeights { image, text: path });
        }
        let tower = TextTower { encoder, tokenizer, precision };
        if self.options.self_test {
            self.require(TowerKind::Text, precision, self.golden_text_cosine(&tower))?;
        }
        Ok(tower)
    }

    fn golden_image_cosine(&self) -> Result<f64, EncodeError> {
        let golden = self.bundle.golden();
        let images = self.preprocessor().batch(golden.images())?;
        Ok(self.image.encode(&images)?.least_cosine(golden.image_embeddings()))
    }

    fn golden_text_cosine(&self, text: &TextTower) -> Result<f64, EncodeError> {
        let golden = self.bundle.golden();
        let found = text.encoder.encode(&text.tokenizer, golden.sentences())?;
        Ok(found.least_cosine(golden.text_embeddings()))
    }

    /// Fails unless a tower reproduced its golden embeddings.
    fn require(
        &self,
        tower: TowerKind,
        precision: Precision,
        cosine: Result<f64, EncodeError>,
    ) -> Result<(), LoadError> {
        let needed = needed(&self.bundle, tower, precision);
        let (engine, bundle) = (self.engine(), self.bundle.directory().to_owned());
        match cosine {
            Ok(cosine) if passes(cosine, needed) => Ok(()),
            Ok(cosine) => Err(LoadError::SelfTest { engine, tower, bundle, cosine, needed }),
            Err(error) => Err(LoadError::SelfTestRun { engine, bundle, source: error.into() }),
        }
    }
}

/// A tower on an engine.
struct Loaded<T> {
    tower: T,
    precision: Precision,
    /// Where its graph lies.
    path: PathBuf,
}

/// Loads the graph of a tower that `choice` means on `engine`; the files are confirmed once they are loaded.
fn load_tower<T>(
    bundle: &Bundle,
    tower: TowerKind,
    choice: PrecisionChoice,
    engine: &GuardedEngine,
    load: impl FnOnce(GraphSource<'_>) -> Result<T, LoadError>,
) -> Result<Loaded<T>, LoadError> {
    let Chosen { precision, file } = choose(bundle, tower, choice, engine.kind())?;
    let path = bundle.path(file);
    let found = load(source(bundle, file, &path))?;
    confirm(bundle, tower, precision)?;
    Ok(Loaded { tower: found, precision, path })
}

/// What `slot` holds, or what `load` gives, which it then holds.
fn once<T>(
    slot: &Mutex<Option<Arc<T>>>,
    load: impl FnOnce() -> Result<T, LoadError>,
) -> Result<Arc<T>, Box<LoadError>> {
    // Held while it loads, so that it is loaded once; a failure leaves it to be tried again.
    let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(loaded) = slot.as_ref() {
        return Ok(Arc::clone(loaded));
    }
    Ok(Arc::clone(slot.insert(Arc::new(load()?))))
}

/// Where an engine finds a graph.
fn source<'a>(bundle: &'a Bundle, file: BundleFile, path: &'a Path) -> GraphSource<'a> {
    bundle.memory(file).map_or(GraphSource::File(path), GraphSource::Bytes)
}

/// Fails unless the files that an engine has loaded by their paths are those that were verified.
fn confirm(bundle: &Bundle, tower: TowerKind, precision: Precision) -> Result<(), LoadError> {
    let files = BundleFile::tower(tower, precision);
    let there = files.into_iter().filter(|file| bundle.files().contains(file));
    Ok(there.into_iter().try_for_each(|file| bundle.confirm(file))?)
}

/// What sentences need, loaded when the first one comes.
struct TextTower {
    encoder: TextEncoder,
    tokenizer: Tokenizer,
    precision: Precision,
}

impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Model")
            .field("name", &self.name())
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
