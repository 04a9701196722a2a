//! Where a bundle is to be.

use std::path::{Path, PathBuf};

use thiserror::Error;

/// There is something where a bundle is to be, and it was not asked to be replaced.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{} already exists", path.display())]
pub struct TargetError {
    /// What is there.
    pub path: PathBuf,
}

/// Fails where a directory would be overwritten unasked. Every operation that writes a bundle asks this first, before it
/// works for hours.
///
/// # Errors
/// [`TargetError`].
pub fn check_target(path: &Path, replace: bool) -> Result<(), TargetError> {
    if path.exists() && !replace {
        return Err(TargetError { path: path.to_owned() });
    }
    Ok(())
}
