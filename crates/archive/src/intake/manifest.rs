//! Paths from a table.

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
use parquet::record::reader::RowIter;
use parquet::schema::types::Type;
use thiserror::Error;

use super::{IntakeError, has_extension};

/// The column that is read.
const COLUMN: &str = "path";

/// Why a manifest was refused.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// It cannot be opened.
    #[error("cannot be opened")]
    Open(#[from] std::io::Error),
    /// Not a CSV file with equally long rows.
    #[error("is not a readable CSV file")]
    Csv(#[from] csv::Error),
    /// Not a Parquet file, or a damaged one.
    #[error("is not a readable Parquet file")]
    Parquet(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// No column of paths.
    #[error("has no column `path`")]
    MissingColumn,
    /// A row names no file.
    #[error("row {row} of the data has no text in its column `path`")]
    Blank {
        /// The row, from 1.
        row: u64,
    },
}

/// Hands every path on, relative ones seen from the manifest's directory.
pub(super) fn read(
    manifest: &Path,
    each: &mut dyn FnMut(PathBuf) -> Result<(), IntakeError>,
) -> Result<(), IntakeError> {
    let fail = |source| IntakeError::Manifest { path: manifest.to_owned(), source };
    let paths = if has_extension(manifest, "parquet") { parquet(manifest) } else { csv(manifest) };
    let directory = manifest.parent().unwrap_or(Path::new(""));
    for (index, path) in paths.map_err(fail)?.enumerate() {
        match path.map_err(fail)? {
            Some(path) if !path.is_empty() => each(directory.join(path))?,
            _ => return Err(fail(ManifestError::Blank { row: index as u64 + 1 })),
        }
    }
    Ok(())
}

type Paths = Box<dyn Iterator<Item = Result<Option<String>, ManifestError>>>;

fn csv(manifest: &Path) -> Result<Paths, ManifestError> {
    let mut reader = csv::Reader::from_reader(File::open(manifest)?);
    let column = reader.headers()?.iter().position(|name| name.trim() == COLUMN);
    let column = column.ok_or(ManifestError::MissingColumn)?;
    let path = move |row: csv::StringRecord| row.get(column).map(|cell| cell.trim().to_owned());
    Ok(Box::new(reader.into_records().map(move |row| Ok(row.map(path)?))))
}

fn parquet(manifest: &Path) -> Result<Paths, ManifestError> {
    let file = File::open(manifest)?;
    let mut rows = guarded(|| open(file))?.ok_or(ManifestError::MissingColumn)?;
    Ok(Box::new(std::iter::from_fn(move || {
        let row = match guarded(|| rows.next().transpose()) {
            Ok(row) => row?,
            Err(error) => return Some(Err(error)),
        };
        let path = row.get_column_iter().next().and_then(|(_, field)| match field {
            Field::Str(text) => Some(text.clone()),
            _ => None,
        });
        Some(Ok(path))
    })))
}

/// The column's rows; `None` without such a column.
fn open(file: File) -> Result<Option<RowIter<'static>>, ParquetError> {
    let reader = SerializedFileReader::new(file)?;
    let schema = reader.metadata().file_metadata().schema();
    let Some(column) = schema.get_fields().iter().find(|field| field.name() == COLUMN) else {
        return Ok(None);
    };
    let projection = Type::group_type_builder(schema.name()).with_fields(vec![Arc::clone(column)]).build()?;
    Ok(Some(RowIter::from_file_into(Box::new(reader)).project(Some(projection))?))
}

/// Damaged files can make the reader panic, and that is an error like any other.
fn guarded<T>(run: impl FnOnce() -> Result<T, ParquetError>) -> Result<T, ManifestError> {
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(result) => result.map_err(|error| ManifestError::Parquet(error.into())),
        Err(_) => Err(ManifestError::Parquet("the reader gave up on it".into())),
    }
}
