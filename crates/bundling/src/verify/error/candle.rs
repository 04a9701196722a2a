//! Why candle evaluates nothing.

use medclip_core::batch::EmbeddingsError;
use medclip_core::map::LocationMapsError;
use medclip_core::preprocess::PreprocessError;
use medclip_core::tokenize::TokenizeError;
use medclip_runtime::{BundleError, Precision, PrecisionChoice, TowerKind};
use thiserror::Error;

/// Why candle cannot evaluate a bundle.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CandleError {
    /// Operators of 8-bit numbers are not among those of candle-onnx, and `auto` is a choice of engines.
    #[error(
        "candle evaluates fp32 and fp16, not {precision}; leave it out, or verify one of these precisions"
    )]
    Precision {
        /// What was asked for.
        precision: PrecisionChoice,
    },
    /// The bundle does not hold the precision.
    #[error("the bundle has no {tower} tower in {precision}; quantize the bundle to add one")]
    NoSuchPrecision {
        /// The tower.
        tower: TowerKind,
        /// What was asked for.
        precision: Precision,
    },
    /// A file of the bundle cannot be read again.
    #[error(transparent)]
    Bundle(BundleError),
    /// The graph is none.
    #[error("the {tower} graph cannot be read as ONNX")]
    NotOnnx {
        /// The tower.
        tower: TowerKind,
        /// Why not.
        source: prost::DecodeError,
    },
    /// Values that are not where the graph says.
    #[error("the {tower} graph says of `{name}` that its values lie where the bundle has none")]
    ExternalData {
        /// The tower.
        tower: TowerKind,
        /// The tensor.
        name: String,
    },
    /// An operator that is evaluated neither as it is nor rewritten.
    #[error("candle does not evaluate operator {operator} of node `{node}`: {reason}")]
    Operator {
        /// The operator.
        operator: String,
        /// The node.
        node: String,
        /// What about it.
        reason: &'static str,
    },
    /// The evaluation fails.
    #[error("candle fails")]
    Evaluate(#[from] candle_core::Error),
    /// candle-onnx panics.
    #[error("candle panicked: {message}")]
    Panic {
        /// Its words.
        message: String,
    },
    /// Embeddings of another shape than the graph promises.
    #[error("the graph gave embeddings of shape {actual:?} instead of {expected:?}")]
    OutputShape {
        /// Rows and width called for.
        expected: [usize; 2],
        /// Shape given.
        actual: Vec<usize>,
    },
    /// Maps of another shape than those of one image.
    #[error("the graph gave maps of shape {actual:?} for one image")]
    MapShape {
        /// Shape given.
        actual: Vec<usize>,
    },
    /// Locations that do not fill their shape.
    #[error("the graph gave maps of another size for each image")]
    Maps(#[from] LocationMapsError),
    /// An embedding holds an infinity or is not a number.
    #[error("the embedding of input {row} is not finite")]
    NonFinite {
        /// Position in the batch, from 1.
        row: usize,
    },
    /// Golden images cannot be made the model's input.
    #[error(transparent)]
    Preprocess(#[from] PreprocessError),
    /// Sentences cannot be turned into tokens.
    #[error(transparent)]
    Tokenize(TokenizeError),
    /// The model's embeddings have no width.
    #[error(transparent)]
    Embeddings(#[from] EmbeddingsError),
}
