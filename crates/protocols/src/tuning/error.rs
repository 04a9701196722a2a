//! Why a checkpoint could not be fitted or saved.

use std::io;
use std::path::PathBuf;

use medclip_core::HeadError;
use medclip_core::prompt::PromptError;
use medclip_files::StagingError;
use medclip_runtime::{EncodeError, LoadError};
use medclip_train::TrainError;
use thiserror::Error;

use crate::error::{EvaluationError, FilmError};

/// Why a checkpoint could not be fitted.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TuningError {
    /// The films cannot be used.
    #[error(transparent)]
    Evaluation(#[from] EvaluationError),
    /// The checkpoint cannot be opened.
    #[error("cannot use the checkpoint")]
    Checkpoint(#[source] TrainError),
    /// The checkpoint's weights cannot be read.
    #[error("cannot use weights {}", path.display())]
    Weights {
        /// Their file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A setting is out of range, or no film can be read.
    #[error(transparent)]
    Setting(TrainError),
    /// The fit failed.
    #[error("cannot {what}")]
    Fit {
        /// Which fit.
        what: &'static str,
        /// Why.
        source: TrainError,
    },
    /// No finding has enough annotated films.
    #[error("with {fraction} of the patients no finding has {least} images of both outcomes to fit on")]
    NoFinding {
        /// Share of the patients.
        fraction: f64,
        /// Films of each outcome that a finding needs.
        least: usize,
    },
    /// A file of texts cannot be read.
    #[error("cannot use prompts {}", path.display())]
    Prompts {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: PromptError,
    },
    /// The bundle cannot be loaded.
    #[error("cannot load the model")]
    Load(#[from] LoadError),
    /// The bundle cannot embed a film.
    #[error(transparent)]
    Film(#[from] FilmError),
    /// The bundle is of another checkpoint.
    #[error("{} is not a bundle of this checkpoint: it embeds {} otherwise", bundle.display(), film.display())]
    OtherBundle {
        /// The bundle.
        bundle: PathBuf,
        /// A film that it embeds otherwise.
        film: PathBuf,
    },
    /// The classifiers form no head.
    #[error("cannot keep the classifiers")]
    Head(#[from] HeadError),
}

impl TuningError {
    /// Of a fit that failed or was stopped.
    pub(crate) fn of_fit(what: &'static str) -> impl Fn(TrainError) -> Self + Copy {
        move |source| match source {
            TrainError::Stopped(stopped) => Self::Evaluation(stopped.into()),
            source => Self::Fit { what, source },
        }
    }
}

/// Why a bundle could not be written.
pub type ExportError = Box<dyn std::error::Error + Send + Sync>;

/// Why a fine-tuned model was not saved.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SaveError {
    /// Nothing was fitted.
    #[error("nothing was fitted, so there is nothing to save")]
    Nothing,
    /// A file or the directory cannot be written.
    #[error(transparent)]
    Files(#[from] StagingError),
    /// The checkpoint cannot be written.
    #[error("cannot write the checkpoint")]
    Checkpoint(#[source] TrainError),
    /// The bundle cannot be written.
    #[error("cannot write the bundle")]
    Export(#[source] ExportError),
    /// The written bundle cannot be loaded.
    #[error("the bundle cannot be opened again")]
    Load(#[from] LoadError),
    /// The fitted classifiers form no head.
    #[error("cannot keep the classifiers")]
    Head(#[from] HeadError),
    /// The bundle cannot embed a film.
    #[error(transparent)]
    Film(#[from] FilmError),
    /// The saved model cannot score a film.
    #[error("cannot score with the saved model")]
    Score(#[from] EncodeError),
    /// The saved model gives other scores than were evaluated.
    #[error(
        "the saved model's scores differ from those evaluated by {difference:.1e}, at most {limit:.0e} is allowed"
    )]
    Differs {
        /// Largest difference of a log-odds.
        difference: f32,
        /// Largest difference allowed.
        limit: f32,
    },
}
