//! What can go wrong, one enum per operation.

use std::path::PathBuf;

use medclip_core::bank::BankError;
use medclip_core::batch::EmbeddingsError;
use medclip_core::bundle::BundleError;
use medclip_core::causes::with_causes;
use medclip_core::precision::{Precision, TowerKind};
use medclip_core::preprocess::PreprocessError;
use medclip_core::prompt::PromptError;
use medclip_core::tokenize::TokenizeError;
use thiserror::Error;

use crate::graph::ContractError;
use crate::kind::EngineKind;

/// Why a model could not be loaded.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The bundle is missing, incomplete, changed or malformed.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// This build lacks the engine.
    #[error("engine {engine} is not in this build; build with feature `{}`", engine.feature())]
    NotBuilt {
        /// The engine.
        engine: EngineKind,
    },
    /// This machine lacks what the engine needs.
    #[error("engine {engine} cannot run here")]
    Engine {
        /// The engine.
        engine: EngineKind,
        /// What it lacks.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A graph cannot be read, or is no ONNX graph.
    #[error("{} cannot be read as ONNX", path.display())]
    NotOnnx {
        /// The graph's file.
        path: PathBuf,
        /// Why not.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A graph whose weights are in a file that is not beside it.
    #[error("{} has its weights in `{file}`, which is not a file beside it", path.display())]
    ExternalData {
        /// The graph's file.
        path: PathBuf,
        /// The file it names.
        file: String,
    },
    /// A graph's inputs or outputs are not what the bundle's configuration calls for.
    #[error("{} does not belong to this model", path.display())]
    WrongGraph {
        /// The graph's file.
        path: PathBuf,
        /// What differs.
        source: ContractError,
    },
    /// The bundle's tokenizer is of no use.
    #[error(transparent)]
    Tokenizer(#[from] TokenizeError),
    /// The two graphs come from different weights.
    #[error("{} was exported from other weights than {}", text.display(), image.display())]
    DifferentWeights {
        /// The image graph's file.
        image: PathBuf,
        /// The text graph's file.
        text: PathBuf,
    },
    /// A tower does not give the answers it gave when the bundle was written.
    #[error(
        "engine {engine} does not reproduce the golden {tower} embeddings of {}: cosine {cosine:.6}, needs {needed:.4}",
        bundle.display()
    )]
    SelfTest {
        /// The engine.
        engine: EngineKind,
        /// Which tower.
        tower: TowerKind,
        /// The bundle's directory.
        bundle: PathBuf,
        /// Least cosine of an embedding with its golden one.
        cosine: f64,
        /// What it has to be at least.
        needed: f64,
    },
    /// The bundle does not hold the precision asked for.
    #[error("{} has no {tower} tower in {precision}, only in {has}; quantize the bundle to add one", bundle.display())]
    NoSuchPrecision {
        /// The bundle's directory.
        bundle: PathBuf,
        /// The tower.
        tower: TowerKind,
        /// What was asked for.
        precision: Precision,
        /// What there is.
        has: String,
    },
    /// A tower fails on the golden inputs.
    #[error("engine {engine} fails on the golden inputs of {}", bundle.display())]
    SelfTestRun {
        /// The engine.
        engine: EngineKind,
        /// The bundle's directory.
        bundle: PathBuf,
        /// How.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The engine refuses a graph.
    #[error("engine {engine} cannot load {}", path.display())]
    Graph {
        /// The engine.
        engine: EngineKind,
        /// The graph's file.
        path: PathBuf,
        /// The engine's own words.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl LoadError {
    /// The error and its causes on one line; what an engine lacks without the words that it cannot run.
    pub fn lack(&self) -> String {
        match self {
            Self::Engine { source, .. } => with_causes(source.as_ref()),
            other => with_causes(other),
        }
    }
}

/// Why images or sentences could not be embedded or scored.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// Nothing to embed.
    #[error("there is nothing to embed")]
    Empty,
    /// Pixels of another model's preprocessor.
    #[error("the model takes images of shape {expected:?} (channels, height, width), got {actual:?}")]
    ImageShape {
        /// Channels, height and width the model takes.
        expected: [usize; 3],
        /// Those of the batch.
        actual: [usize; 3],
    },
    /// The engine failed on sound input.
    #[error("engine {engine} failed")]
    Run {
        /// The engine.
        engine: EngineKind,
        /// The engine's own words.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The engine gave embeddings of another shape than the graph promises.
    #[error("the graph gave embeddings of shape {actual:?} instead of {expected:?}")]
    OutputShape {
        /// Rows and width called for.
        expected: [usize; 2],
        /// Shape given.
        actual: Vec<usize>,
    },
    /// The engine gave maps of another shape than the graph promises.
    #[error("the graph gave maps of shape {actual:?} for {images} images and embeddings of width {dim}")]
    MapShape {
        /// Images given.
        images: usize,
        /// Width of the embeddings.
        dim: usize,
        /// Shape given.
        actual: Vec<usize>,
    },
    /// Maps of another number of images than embeddings.
    #[error("there are embeddings of {images} images and maps of {maps}")]
    MapCount {
        /// Embeddings given.
        images: usize,
        /// Maps given.
        maps: usize,
    },
    /// An embedding holds an infinity or is not a number.
    #[error("the embedding of input {row} is not finite")]
    NonFinite {
        /// Position in the batch, from 1.
        row: usize,
    },
    /// The image tower could not be loaded.
    #[error("the image tower could not be loaded")]
    ImageTower(#[source] Box<LoadError>),
    /// The golden images could not be preprocessed.
    #[error(transparent)]
    Preprocess(#[from] PreprocessError),
    /// The text tower, loaded when first needed, could not be.
    #[error("the text tower could not be loaded")]
    TextTower(#[source] Box<LoadError>),
    /// Embeddings of another model.
    #[error("the classifier takes embeddings of width {expected}, got {actual}")]
    EmbeddingWidth {
        /// Width that the classifier takes.
        expected: usize,
        /// Width of the embeddings.
        actual: usize,
    },
    /// The model's embeddings have no width.
    #[error(transparent)]
    Embeddings(#[from] EmbeddingsError),
    /// A sentence could not be turned into tokens.
    #[error(transparent)]
    Tokenize(#[from] TokenizeError),
    /// Prompts that cannot mean what they say to this model.
    #[error(transparent)]
    Prompts(#[from] PromptError),
    /// Embedded prompts do not make a bank.
    #[error(transparent)]
    Bank(#[from] BankError),
}
