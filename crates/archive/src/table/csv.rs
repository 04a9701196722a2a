//! Rows as comma-separated values.
//!
//! Spreadsheets run a cell that begins like a formula. A text that does has a `'` in front, and so has one that begins with a
//! `'`, so that every cell still stands for one text. Numbers always have a decimal point or an exponent, so that readers that
//! guess a column's type from its first rows take it for one of fractions.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::PathBuf;

use crate::row::{Columns, Row};

pub(super) fn encode(columns: &Columns, rows: &[Row]) -> io::Result<Vec<u8>> {
    let mut out = csv::Writer::from_writer(Vec::new());
    out.write_record(names(columns))?;
    for row in rows {
        out.write_record(cells(columns, row))?;
    }
    out.into_inner().map_err(csv::IntoInnerError::into_error)
}

/// Every file has the header; the whole has it once.
pub(super) fn join(columns: &Columns, files: &[PathBuf], out: &mut (dyn Write + Send)) -> io::Result<()> {
    let header = encode(columns, &[])?;
    out.write_all(&header)?;
    for file in files {
        let mut file = File::open(file)?;
        file.seek(SeekFrom::Start(header.len() as u64))?;
        io::copy(&mut file, out)?;
    }
    Ok(())
}

fn names(columns: &Columns) -> Vec<String> {
    let mut names = vec!["path", "sop_instance_uid", "study_instance_uid"];
    names.extend(columns.patient.then_some("patient_id"));
    names.extend(["model", "model_id", "engine", "qc", "notes", "error_kind", "error"]);
    let mut names: Vec<String> = names.into_iter().map(str::to_owned).collect();
    for class in &columns.classes {
        names.extend([format!("{class} logit"), format!("{class} probability")]);
    }
    names.extend(columns.embedding_dim.map(|_| "embedding".to_owned()));
    names
}

/// A text as a cell that no spreadsheet runs: with a `'` in front where it begins with `=`, `+`, `-`, `@`, a tab, a carriage
/// return, or a `'`.
pub fn text_cell(text: &str) -> Cow<'_, str> {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\'']) {
        format!("'{text}").into()
    } else {
        text.into()
    }
}

/// A number that is always seen to be a fraction.
fn number(value: f32) -> String {
    let text = value.to_string();
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    if is_plain { text + ".0" } else { text }
}

fn cells(columns: &Columns, row: &Row) -> Vec<String> {
    let text = |text: &str| text_cell(text).into_owned();
    let optional = |value: &Option<String>| value.as_deref().map_or_else(String::new, text);
    let (identity, scores) = (&row.identity, row.scores.as_ref().ok());
    let mut cells =
        vec![text(&row.path), optional(&identity.sop_instance_uid), optional(&identity.study_instance_uid)];
    cells.extend(columns.patient.then(|| optional(&identity.patient_id)));
    cells.extend([&columns.model, &columns.model_id, &columns.engine].map(|value| text(value)));
    cells.extend([row.qc.join(";"), row.notes.join(";")]);
    match &row.scores {
        Ok(_) => cells.extend([String::new(), String::new()]),
        Err(failure) => cells.extend([text(&failure.kind), text(&failure.message)]),
    }
    for index in 0..columns.classes.len() {
        match scores.map(|scores| scores.findings[index]) {
            Some((logit, probability)) => cells.extend([number(logit), number(probability)]),
            None => cells.extend([String::new(), String::new()]),
        }
    }
    if columns.embedding_dim.is_some() {
        let values = scores.and_then(|scores| scores.embedding.as_ref());
        let list =
            |values: &Vec<f32>| values.iter().map(|value| number(*value)).collect::<Vec<_>>().join(",");
        cells.push(values.map_or_else(String::new, |values| format!("[{}]", list(values))));
    }
    cells
}
