//! Paths from a table.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use medclip_data::{Column, Kind, Place, Table, TableError};
use thiserror::Error;

use super::InputError;

/// The column that is read.
const COLUMN: &str = "path";

/// Endings of files that are tables of films.
const ENDINGS: [&str; 5] = [".csv", ".tsv", ".parquet", ".csv.gz", ".tsv.gz"];

/// Why a manifest was refused.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// The file, its column `path`, or a row.
    #[error(transparent)]
    Table(#[from] TableError),
    /// A row names no file.
    #[error("{place}: column `path` is blank; name a file or remove the row")]
    Blank {
        /// The row.
        place: Place,
    },
}

impl ManifestError {
    /// As [`TableError::unnamed`].
    pub fn unnamed(&self) -> String {
        match self {
            Self::Table(error) => error.unnamed(),
            Self::Blank { .. } => self.to_string(),
        }
    }
}

/// Whether a file is a table of films, by its name.
pub(super) fn is_one(path: &Path) -> bool {
    let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default().to_ascii_lowercase();
    ENDINGS.iter().any(|ending| name.ends_with(ending))
}

/// Hands every path on, relative ones seen from the manifest's directory. Rows without any cell are left out.
pub(super) fn read(
    manifest: &Path,
    each: &mut dyn FnMut(PathBuf) -> Result<(), InputError>,
) -> Result<(), InputError> {
    let fail = |source| InputError::Manifest { path: manifest.to_owned(), source };
    let directory = manifest.parent().unwrap_or(Path::new(""));
    let columns = [Column::required(COLUMN, Kind::Name)];
    for row in Table::open(manifest, &columns).map_err(|error| fail(error.into()))? {
        let row = row.map_err(|error| fail(error.into()))?;
        match row.filled(0) {
            Some(path) => each(directory.join(path))?,
            None if row.is_blank() => {}
            None => return Err(fail(ManifestError::Blank { place: row.place() })),
        }
    }
    Ok(())
}
