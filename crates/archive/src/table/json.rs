//! Rows as JSON lines.

use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;

use serde::Serialize;

use crate::row::{Columns, Row};

/// Outer options leave a key out, inner ones make it null.
#[derive(Serialize)]
#[allow(clippy::option_option, reason = "a key that is left out is not one that is null")]
struct Line<'a> {
    path: &'a str,
    sop_instance_uid: Option<&'a str>,
    study_instance_uid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    patient_id: Option<Option<&'a str>>,
    model: &'a str,
    model_id: &'a str,
    engine: &'a str,
    qc: &'a [String],
    notes: &'a [String],
    findings: Vec<Finding<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    embedding: Option<Option<&'a [f32]>>,
    error_kind: Option<&'a str>,
    error: Option<&'a str>,
}

#[derive(Serialize)]
struct Finding<'a> {
    name: &'a str,
    logit: f32,
    probability: f32,
}

pub(super) fn encode(columns: &Columns, rows: &[Row]) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    for row in rows {
        serde_json::to_writer(&mut bytes, &line(columns, row))?;
        bytes.push(b'\n');
    }
    Ok(bytes)
}

pub(super) fn join(files: &[PathBuf], out: &mut (dyn Write + Send)) -> io::Result<()> {
    for file in files {
        io::copy(&mut File::open(file)?, out)?;
    }
    Ok(())
}

fn line<'a>(columns: &'a Columns, row: &'a Row) -> Line<'a> {
    let (scores, failure) = (row.scores.as_ref().ok(), row.scores.as_ref().err());
    let findings = scores.map_or_else(Vec::new, |scores| {
        let pairs = columns.classes.iter().zip(&scores.findings);
        pairs.map(|(name, &(logit, probability))| Finding { name, logit, probability }).collect()
    });
    let embedding = || scores.and_then(|scores| scores.embedding.as_deref());
    Line {
        path: &row.path,
        sop_instance_uid: row.identity.sop_instance_uid.as_deref(),
        study_instance_uid: row.identity.study_instance_uid.as_deref(),
        patient_id: columns.patient.then_some(row.identity.patient_id.as_deref()),
        model: &columns.model,
        model_id: &columns.model_id,
        engine: &columns.engine,
        qc: &row.qc,
        notes: &row.notes,
        findings,
        embedding: columns.embedding_dim.map(|_| embedding()),
        error_kind: failure.map(|failure| &*failure.kind),
        error: failure.map(|failure| failure.message.as_str()),
    }
}
