//! Why an index is refused, or cannot be read any more.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::file::VERSION;

/// Why an index was refused.
#[derive(Debug, Error)]
#[error("{}: {reason}", path.display())]
pub struct OpenError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub reason: OpenReason,
}

/// What is wrong with an index.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OpenReason {
    /// The system could not read it.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// Not an index.
    #[error("is not an index of medclip")]
    NotAnIndex,
    /// Of another version.
    #[error("is of version {0}, this program reads 1 to {VERSION}: build it again")]
    Version(u32),
    /// Its parts do not fit.
    #[error("is damaged: {0}")]
    Damaged(&'static str),
    /// A byte has changed.
    #[error("has changed since it was written (its SHA-256 differs): build it again")]
    Changed,
    /// A machine whose numbers have another byte order.
    #[error("cannot be read on a big-endian machine")]
    ByteOrder,
}

impl OpenReason {
    /// The reason in the words of whoever opens an index.
    pub(super) fn explained(self) -> Self {
        match self {
            Self::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                Self::Damaged("it became shorter while it was read")
            }
            other => other,
        }
    }
}

/// Why a part of an open index cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The file became shorter.
    #[error("{} became shorter while it was read; build it again", path.display())]
    Truncated {
        /// The file.
        path: PathBuf,
    },
    /// The file was written to.
    #[error("{} was changed while it was read; build it again", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// The system could not read it.
    #[error("cannot read {}: {reason}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: String,
    },
}
