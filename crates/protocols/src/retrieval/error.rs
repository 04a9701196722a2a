//! Why nothing could be retrieved.

use std::path::PathBuf;

use medclip_data::ReportsError;
use medclip_stats::BootstrapError;
use thiserror::Error;

use crate::error::EvaluationError;

/// Why nothing could be retrieved.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RetrievalError {
    /// The films, the model or the classes cannot be used.
    #[error(transparent)]
    Evaluation(#[from] EvaluationError),
    /// A file of reports cannot be read.
    #[error("cannot use reports {}", path.display())]
    Reports {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: ReportsError,
    },
    /// Sentences of reports were asked for, and there are none.
    #[error(
        "{}: none of the images chosen has a report, in its row of the manifest or in a file of reports",
        manifest.display()
    )]
    NoReport {
        /// The manifest.
        manifest: PathBuf,
    },
    /// No class has both a film and a sentence.
    #[error("no class has both an image and a sentence")]
    NoClass,
    /// Fewer than two classes have films and enough sentences.
    #[error("fewer than two classes have an image and {per_class} sentences: {without}")]
    TooFew {
        /// Sentences that a class needs.
        per_class: usize,
        /// The other classes with what they have, `Edema (3 images, 0 sentences); …`.
        without: String,
    },
}

impl From<BootstrapError> for RetrievalError {
    fn from(error: BootstrapError) -> Self {
        Self::Evaluation(error.into())
    }
}
