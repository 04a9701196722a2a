//! Why training stopped or never began.

use std::fmt::Display;
use std::path::PathBuf;

use medclip_core::Finding;
use medclip_core::stop::Stopped;
use medclip_files::{LockError, StagingError};
use medclip_stats::FitError;
use thiserror::Error;

use crate::data::{DataError, ImagesError};

/// A failure of training.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TrainError {
    /// The caller asked it to stop.
    #[error("stopped before the end, as was asked")]
    Stopped(#[from] Stopped),
    /// A file could not be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A file whose contents make no sense.
    #[error("{}: {reason}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A file of weights to start from that cannot be read or is refused.
    #[error(transparent)]
    Weights(#[from] medclip_weights::TensorFileError),
    /// The same, for the names of its tensors.
    #[error(transparent)]
    Names(#[from] medclip_weights::names::NamesError),
    /// A setting that cannot work.
    #[error("{field}: {reason}")]
    Setting {
        /// The field of the training file.
        field: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// A setting whose file is refused.
    #[error("{field}")]
    File {
        /// The field of the training file.
        field: &'static str,
        /// What is wrong with the file.
        source: Box<TrainError>,
    },
    /// The output holds a run that was begun with something else.
    #[error(
        "{} holds a run with other settings or data: {}; choose another output, restore what differs, or remove that run",
        output.display(), differences.join("; ")
    )]
    OtherRun {
        /// Directory of the run.
        output: PathBuf,
        /// What differs: settings, files and rows by name.
        differences: Vec<String>,
    },
    /// Another training writes to the output.
    #[error("another training is at work")]
    Locked(#[from] LockError),
    /// The data were refused.
    #[error("training data")]
    Data(#[from] DataError),
    /// The cache of decoded images cannot be read any more.
    #[error(transparent)]
    Images(#[from] ImagesError),
    /// The tokenizer or a sentence.
    #[error(transparent)]
    Tokenize(#[from] medclip_core::tokenize::TokenizeError),
    /// The prompt file.
    #[error(transparent)]
    Prompt(#[from] medclip_core::prompt::PromptError),
    /// The embedded prompts.
    #[error("prompts")]
    Bank(#[from] medclip_core::bank::BankError),
    /// A batch for evaluation.
    #[error("preprocessing")]
    Preprocess(#[from] medclip_core::preprocess::PreprocessError),
    /// A thread that prepares batches is gone.
    #[error("a thread that prepares batches ended early")]
    Loader,
    /// A chart of the report.
    #[error("report")]
    Plot(#[from] medclip_plot::PlotError),
    /// The classifier that a fine-tune's head starts from.
    #[error("the classifier of {finding} that the head starts from")]
    Fit {
        /// The finding.
        finding: Finding,
        /// Why there is none.
        source: FitError,
    },
    /// The device of the training file.
    #[error("device")]
    Device(#[from] medclip_nn::DeviceError),
    /// A computation, most often a shape or a gradient that is not finite.
    #[error("computation")]
    Compute(#[from] candle_core::Error),
}

impl From<StagingError> for TrainError {
    fn from(StagingError { path, source }: StagingError) -> Self {
        Self::Io { path, source }
    }
}

impl TrainError {
    pub(crate) fn io(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, source }
    }

    /// Says which setting names the file that an error is about.
    pub(crate) fn of(field: &'static str) -> impl FnOnce(Self) -> Self {
        move |source| Self::File { field, source: Box::new(source) }
    }

    pub(crate) fn invalid(path: impl Into<PathBuf>, reason: impl Display) -> Self {
        Self::Invalid { path: path.into(), reason: reason.to_string() }
    }
}
