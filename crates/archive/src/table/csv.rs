//! Rows as comma-separated values.
//!
//! A text that a spreadsheet would run as a formula has a `'` in front (see [`medclip_data::guard_cell`]), unless
//! the run's option [`CSV_TEXTS`] wants it as it is; names of columns are such texts too. Numbers always have a decimal point or an exponent, so that readers that
//! guess a column's type from its first rows take it for one of fractions.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::PathBuf;

use medclip_data::CellText;

use crate::row::Row;
use crate::run::Settings;

/// Option of a run ([`Settings::options`]) whose value [`EXACT`] has CSV hold every text as it is.
pub const CSV_TEXTS: &str = "csv texts";

/// Value of [`CSV_TEXTS`].
pub const EXACT: &str = "exact";

pub(super) fn encode(settings: &Settings, rows: &[Row]) -> io::Result<Vec<u8>> {
    let mut out = csv::Writer::from_writer(Vec::new());
    out.write_record(names(settings))?;
    for row in rows {
        out.write_record(cells(settings, row))?;
    }
    out.into_inner().map_err(csv::IntoInnerError::into_error)
}

/// Every file has the header; the whole has it once.
pub(super) fn join(settings: &Settings, files: &[PathBuf], out: &mut (dyn Write + Send)) -> io::Result<()> {
    let header = encode(settings, &[])?;
    out.write_all(&header)?;
    for file in files {
        let mut file = File::open(file)?;
        file.seek(SeekFrom::Start(header.len() as u64))?;
        io::copy(&mut file, out)?;
    }
    Ok(())
}

pub(super) fn names(settings: &Settings) -> Vec<String> {
    let columns = &settings.columns;
    let mut names = vec!["path", "sop_instance_uid", "study_instance_uid"];
    names.extend(columns.patient.then_some("patient_id"));
    names.extend(["model", "model_id", "engine", "qc", "notes", "error_kind", "error"]);
    let mut names: Vec<String> = names.into_iter().map(str::to_owned).collect();
    for class in &columns.classes {
        names.extend([format!("{class} logit"), format!("{class} probability")]);
    }
    names.extend(columns.embedding_dim.map(|_| "embedding".to_owned()));
    names.iter().map(|name| cell_text(settings).cell(name).into_owned()).collect()
}

pub(super) fn cell_text(settings: &Settings) -> CellText {
    let is_exact = settings.options.get(CSV_TEXTS).is_some_and(|value| value == EXACT);
    if is_exact { CellText::Exact } else { CellText::Guarded }
}

/// A number that is always seen to be a fraction.
fn number(value: f32) -> String {
    let text = value.to_string();
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    if is_plain { text + ".0" } else { text }
}

fn cells(settings: &Settings, row: &Row) -> Vec<String> {
    let columns = &settings.columns;
    let text = |text: &str| cell_text(settings).cell(text).into_owned();
    let optional = |value: &Option<String>| value.as_deref().map_or_else(String::new, text);
    let (identity, scores) = (&row.identity, row.scores.as_ref().ok());
    let mut cells =
        vec![text(&row.path), optional(&identity.sop_instance_uid), optional(&identity.study_instance_uid)];
    cells.extend(columns.patient.then(|| optional(&identity.patient_id)));
    cells.extend([&columns.model, &columns.model_id, &columns.engine].map(|value| text(value)));
    cells.extend([text(&row.qc.join(";")), text(&row.notes.join(";"))]);
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
