//! Inputs that a foreign file names, within a directory alone.

use std::fs;
use std::path::{Path, PathBuf};

use super::members::{Container, find, path_of};
use crate::source::Source;
use medclip_core::name;
use medclip_scorer::Failure;

/// The input that an id names, if it lies below `root`: a file, or a member `archive.zip!member`. Nothing outside of it is opened.
///
/// A relative id is looked for in `root`, then as seen from the current directory. Links and `..` are followed first: what counts
/// is where the file is.
///
/// # Errors
/// [`Failure`] of kind `io` when it is not there, is not a regular file, or lies elsewhere.
pub fn find_below(id: &str, root: &Path) -> Result<Source, Failure> {
    let root = fs::canonicalize(root).map_err(|error| Failure::new("io", error))?;
    let mut is_outside = false;
    let mut inside = |path: &Path| {
        let places = [root.join(path), path.to_owned()];
        let found: Vec<PathBuf> =
            places.into_iter().filter_map(|place| fs::canonicalize(place).ok()).collect();
        let place = found.iter().find(|place| place.starts_with(&root)).cloned();
        is_outside |= place.is_none() && !found.is_empty();
        place.filter(|place| place.is_file())
    };
    if let Some((archive, member)) = name::split_member(id)
        && let Some(path) = inside(&path_of(archive)?)
        && Container::of(&path).is_some()
    {
        return find(&format!("{}!{member}", name::of_path(&path)));
    }
    // As it was written, or as somebody typed it.
    let paths = [path_of(id)?, PathBuf::from(id)];
    match paths.iter().find_map(|path| inside(path)) {
        Some(path) => Ok(Source::file(path)),
        None if is_outside => {
            Err(Failure::new("io", "it lies outside of the directory that films are shown from"))
        }
        None => Err(Failure::new("io", "no file or member of an archive there has this name")),
    }
}
