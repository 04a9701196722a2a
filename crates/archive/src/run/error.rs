//! Why a run cannot begin or go on.

use std::io;
use std::path::{Path, PathBuf};

use medclip_files::{Holder, LockError, StagingError};
use thiserror::Error;

use super::VERSION;
use crate::inputs::InputError;

/// Why whoever watches a run cannot take a report.
pub type Watched = Box<dyn std::error::Error + Send + Sync>;

/// Why a run cannot begin or go on.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RunError {
    /// The inputs cannot be listed.
    #[error(transparent)]
    Inputs(#[from] InputError),
    /// Whoever watches the run cannot take a report. Rows of its file do not count.
    #[error(transparent)]
    Observed(Watched),
    /// Something cannot be written.
    #[error("cannot write {source}")]
    Write {
        /// The file, and the reason.
        #[from]
        source: StagingError,
    },
    /// Something cannot be read.
    #[error("{}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// There are results already.
    #[error("{} is there already: continue that run, or name another place", path.display())]
    Exists {
        /// The directory or file.
        path: PathBuf,
    },
    /// The one file of a finished run is not where it was written.
    #[error(
        "{} was written and is not there any more (moved or deleted), but {} still says that the run is finished: \
         delete {} to score again",
        file.display(), record.display(), record.display()
    )]
    Moved {
        /// The file that is gone.
        file: PathBuf,
        /// The directory of the run's record, beside the file. Deleting it lets the run begin again.
        record: PathBuf,
    },
    /// A run that another version of this program began.
    #[error(
        "{} was begun by another version of this program, which wrote other files (form {found}, this program writes \
         {VERSION}): finish it with that version, or delete it to score again",
        path.display()
    )]
    Version {
        /// The run's directory.
        path: PathBuf,
        /// Its form.
        found: u32,
    },
    /// A directory of something else.
    #[error("{} is not empty and holds no run", path.display())]
    NotARun {
        /// The directory.
        path: PathBuf,
    },
    /// Another process is at work on it.
    #[error("another process is at work on {}{}", path.display(), told(holder.as_ref(), claim.as_deref()))]
    Locked {
        /// The run's directory.
        path: PathBuf,
        /// Which process that is, where it could be read.
        holder: Option<Holder>,
        /// The file that is left behind if that process was killed, on file systems without locks.
        claim: Option<PathBuf>,
    },
    /// Not the run that was asked for.
    #[error("{} is another run: {}", path.display(), differences.join("; "))]
    Differs {
        /// The run's directory.
        path: PathBuf,
        /// The settings that differ, each with both values.
        differences: Vec<String>,
    },
    /// Something in the directory is not as it was left.
    #[error("{} is damaged: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The damage.
        reason: String,
    },
}

impl RunError {
    /// Whether the run on disk is another one, or cannot be continued.
    pub(super) const fn is_of_another_run(&self) -> bool {
        matches!(self, Self::Differs { .. } | Self::Damaged { .. } | Self::Version { .. })
    }

    pub(super) fn damaged(path: impl Into<PathBuf>, reason: impl Into<String>) -> Self {
        Self::Damaged { path: path.into(), reason: reason.into() }
    }

    pub(super) fn read(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Read { path, source }
    }

    pub(super) fn write(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| StagingError { path, source }.into()
    }

    pub(super) fn of_lock(directory: &Path) -> impl FnOnce(LockError) -> Self {
        let directory = directory.to_owned();
        move |error| match error {
            LockError::Held { holder, claim, .. } => Self::Locked { path: directory, holder, claim },
            LockError::Io { path, source } => StagingError { path, source }.into(),
            error => StagingError { path: directory, source: io::Error::other(error) }.into(),
        }
    }
}

fn told(holder: Option<&Holder>, claim: Option<&Path>) -> String {
    let holder = holder.map_or_else(String::new, |holder| format!(": {holder}"));
    let claim = claim
        .map_or_else(String::new, |claim| format!(" (if that process is gone, delete {})", claim.display()));
    holder + &claim
}
