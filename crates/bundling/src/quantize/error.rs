//! Why a bundle gained no towers.

use medclip_core::batch::EmbeddingsError;
use medclip_core::preprocess::PreprocessError;
use medclip_core::quantization::LayerCost;
use medclip_core::stop::Stopped;
use medclip_core::tokenize::TokenizeError;
use medclip_decode::DecodeError;
use medclip_export::quantize::{ChooseError, QuantizeError as GraphError};
use medclip_files::AlreadyThere;
use medclip_runtime::{BundleError, EncodeError, LoadError, Precision, TowerKind};
use thiserror::Error;

/// Why a bundle gained no towers in further precisions. Nothing was written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum QuantizeError {
    /// The caller asked it to stop.
    #[error("stopped before the end, as was asked; nothing was written")]
    Stopped(#[from] Stopped),
    /// There is something where the bundle is to be.
    #[error(transparent)]
    Target(#[from] AlreadyThere),
    /// The precision of every bundle was asked for.
    #[error("a bundle has its towers in {0} already")]
    Own(Precision),
    /// The bundle was copied without its text tower.
    #[error(transparent)]
    Incomplete(BundleError),
    /// The engine cannot run here.
    #[error(transparent)]
    Engine(#[from] LoadError),
    /// Too few films, or none, for one of the two parts: an image tower is calibrated and compared on films.
    #[error("{count} films to {purpose}, needs {needed}; a third of the patients is for calibration")]
    FewFilms {
        /// Films of this part.
        count: usize,
        /// What the part is for.
        purpose: &'static str,
        /// Fewest films of a part.
        needed: usize,
    },
    /// A film cannot be decoded.
    #[error(transparent)]
    Film(#[from] DecodeError),
    /// Films cannot be made the model's input.
    #[error(transparent)]
    Preprocess(#[from] PreprocessError),
    /// A tower is not good enough, or could not be tried.
    #[error("the {tower} tower is refused in {precision}")]
    Tower {
        /// The tower.
        tower: TowerKind,
        /// Its precision.
        precision: Precision,
        /// Why.
        source: Box<TowerError>,
    },
    /// The new bundle cannot be written.
    #[error("the bundle cannot be written")]
    Write(#[source] BundleError),
    /// What was written cannot be read.
    #[error("the bundle cannot be opened again")]
    Reopen(#[source] BundleError),
}

/// Why a tower is refused in a precision.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TowerError {
    /// The caller asked it to stop.
    #[error("stopped before the end, as was asked")]
    Stopped(#[from] Stopped),
    /// The graph cannot be read or rewritten.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// No choice of layers is good enough.
    #[error(transparent)]
    Choose(#[from] ChooseError),
    /// The model's own graph cannot be loaded.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The new graph cannot be loaded.
    #[error("the quantised graph cannot be loaded")]
    LoadNew(#[source] LoadError),
    /// A graph cannot be run.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// The golden images cannot be made the model's input.
    #[error(transparent)]
    Preprocess(#[from] PreprocessError),
    /// The model's tokenizer cannot be used.
    #[error(transparent)]
    Tokenize(#[from] TokenizeError),
    /// Embeddings have no shape.
    #[error(transparent)]
    Shape(#[from] EmbeddingsError),
    /// The model has too few prompts to compare a text tower on.
    #[error("{count} prompts are too few to choose by some and judge by others")]
    FewPrompts {
        /// Different prompts of the model.
        count: usize,
    },
    /// The tower is past its limits on inputs that nothing was chosen by.
    #[error("on {inputs} {what}: {}{}", failures.join(", "), worst.as_ref().map_or_else(String::new, blame))]
    PastLimits {
        /// Inputs that were compared.
        inputs: usize,
        /// What they are: films or sentences.
        what: &'static str,
        /// What is past its limit, in words.
        failures: Vec<String>,
        /// The layer that hurts most, where layers were quantized.
        worst: Option<LayerCost>,
    },
}

fn blame(worst: &LayerCost) -> String {
    format!("; {} hurts most: quantised alone it costs a cosine of {:.2e}", worst.layer, worst.cost)
}
