//! Files below a directory.

use std::path::Path;

use medclip_files::{Visited, open_regular};
use walkdir::WalkDir;

use super::members::{self, Container};
use super::nature::{Judgment, judge};
use super::{InputError, Inputs, nature_of};
use crate::source::Source;
use medclip_core::name;
use medclip_scorer::Failure;

/// Every wanted file below `directory`, sorted by name level by level; of archives, their wanted members.
///
/// Every directory is searched once, whatever number of links leads to it: one below `directory` under its own name, another under
/// the first of its names.
pub(super) fn below(directory: &Path, inputs: &mut Inputs<'_>) -> Result<(), InputError> {
    let taken = inputs.taken;
    let mut visited = Visited::new(directory);
    let mut entries = WalkDir::new(directory).follow_links(true).sort_by_file_name().into_iter();
    while let Some(entry) = entries.next() {
        match entry {
            Ok(entry) if entry.file_type().is_dir() => {
                if !visited.is_first(entry.path(), entry.depth() > 0 && entry.path_is_symlink()) {
                    entries.skip_current_dir();
                    inputs.repeated(entry.path());
                }
            }
            Ok(entry) if entry.file_type().is_file() => file(directory, entry.path(), inputs)?,
            Ok(entry) => {
                let special = Judgment::NoFilm("device, socket or pipe".into());
                inputs.judged(special, || Source::file(entry.path()))?;
            }
            Err(error) => {
                let path = error.path().unwrap_or(directory).to_owned();
                inputs.take(Source::missing(path, Failure::new("walk", error)))?;
            }
        }
    }
    if inputs.taken == taken {
        inputs.take(Source::missing(directory, Failure::new("no_match", "no image in this directory")))?;
    }
    Ok(())
}

fn file(directory: &Path, path: &Path, inputs: &mut Inputs<'_>) -> Result<(), InputError> {
    let below = path.strip_prefix(directory).unwrap_or(path);
    let name = name::escape(below.as_os_str().as_encoded_bytes());
    let judgment = judge(&name, inputs.options, |tells| nature_of(open_regular(path)?, tells));
    match (Container::of(path), judgment) {
        // An archive is opened unless it lies among what systems leave behind.
        (Some(container), Judgment::Other(_)) => members::found(path, container, inputs),
        (_, judgment) => inputs.judged(judgment, || Source::file(path)),
    }
}
