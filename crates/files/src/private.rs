//! Directories of caches.

use std::fs::DirBuilder;
use std::io;
use std::path::Path;

/// Makes a directory, and those above it that are missing, which only its owner may enter. One that is there stays as it is.
///
/// # Errors
/// The system's.
pub fn make_private(directory: impl AsRef<Path>) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory)
}
