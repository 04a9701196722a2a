//! Why weights did not become a bundle.

use std::path::PathBuf;

use medclip_core::preprocess::PreprocessError;
use medclip_core::prompt::PromptError;
use medclip_core::stop::Stopped;
use medclip_core::tokenize::TokenizeError;
use medclip_export::{ImportError, WriteBundleError};
use medclip_files::AlreadyThere;
use medclip_phantom::PhantomError;
use medclip_runtime::{EncodeError, LoadError};
use thiserror::Error;

use crate::text::ReadTextError;
use crate::vocabulary::VOCABULARIES;

/// Why weights did not become a bundle. Nothing was written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ImportBundleError {
    /// The caller asked it to stop.
    #[error("stopped before the end, as was asked; nothing was written")]
    Stopped(#[from] Stopped),
    /// There is something where the bundle is to be.
    #[error(transparent)]
    Target(#[from] AlreadyThere),
    /// No vocabulary was named, and none lies beside the weights.
    #[error("no vocabulary: neither {} is beside {}", VOCABULARIES.join(" nor "), weights.display())]
    NoVocabulary {
        /// The weights.
        weights: PathBuf,
    },
    /// The weights or their vocabulary are refused.
    #[error("cannot import the weights")]
    Weights(#[source] Box<ImportError>),
    /// Another image tower than the one asked for.
    #[error("the image tower is {found}, not {expected}")]
    OtherTower {
        /// The tower of the weights, in words.
        found: String,
        /// Name of the one asked for.
        expected: &'static str,
    },
    /// Prompts or card cannot be read.
    #[error(transparent)]
    Text(#[from] ReadTextError),
    /// The prompts are no prompt file.
    #[error("cannot use the prompts")]
    Prompts(#[source] PromptError),
    /// The prompts have no tokens.
    #[error("cannot tokenize the prompts")]
    Tokenize(#[source] TokenizeError),
    /// The bundle is refused or cannot be written.
    #[error(transparent)]
    Write(#[from] WriteBundleError),
}

/// Why a new bundle does not work.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TryOutError {
    /// It cannot be loaded.
    #[error("the bundle cannot be opened again")]
    Open(#[from] LoadError),
    /// No radiograph can be drawn.
    #[error(transparent)]
    Phantom(#[from] PhantomError),
    /// An image cannot be made the model's input.
    #[error(transparent)]
    Preprocess(#[from] PreprocessError),
    /// It cannot be run.
    #[error("the bundle cannot score an image")]
    Score(#[from] EncodeError),
}
