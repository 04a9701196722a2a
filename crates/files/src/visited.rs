//! Directories of a search, each once.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The directories that a search has come to, so that each is searched once, whatever number of links leads to it: one below the
/// start under its own name, another under the first of its names.
#[derive(Debug)]
pub struct Visited {
    /// Where the search began, without links.
    root: Option<PathBuf>,
    seen: HashSet<DirectoryIdentity>,
}

impl Visited {
    /// A search that begins at `root`.
    pub fn new(root: &Path) -> Self {
        Self { root: fs::canonicalize(root).ok(), seen: HashSet::new() }
    }

    /// Whether the directory at `path`, which may be a link to one, is to be searched under this name. One whose identity cannot
    /// be told is: the error comes when it is read.
    pub fn is_first(&mut self, path: &Path, is_link: bool) -> bool {
        if is_link && let (Ok(real), Some(root)) = (fs::canonicalize(path), &self.root) {
            // It has a name of its own in this search.
            if real.starts_with(root) && real != *root {
                return false;
            }
        }
        identity(path).is_none_or(|identity| self.seen.insert(identity))
    }
}

/// What tells a directory from every other.
#[cfg(unix)]
type DirectoryIdentity = (u64, u64);
#[cfg(not(unix))]
type DirectoryIdentity = PathBuf;

#[cfg(unix)]
fn identity(path: &Path) -> Option<DirectoryIdentity> {
    use std::os::unix::fs::MetadataExt;
    fs::metadata(path).ok().map(|metadata| (metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn identity(path: &Path) -> Option<DirectoryIdentity> {
    fs::canonicalize(path).ok()
}
