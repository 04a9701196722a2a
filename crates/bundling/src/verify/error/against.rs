//! Why a bundle cannot be compared with weights.

use std::path::PathBuf;

use medclip_core::batch::EmbeddingsError;
use medclip_core::tokenize::TokenizeError;
use medclip_export::{CheckpointError, ImportError, WeightsError};
use medclip_train::TrainError;
use thiserror::Error;

/// Why a bundle cannot be compared with weights.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AgainstError {
    /// No weights were named.
    #[error("no weights were given to compare the bundle with")]
    NoWeights,
    /// A further precision was asked for.
    #[error("weights are compared with the model itself, in fp32")]
    Precision,
    /// The checkpoint cannot be read.
    #[error("cannot read the checkpoint")]
    Checkpoint(#[from] CheckpointError),
    /// The weights or their vocabulary are refused.
    #[error("cannot import the weights")]
    Import(#[source] Box<ImportError>),
    /// The towers are not the bundle's.
    #[error("{} holds another architecture than the bundle: {}", weights.display(), differences.join(", "))]
    Architecture {
        /// The weights.
        weights: PathBuf,
        /// Every value that differs, with both sides.
        differences: Vec<String>,
    },
    /// Values cannot be read.
    #[error(transparent)]
    Values(#[from] WeightsError),
    /// The weights state no temperature.
    #[error("the weights hold no logit_scale")]
    NoScale,
    /// candle's forward pass fails.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// A tokenizer cannot be used.
    #[error(transparent)]
    Tokenize(#[from] TokenizeError),
    /// Embeddings have no shape.
    #[error(transparent)]
    Shape(#[from] EmbeddingsError),
    /// A setting has no JSON form.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
}
