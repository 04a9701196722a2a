//! Files below a directory.

use std::path::Path;

use medclip_files::{Visited, open_regular};
use walkdir::WalkDir;

use super::members::{self, Container};
use super::nature::{Judgement, judge};
use super::{Intake, IntakeError, nature_of};
use crate::source::Source;
use medclip_core::name;
use medclip_scorer::Failure;

/// Every wanted file below `directory`, sorted by name level by level; of archives, their wanted members.
///
/// Every directory is searched once, whatever number of links leads to it: one below `directory` under its own name, another under
/// the first of its names.
pub(super) fn below(directory: &Path, intake: &mut Intake<'_>) -> Result<(), IntakeError> {
    let taken = intake.taken;
    let mut visited = Visited::new(directory);
    let mut entries = WalkDir::new(directory).follow_links(true).sort_by_file_name().into_iter();
    while let Some(entry) = entries.next() {
        match entry {
            Ok(entry) if entry.file_type().is_dir() => {
                if !visited.is_first(entry.path(), entry.depth() > 0 && entry.path_is_symlink()) {
                    entries.skip_current_dir();
                    intake.repeated(entry.path());
                }
            }
            Ok(entry) if entry.file_type().is_file() => file(directory, entry.path(), intake)?,
            Ok(entry) => {
                let special = Judgement::NoFilm("device, socket or pipe".into());
                intake.judged(special, || Source::file(entry.path()))?;
            }
            Err(error) => {
                let path = error.path().unwrap_or(directory).to_owned();
                intake.take(Source::missing(path, Failure::new("walk", error)))?;
            }
        }
    }
    if intake.taken == taken {
        intake.take(Source::missing(directory, Failure::new("no_match", "no image in this directory")))?;
    }
    Ok(())
}

fn file(directory: &Path, path: &Path, intake: &mut Intake<'_>) -> Result<(), IntakeError> {
    let below = path.strip_prefix(directory).unwrap_or(path);
    let name = name::escape(below.as_os_str().as_encoded_bytes());
    let judgement = judge(&name, intake.options, |tells| nature_of(open_regular(path)?, tells));
    match (Container::of(path), judgement) {
        // An archive is opened unless it lies among what systems leave behind.
        (Some(container), Judgement::Other(_)) => members::found(path, container, intake),
        (_, judgement) => intake.judged(judgement, || Source::file(path)),
    }
}
