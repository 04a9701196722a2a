//! Rows of Parquet: a row group a shard.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;

use parquet::errors::ParquetError;
use parquet::file::reader::FileReader;
use parquet::record::{Field, List};

use super::super::columns::id_columns;
use super::super::parquet::schema;
use super::{codes, remarks, unfit};
use crate::run::Settings;
use medclip_data::ParquetFile;
use medclip_decode::Identity;
use medclip_scorer::Failure;
use medclip_scorer::{Report, Schema, Scores};

pub(super) fn read(
    settings: &Settings,
    file: &Path,
    sink: &mut dyn FnMut(Vec<Report>) -> io::Result<()>,
) -> io::Result<()> {
    let reader = ParquetFile::open(File::open(file)?).map_err(io::Error::other)?;
    let expected = schema(&settings.schema).map_err(io::Error::other)?;
    if reader.metadata().file_metadata().schema().get_fields() != expected.get_fields() {
        return Err(unfit("it has other columns"));
    }
    let schema = Arc::new(settings.schema.clone());
    for group in 0..reader.num_row_groups() {
        sink(rows(&schema, &reader, group).map_err(io::Error::other)?)?;
    }
    Ok(())
}

fn rows(schema: &Arc<Schema>, reader: &ParquetFile, group: usize) -> Result<Vec<Report>, ParquetError> {
    reader.get_row_group(group)?.get_row_iter(None)?.map(|record| row(schema, &record?)).collect()
}

/// The columns of [`schema`], one after the other.
fn row(shared: &Arc<Schema>, record: &parquet::record::Row) -> Result<Report, ParquetError> {
    let columns = &**shared;
    let mut fields = record.get_column_iter().map(|(_, field)| field);
    let mut next = || fields.next().ok_or_else(|| ParquetError::General("a column too few".to_owned()));
    let path = text(next()?)?;
    let mut identity = Identity::default();
    for column in id_columns(columns) {
        *(column.field)(&mut identity) = text(next()?)?;
    }
    for expected in [&columns.model, &columns.model_id, &columns.engine] {
        if text(next()?)?.as_ref() != Some(expected) {
            return Err(ParquetError::General("a row is of another model".to_owned()));
        }
    }
    let qc = codes(&texts(next()?)?).map_err(|error| ParquetError::External(error.into()))?;
    let notes = remarks(texts(next()?)?);
    let (kind, message) = (text(next()?)?, text(next()?)?);
    let mut numbers = Vec::new();
    for _ in 0..2 * columns.classes.len() {
        numbers.extend(number(next()?)?);
    }
    let embedding = match columns.embedding_dim {
        Some(_) => match next()? {
            Field::Null => None,
            field => Some(
                list(field)?
                    .elements()
                    .iter()
                    .filter_map(|field| number(field).transpose())
                    .collect::<Result<_, _>>()?,
            ),
        },
        None => None,
    };
    let outcome = match kind {
        Some(kind) => Err(Failure { kind: kind.into(), message: message.unwrap_or_default() }),
        None if numbers.len() == 2 * columns.classes.len() => {
            let findings = numbers.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect();
            Ok(Scores { findings, embedding, maps: None })
        }
        None => return Err(ParquetError::General("a row lacks scores".to_owned())),
    };
    Ok(Report { schema: Arc::clone(shared), path, identity, qc, notes, outcome })
}

fn text(field: &Field) -> Result<Option<String>, ParquetError> {
    match field {
        Field::Null => Ok(None),
        Field::Str(text) => Ok(Some(text.clone())),
        _ => Err(ParquetError::General("a text is none".to_owned())),
    }
}

fn number(field: &Field) -> Result<Option<f32>, ParquetError> {
    match field {
        Field::Null => Ok(None),
        Field::Float(number) => Ok(Some(*number)),
        _ => Err(ParquetError::General("a number is none".to_owned())),
    }
}

fn list(field: &Field) -> Result<&List, ParquetError> {
    match field {
        Field::ListInternal(list) => Ok(list),
        _ => Err(ParquetError::General("a list is none".to_owned())),
    }
}

fn texts(field: &Field) -> Result<Vec<String>, ParquetError> {
    list(field)?.elements().iter().filter_map(|field| text(field).transpose()).collect()
}
