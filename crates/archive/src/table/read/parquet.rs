//! Rows of Parquet: a row group a shard.

use std::fs::File;
use std::io;
use std::path::Path;

use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::{Field, List};

use super::super::parquet::schema;
use super::unfit;
use crate::failure::Failure;
use crate::row::{Identity, Row, Scores};
use crate::run::Settings;

pub(super) fn read(
    settings: &Settings,
    file: &Path,
    sink: &mut dyn FnMut(Vec<Row>) -> io::Result<()>,
) -> io::Result<()> {
    let reader = SerializedFileReader::new(File::open(file)?).map_err(io::Error::other)?;
    let expected = schema(&settings.columns).map_err(io::Error::other)?;
    if reader.metadata().file_metadata().schema().get_fields() != expected.get_fields() {
        return Err(unfit("it has other columns"));
    }
    for group in 0..reader.num_row_groups() {
        sink(rows(settings, &reader, group).map_err(io::Error::other)?)?;
    }
    Ok(())
}

fn rows(
    settings: &Settings,
    reader: &SerializedFileReader<File>,
    group: usize,
) -> Result<Vec<Row>, ParquetError> {
    reader.get_row_group(group)?.get_row_iter(None)?.map(|record| row(settings, &record?)).collect()
}

/// The columns of [`schema`], one after the other.
fn row(settings: &Settings, record: &parquet::record::Row) -> Result<Row, ParquetError> {
    let columns = &settings.columns;
    let mut fields = record.get_column_iter().map(|(_, field)| field);
    let mut next = || fields.next().ok_or_else(|| ParquetError::General("a column too few".to_owned()));
    let path = text(next()?)?.unwrap_or_default();
    let (sop_instance_uid, study_instance_uid) = (text(next()?)?, text(next()?)?);
    let patient_id = if columns.patient { text(next()?)? } else { None };
    for expected in [&columns.model, &columns.model_id, &columns.engine] {
        if text(next()?)?.as_ref() != Some(expected) {
            return Err(ParquetError::General("a row is of another model".to_owned()));
        }
    }
    let (qc, notes) = (texts(next()?)?, texts(next()?)?);
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
    let scores = match kind {
        Some(kind) => Err(Failure { kind: kind.into(), message: message.unwrap_or_default() }),
        None if numbers.len() == 2 * columns.classes.len() => {
            let findings = numbers.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect();
            Ok(Scores { findings, embedding })
        }
        None => return Err(ParquetError::General("a row lacks scores".to_owned())),
    };
    let identity = Identity { sop_instance_uid, study_instance_uid, patient_id };
    Ok(Row { path, identity, qc, notes, scores })
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
