//! Errors of writing a graph.

use medclip_core::architecture::swin::SwinSizeError;
use thiserror::Error;

use crate::weights::WeightsError;

/// Why a graph could not be written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ExportError {
    /// Sizes that no tower can have.
    #[error("the architecture is impossible: {field} is {value}, needs {requirement}")]
    Architecture {
        /// Path of the size, as in `model.toml`.
        field: String,
        /// What it says.
        value: usize,
        /// What it may be.
        requirement: String,
    },
    /// An image size the tower has no form for.
    #[error(transparent)]
    ImageSize(#[from] SwinSizeError),
    /// Weights that do not belong to the architecture.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// A constant with a value that is infinite or not a number, such as a fold of a negative variance.
    #[error("constant {name} is not finite at index {index}")]
    NotFinite {
        /// Constant in the graph.
        name: String,
        /// Position in row-major order.
        index: usize,
    },
    /// A weight beyond ±65,504.
    #[error("{name} holds {value}, too large for half precision")]
    HalfOverflow {
        /// Constant in the graph.
        name: String,
        /// The weight.
        value: f32,
    },
    /// More than protobuf allows in one file.
    #[error("the graph needs {len} bytes, ONNX files hold at most {limit}")]
    TooLarge {
        /// Bytes needed.
        len: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// The configuration has no JSON form.
    #[error("cannot write the configuration into the graph")]
    Metadata(#[source] serde_json::Error),
}
