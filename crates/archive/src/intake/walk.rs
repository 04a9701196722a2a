//! Files below a directory.

use std::fs::File;
use std::path::Path;

use walkdir::WalkDir;

use super::{IntakeError, IntakeOptions, Sink, is_wanted, start_of};
use crate::failure::Failure;
use crate::source::Source;

/// Every wanted file below `directory`, sorted by name level by level.
pub(super) fn below(
    directory: &Path,
    options: &IntakeOptions,
    sink: &mut Sink<'_>,
) -> Result<(), IntakeError> {
    let mut is_empty = true;
    for entry in WalkDir::new(directory).follow_links(true).sort_by_file_name() {
        match entry {
            Ok(entry) if entry.file_type().is_file() && is_file_wanted(entry.path(), options) => {
                sink(Source::file(entry.path()))?;
            }
            Ok(_) => continue,
            Err(error) => {
                let path = error.path().unwrap_or(directory).to_owned();
                sink(Source::missing(path, Failure::new("walk", error)))?;
            }
        }
        is_empty = false;
    }
    if is_empty {
        sink(Source::missing(directory, Failure::new("no_match", "no image in this directory")))?;
    }
    Ok(())
}

fn is_file_wanted(path: &Path, options: &IntakeOptions) -> bool {
    is_wanted(path, options, || start_of(File::open(path)?))
}
