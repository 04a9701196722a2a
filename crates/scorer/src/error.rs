//! Why a scorer could not be made, or a film not be scored.

use medclip_qc::LearnedError;
use medclip_runtime::{EncodeError, HeadError, LoadError};
use thiserror::Error;

use crate::failure::Failure;

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
    /// The model has no maps, as those of earlier versions.
    #[error("cannot make maps")]
    Maps(#[source] EncodeError),
    /// The checks that the bundle carries cannot be used.
    #[error("cannot use the model's intake checks")]
    Checks(#[from] LearnedError),
}

/// A film that could not be read or scored.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{}{}", path.as_ref().map_or_else(String::new, |path| format!("{path}: ")), failure.message)]
pub struct ScoreError {
    /// The film's file, where it has one.
    pub path: Option<String>,
    /// What is wrong with it.
    pub failure: Failure,
}

impl From<Failure> for ScoreError {
    fn from(failure: Failure) -> Self {
        Self { path: None, failure }
    }
}
