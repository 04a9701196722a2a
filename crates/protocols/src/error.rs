//! Why films could not be evaluated.

use std::path::PathBuf;

use medclip_core::stop::Stopped;
use medclip_data::{ManifestError, SelectionError};
use medclip_decode::Reason;
use medclip_runtime::EncodeError;
use medclip_stats::BootstrapError;
use thiserror::Error;

/// Why one film was left out.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FilmError {
    /// The file gives no image.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: Reason,
    },
    /// The path gives no image, for a reason in words.
    #[error("cannot read {}: {problem}", path.display())]
    Unreadable {
        /// The path.
        path: PathBuf,
        /// Why it gives none.
        problem: String,
    },
    /// The model could not embed the image.
    #[error("cannot embed {}", path.display())]
    Embed {
        /// The file.
        path: PathBuf,
        /// Why.
        source: EncodeError,
    },
    /// A panic while the film was decoded or embedded.
    #[error("cannot use {}: a fault in medclip", path.display())]
    Fault {
        /// The file.
        path: PathBuf,
    },
}

/// Why an evaluation could not be done, whatever its protocol.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EvaluationError {
    /// The manifest cannot be read.
    #[error("cannot use manifest {}", path.display())]
    Manifest {
        /// The manifest.
        path: PathBuf,
        /// What is wrong with it.
        source: ManifestError,
    },
    /// The manifest does not have the films that were asked for.
    #[error("cannot use manifest {}", path.display())]
    Selection {
        /// The manifest.
        path: PathBuf,
        /// What it lacks.
        source: SelectionError,
    },
    /// Every film failed.
    #[error("{}: none of the {count} images chosen could be read", manifest.display())]
    NoFilm {
        /// The manifest.
        manifest: PathBuf,
        /// Films that were tried.
        count: usize,
    },
    /// A sentence could not be embedded.
    #[error("cannot embed the sentences")]
    Sentences(#[source] EncodeError),
    /// No class of the model is one of the 14 findings, so that annotations say nothing of its scores.
    #[error("none of the model's classes is a finding")]
    NoFinding,
    /// A choice among fewer than two classes.
    #[error("at least two classes are needed, got {got}")]
    TooFewClasses {
        /// Names of the classes, `A, B`.
        got: String,
    },
    /// The bootstrap cannot make intervals.
    #[error(transparent)]
    Resampling(#[from] BootstrapError),
    /// The caller asked it to stop.
    #[error("stopped before the end, as was asked")]
    Stopped(#[from] Stopped),
    /// A panic in a thread of the evaluation.
    #[error("a fault in medclip while {0}")]
    Fault(&'static str),
}
