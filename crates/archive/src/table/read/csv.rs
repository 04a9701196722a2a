//! Rows of CSV.

use std::io;
use std::path::Path;

use csv::StringRecord;
use medclip_data::{CellText, unguard_cell};
use medclip_decode::Identity;
use medclip_scorer::{Failure, Report, Scores};

use super::super::columns::id_columns;
use super::super::csv::{cell_text, names};
use super::{Shards, codes, remarks, unfit};
use crate::run::Settings;

pub(super) fn read(settings: &Settings, file: &Path, shards: &mut Shards<'_>) -> io::Result<()> {
    let mut reader = csv::Reader::from_path(file)?;
    let expected = names(&settings.schema, cell_text(settings));
    if reader.headers()?.iter().ne(expected.iter().map(String::as_str)) {
        return Err(unfit("it has other columns"));
    }
    let mut record = StringRecord::new();
    while reader.read_record(&mut record)? {
        let row = row(settings, shards, &record)?;
        shards.push(row)?;
    }
    shards.end()
}

fn row(settings: &Settings, shards: &Shards<'_>, record: &StringRecord) -> io::Result<Report> {
    let schema = &settings.schema;
    let is_guarded = cell_text(settings) == CellText::Guarded;
    let mut cells = record.iter();
    let mut next = || cells.next().ok_or_else(|| unfit("a row is too short"));
    let text = |cell: &str| if is_guarded { unguard_cell(cell).to_owned() } else { cell.to_owned() };
    let optional = |cell: &str| (!cell.is_empty()).then(|| text(cell));
    let list = |cell: &str| {
        let text = text(cell);
        text.split(';').filter(|code| !code.is_empty()).map(str::to_owned).collect::<Vec<_>>()
    };
    let path = optional(next()?);
    let mut identity = Identity::default();
    for column in id_columns(schema) {
        *(column.field)(&mut identity) = optional(next()?);
    }
    for expected in [&schema.model, &schema.model_id, &schema.engine] {
        if text(next()?) != *expected {
            return Err(unfit("a row is of another model"));
        }
    }
    let (qc, notes) = (codes(&list(next()?))?, remarks(list(next()?)));
    let (kind, message) = (text(next()?), text(next()?));
    let mut numbers = Vec::new();
    for _ in 0..2 * schema.classes.len() {
        let cell = next()?;
        if kind.is_empty() {
            numbers.push(number(cell)?);
        }
    }
    let embedding = match schema.embedding_dim {
        Some(_) => embedding(next()?)?,
        None => None,
    };
    let outcome = if kind.is_empty() {
        let findings = numbers.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect();
        Ok(Scores { findings, embedding, maps: None })
    } else {
        Err(Failure { kind: kind.into(), message })
    };
    Ok(Report { schema: shards.schema(), path, identity, qc, notes, outcome })
}

fn number(cell: &str) -> io::Result<f32> {
    cell.parse().map_err(|_| unfit("a score is no number"))
}

fn embedding(cell: &str) -> io::Result<Option<Vec<f32>>> {
    if cell.is_empty() {
        return Ok(None);
    }
    let inner = cell.strip_prefix('[').and_then(|cell| cell.strip_suffix(']'));
    let inner = inner.ok_or_else(|| unfit("an embedding is no list"))?;
    inner.split(',').map(number).collect::<io::Result<Vec<f32>>>().map(Some)
}
