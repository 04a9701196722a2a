//! Why a file was not read.

use std::io;

use thiserror::Error;

/// Why a file was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FileFault {
    /// Something else than a regular file.
    #[error("it is {kind}; only regular files are read here")]
    NotRegular {
        /// What it is: `a directory`, `a named pipe` …
        kind: &'static str,
    },
    /// Something that a person typed and that is neither a regular file nor a pipe.
    #[error("it is {kind}; only regular files and pipes are read here")]
    NotReadable {
        /// What it is.
        kind: &'static str,
    },
    /// A pipe without a writer.
    #[error("it is a pipe that nobody writes into")]
    NoWriter,
    /// More bytes than a file of its kind may have.
    #[error("it has more than {limit} bytes, the most that are read of such a file")]
    TooLarge {
        /// Most bytes.
        limit: u64,
    },
    /// A line without end.
    #[error("line {line} has more than {limit} bytes; this is not a list of names")]
    LongLine {
        /// The line, from 1.
        line: u64,
        /// Most bytes of a line.
        limit: usize,
    },
    /// A NUL, which no name and no text has.
    #[error("line {line} contains a NUL byte; this is not a list of names")]
    Nul {
        /// The line, from 1.
        line: u64,
    },
}

impl FileFault {
    /// The fault that an error holds, if it came from this module.
    pub fn of(error: &io::Error) -> Option<Self> {
        error.get_ref().and_then(|inner| inner.downcast_ref::<Self>()).copied()
    }
}

impl From<FileFault> for io::Error {
    fn from(fault: FileFault) -> Self {
        Self::new(io::ErrorKind::InvalidInput, fault)
    }
}
