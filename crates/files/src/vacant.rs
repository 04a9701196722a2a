//! Places that must not be written over unasked.

use std::path::{Path, PathBuf};

use thiserror::Error;

/// There is something where a result is to be, and it was not asked to be replaced.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{} already exists", path.display())]
pub struct AlreadyThere {
    /// What is there.
    pub path: PathBuf,
}

/// Fails where a file or directory would be overwritten unasked. What works for hours before it writes asks this first.
///
/// # Errors
/// [`AlreadyThere`].
pub fn check_vacant(path: &Path, replace: bool) -> Result<(), AlreadyThere> {
    if path.exists() && !replace {
        return Err(AlreadyThere { path: path.to_owned() });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_is_only_replaced_when_asked() {
        let directory = tempfile::tempdir().unwrap();
        let there = directory.path();
        assert_eq!(check_vacant(there, false), Err(AlreadyThere { path: there.to_owned() }));
        assert_eq!(check_vacant(there, true), Ok(()));
        assert_eq!(check_vacant(&there.join("new"), false), Ok(()));
    }
}
