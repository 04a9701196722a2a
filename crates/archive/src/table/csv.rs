//! Rows as comma-separated values.

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
    names.extend(["model", "model_id", "engine", "qc", "error_kind", "error"]);
    let mut names: Vec<String> = names.into_iter().map(str::to_owned).collect();
    for class in &columns.classes {
        names.extend([format!("{class} logit"), format!("{class} probability")]);
    }
    names.extend(columns.embedding_dim.map(|_| "embedding".to_owned()));
    names
}

fn cells(columns: &Columns, row: &Row) -> Vec<String> {
    let optional = |text: &Option<String>| text.clone().unwrap_or_default();
    let (identity, scores) = (&row.identity, row.scores.as_ref().ok());
    let mut cells =
        vec![row.path.clone(), optional(&identity.sop_instance_uid), optional(&identity.study_instance_uid)];
    cells.extend(columns.patient.then(|| optional(&identity.patient_id)));
    cells.extend([columns.model.clone(), columns.model_id.clone(), columns.engine.clone(), row.qc.join(";")]);
    match &row.scores {
        Ok(_) => cells.extend([String::new(), String::new()]),
        Err(failure) => cells.extend([failure.kind.to_string(), failure.message.clone()]),
    }
    for index in 0..columns.classes.len() {
        match scores.map(|scores| scores.findings[index]) {
            Some((logit, probability)) => cells.extend([logit.to_string(), probability.to_string()]),
            None => cells.extend([String::new(), String::new()]),
        }
    }
    if columns.embedding_dim.is_some() {
        let values = scores.and_then(|scores| scores.embedding.as_ref());
        let list = |values: &Vec<f32>| values.iter().map(f32::to_string).collect::<Vec<_>>().join(",");
        cells.push(values.map_or_else(String::new, |values| format!("[{}]", list(values))));
    }
    cells
}
