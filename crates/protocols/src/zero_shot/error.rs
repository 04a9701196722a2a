//! Why a zero-shot evaluation could not be done.

use std::path::PathBuf;

use medclip_core::bank::BankError;
use medclip_core::batch::EmbeddingsError;
use medclip_core::prompt::PromptError;
use thiserror::Error;

use crate::charts::ChartError;
use crate::error::EvaluationError;

/// Why a zero-shot evaluation could not be done.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ZeroShotError {
    /// The films or the model cannot be used.
    #[error(transparent)]
    Evaluation(#[from] EvaluationError),
    /// A file of prompts cannot be read.
    #[error("cannot use prompts {}", path.display())]
    Prompts {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: PromptError,
    },
    /// A file of prompts has no class that films are annotated for.
    #[error("cannot use prompts {}: none of its classes is a finding", path.display())]
    NoFinding {
        /// The file.
        path: PathBuf,
    },
    /// The embedded prompts form no bank.
    #[error("cannot use the prompts")]
    Bank(#[from] BankError),
    /// The embeddings differ in width.
    #[error("cannot use the prompts")]
    Embeddings(#[from] EmbeddingsError),
    /// One of several findings could not be chosen.
    #[error(transparent)]
    Balance(#[from] BalanceError),
    /// A chart could not be drawn.
    #[error(transparent)]
    Chart(#[from] ChartError),
}

/// Why one of several findings could not be chosen.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BalanceError {
    /// The classes or the intervals are invalid.
    #[error(transparent)]
    Evaluation(#[from] EvaluationError),
    /// A class that no film shows alone.
    #[error("no image has {finding} and none of the other classes")]
    NoFilm {
        /// The class.
        finding: &'static str,
    },
    /// A class without prompts.
    #[error("no prompts of {finding}")]
    NoPrompts {
        /// The class.
        finding: &'static str,
    },
    /// A film for which no class is the largest.
    #[error("a logit is not a number")]
    NotANumber,
}
