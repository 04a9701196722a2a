//! Why a scorer could not be made.

use medclip_qc::LearnedError;
use medclip_runtime::{EncodeError, HeadError, LoadError};
use thiserror::Error;

/// Why a scorer could not be made.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OpenError {
    /// No bundle was named.
    #[error("no bundle was given to score with")]
    NoBundle,
    /// The model cannot be loaded.
    #[error("cannot load the model")]
    Model(#[from] LoadError),
    /// The prompts cannot be used with this model.
    #[error("cannot use the prompts")]
    Prompts(#[source] EncodeError),
    /// The head cannot be used with this model.
    #[error("cannot use the head")]
    Head(#[source] HeadError),
    /// The checks that the bundle carries cannot be used.
    #[error("cannot use the model's intake checks")]
    Checks(#[from] LearnedError),
}
