//! Why bundles could not be compared.

use std::path::PathBuf;

use medclip_runtime::LoadError;
use thiserror::Error;

use crate::error::EvaluationError;

/// Why bundles could not be compared.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CompareError {
    /// The films cannot be used, or intervals cannot be made.
    #[error(transparent)]
    Evaluation(#[from] EvaluationError),
    /// A bundle cannot be loaded.
    #[error("{}: cannot load the model", path.display())]
    Load {
        /// The bundle.
        path: PathBuf,
        /// Why.
        source: LoadError,
    },
    /// A bundle cannot be evaluated.
    #[error("cannot evaluate bundle {}", path.display())]
    Bundle {
        /// The bundle.
        path: PathBuf,
        /// Why.
        source: EvaluationError,
    },
    /// A bundle fails on films that others embedded, so that nothing can be paired.
    #[error("{}: images that other bundles embedded fail with it", path.display())]
    OtherFilms {
        /// The bundle.
        path: PathBuf,
    },
    /// One bundle twice under one label.
    #[error("{}: a copy of another bundle of label {label}", path.display())]
    Copy {
        /// The bundle.
        path: PathBuf,
        /// Its label.
        label: String,
    },
    /// No finding has prompts in every bundle.
    #[error("the bundles have no finding in common")]
    NoCommonFinding,
}
