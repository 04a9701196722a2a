//! Why something could not be written.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// A file or directory that could not be written, replaced or removed.
#[derive(Debug, Error)]
#[error("{}", path.display())]
pub struct StagingError {
    /// What could not be written.
    pub path: PathBuf,
    /// The reason: the system's, or a [`Foreign`](crate::Foreign).
    pub source: io::Error,
}

pub(crate) fn at(path: &Path) -> impl FnOnce(io::Error) -> StagingError {
    let path = path.to_owned();
    move |source| StagingError { path, source }
}
