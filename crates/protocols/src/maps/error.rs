//! Why maps could not be evaluated.

use std::path::PathBuf;

use medclip_data::BoxesError;
use thiserror::Error;

use crate::error::EvaluationError;

/// Why maps could not be evaluated.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum MapsError {
    /// The films or the model cannot be used.
    #[error(transparent)]
    Evaluation(#[from] EvaluationError),
    /// The file of boxes cannot be read.
    #[error("cannot use boxes {}", path.display())]
    Boxes {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: BoxesError,
    },
    /// No box of a class of the model lies on a film that was chosen.
    #[error("none of the boxes in {} is of a class of the model and on a film that was chosen", path.display())]
    NoBox {
        /// The file of boxes.
        path: PathBuf,
    },
}
