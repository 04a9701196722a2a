//! Which files a search takes for films.

use std::io;
use std::path::{Path, PathBuf};

use medclip_core::causes::with_causes;
use medclip_decode::Format;
use thiserror::Error;

use super::{InputOptions, Nature, expand};
use crate::source::Source;

impl InputOptions {
    /// A search for films: DICOM, JPEG and PNG files by their content, those of other formats by their extension.
    pub fn films() -> Self {
        let extensions = Format::ALL.into_iter().flat_map(|format| format.extensions().iter().copied());
        Self { extensions: extensions.map(str::to_owned).collect(), by_start: Some(nature), portion: None }
    }
}

fn nature(start: &[u8]) -> Nature {
    if let Some(kind) = medclip_decode::holds_no_image(start) {
        return Nature::NoFilm(kind);
    }
    match Format::recognize(start) {
        Some(Format::Dicom) if is_surely_dicom(start) => Nature::Film,
        Some(Format::Dicom) => Nature::Perhaps,
        Some(Format::Jpeg) if start.get(2) != Some(&0xff) => Nature::Unknown,
        Some(format) if format.is_found_by_content() => Nature::Film,
        _ => Nature::Unknown,
    }
}

/// By the magic behind the preamble, or two letters where a first element has its representation. Other files without
/// preamble are told by a few small numbers alone.
fn is_surely_dicom(start: &[u8]) -> bool {
    let has_magic = start.get(128..132) == Some(b"DICM");
    has_magic || start.get(4..6).is_some_and(|letters| letters.iter().all(u8::is_ascii_uppercase))
}

/// A directory whose films cannot be taken.
#[derive(Debug, Error)]
#[error("{}: {reason}", path.display())]
pub struct FilmsError {
    /// The film, or the directory.
    pub path: PathBuf,
    /// Why it cannot be taken.
    pub reason: String,
}

/// The files of the films below a directory, sorted by name level by level.
///
/// # Errors
/// [`FilmsError`] for the first that is not there, or lies in an archive.
pub fn films_below(directory: &Path) -> Result<Vec<PathBuf>, FilmsError> {
    let mut found = Vec::new();
    let mut push = |source: Source| {
        found.push(source);
        Ok(())
    };
    let failed = |path: &Path, reason: &str| FilmsError { path: path.to_owned(), reason: reason.to_owned() };
    expand(&[directory.to_owned()], &InputOptions::films(), &mut io::empty(), &mut push)
        .map_err(|error| failed(directory, &with_causes(&error)))?;
    let file = |source: Source| match (source.problem, source.member) {
        (Some(problem), _) => Err(failed(&source.path, &problem.message)),
        (None, Some(_)) => {
            Err(failed(&source.path, "lies in an archive, which is not opened here: unpack it first"))
        }
        (None, None) => Ok(source.path),
    };
    found.into_iter().map(file).collect()
}
