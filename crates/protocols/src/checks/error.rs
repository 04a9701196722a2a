//! Why checks could not be fitted or measured.

use std::path::PathBuf;

use medclip_core::batch::EmbeddingsError;
use medclip_qc::LearnedError;
use medclip_qc::suite::FitError;
use thiserror::Error;

use crate::error::EvaluationError;

/// Why checks could not be fitted or measured.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ChecksError {
    /// The films or the model.
    #[error(transparent)]
    Evaluation(#[from] EvaluationError),
    /// The bundle holds no checks to measure.
    #[error("{} holds no learned checks", bundle.display())]
    NoChecks {
        /// The bundle.
        bundle: PathBuf,
    },
    /// The checks in the bundle are invalid.
    #[error("cannot use the learned checks")]
    Learned(#[from] LearnedError),
    /// The fit failed.
    #[error("cannot fit the checks")]
    Fit(#[from] FitError),
    /// The embeddings differ in width.
    #[error("cannot fit the checks")]
    Embeddings(#[from] EmbeddingsError),
}
