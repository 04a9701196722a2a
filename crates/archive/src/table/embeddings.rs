//! Embeddings read back from the Parquet files of a run.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use medclip_core::guard::catch_quietly;
use medclip_data::ParquetFile;
use medclip_files::open_regular;
use parquet::errors::ParquetError;
use parquet::file::reader::FileReader;
use parquet::record::reader::RowIter;
use parquet::record::{Field, ListAccessor};
use parquet::schema::types::Type;
use thiserror::Error;

use super::parquet::{MODEL, OPTIONS};

/// Columns that are read.
const COLUMNS: [&str; 3] = ["path", "model_id", "embedding"];

/// Why a file gave no embeddings.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EmbeddingsError {
    /// It cannot be opened.
    #[error("{} cannot be opened", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// Not a Parquet file, or a damaged one.
    #[error("{} is not a readable Parquet file", path.display())]
    Parquet {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A column of rows with embeddings is not there.
    #[error("{} has no column `{column}` of the kind that scoring with embeddings writes", path.display())]
    Column {
        /// The file.
        path: PathBuf,
        /// The column.
        column: &'static str,
    },
}

/// What the Parquet files of a run say of all their rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Described {
    /// Name of the model.
    pub model: Option<String>,
    /// Options of the run by name ([`Settings::options`](crate::Settings::options)); none in files of earlier versions.
    pub options: Option<BTreeMap<String, String>>,
}

/// What a file of rows says of all of them.
///
/// # Errors
/// [`EmbeddingsError`] when it cannot be read.
pub fn describe_embeddings(path: &Path) -> Result<Described, EmbeddingsError> {
    let file =
        open_regular(path).map_err(|source| EmbeddingsError::Open { path: path.to_owned(), source })?;
    let said = guarded(path, || {
        let reader = ParquetFile::open(file)?;
        Ok(reader.metadata().file_metadata().key_value_metadata().cloned().unwrap_or_default())
    })?;
    let value = |key: &str| said.iter().find(|pair| pair.key == key).and_then(|pair| pair.value.clone());
    let options = value(OPTIONS).map(|options| serde_json::from_str(&options)).transpose();
    let options = options
        .map_err(|source| EmbeddingsError::Parquet { path: path.to_owned(), source: source.into() })?;
    Ok(Described { model: value(MODEL), options })
}

/// Hands path, model id and embedding of every row that has one to `each`, in order; returns how many rows had none.
///
/// # Errors
/// [`EmbeddingsError`] when the file cannot be read or has not these columns, and the first error of `each`.
pub fn read_embeddings<E: From<EmbeddingsError>>(
    path: &Path,
    mut each: impl FnMut(&str, &str, &[f32]) -> Result<(), E>,
) -> Result<u64, E> {
    let file =
        open_regular(path).map_err(|source| EmbeddingsError::Open { path: path.to_owned(), source })?;
    let mut rows = guarded(path, || open(file))?.map_err(|column| missing(path, column))?;
    let mut without = 0;
    let mut embedding = Vec::new();
    while let Some(row) = guarded(path, || rows.next().transpose())? {
        let (mut id, mut model) = (None, None);
        let mut is_null = false;
        embedding.clear();
        for (name, field) in row.get_column_iter() {
            match (name.as_str(), field) {
                ("path", Field::Str(text)) => id = Some(text),
                ("model_id", Field::Str(text)) => model = Some(text),
                ("embedding", Field::Null) => is_null = true,
                ("embedding", Field::ListInternal(list)) => {
                    for position in 0..list.len() {
                        let value = list.get_float(position).map_err(|_| missing(path, "embedding"))?;
                        embedding.push(value);
                    }
                }
                _ => {}
            }
        }
        let id = id.ok_or_else(|| missing(path, "path"))?;
        let model = model.ok_or_else(|| missing(path, "model_id"))?;
        if is_null {
            without += 1;
        } else if embedding.is_empty() {
            return Err(missing(path, "embedding").into());
        } else {
            each(id, model, &embedding)?;
        }
    }
    Ok(without)
}

fn missing(path: &Path, column: &'static str) -> EmbeddingsError {
    EmbeddingsError::Column { path: path.to_owned(), column }
}

/// The rows, or the column that is missing.
fn open(file: std::fs::File) -> Result<Result<RowIter<'static>, &'static str>, ParquetError> {
    let reader = ParquetFile::open(file)?;
    let schema = reader.metadata().file_metadata().schema();
    let mut fields = Vec::new();
    for column in COLUMNS {
        match schema.get_fields().iter().find(|field| field.name() == column) {
            Some(field) => fields.push(Arc::clone(field)),
            None => return Ok(Err(column)),
        }
    }
    let projection = Type::group_type_builder(schema.name()).with_fields(fields).build()?;
    Ok(Ok(RowIter::from_file_into(Box::new(reader)).project(Some(projection))?))
}

/// Damaged files can make the reader panic, and that is an error like any other.
fn guarded<T>(path: &Path, run: impl FnOnce() -> Result<T, ParquetError>) -> Result<T, EmbeddingsError> {
    let fail = |source| EmbeddingsError::Parquet { path: path.to_owned(), source };
    match catch_quietly(run) {
        Ok(result) => result.map_err(|error| fail(error.into())),
        Err(_) => Err(fail("the reader gave up on it".into())),
    }
}
