//! Rows of JSON lines.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use serde::Deserialize;

use super::{Shards, unfit};
use crate::failure::Failure;
use crate::row::{Identity, Row, Scores};
use crate::run::Settings;

#[derive(Deserialize)]
struct Line {
    path: String,
    sop_instance_uid: Option<String>,
    study_instance_uid: Option<String>,
    #[serde(default)]
    patient_id: Option<String>,
    model: String,
    model_id: String,
    engine: String,
    qc: Vec<String>,
    notes: Vec<String>,
    findings: Vec<Finding>,
    #[serde(default)]
    embedding: Option<Vec<f32>>,
    error_kind: Option<String>,
    error: Option<String>,
}

#[derive(Deserialize)]
struct Finding {
    name: String,
    logit: f32,
    probability: f32,
}

pub(super) fn read(settings: &Settings, file: &Path, shards: &mut Shards<'_>) -> io::Result<()> {
    for line in BufReader::new(File::open(file)?).lines() {
        let line: Line = serde_json::from_str(&line?)?;
        shards.push(row(settings, line)?)?;
    }
    shards.end()
}

fn row(settings: &Settings, line: Line) -> io::Result<Row> {
    let columns = &settings.columns;
    if (&line.model, &line.model_id, &line.engine) != (&columns.model, &columns.model_id, &columns.engine) {
        return Err(unfit("a row is of another model"));
    }
    let scores = match line.error_kind {
        Some(kind) => Err(Failure { kind: kind.into(), message: line.error.unwrap_or_default() }),
        None if line.findings.iter().map(|finding| &finding.name).eq(&columns.classes) => {
            let findings = line.findings.iter().map(|finding| (finding.logit, finding.probability)).collect();
            Ok(Scores { findings, embedding: line.embedding })
        }
        None => return Err(unfit("a row has other classes")),
    };
    let identity = Identity {
        sop_instance_uid: line.sop_instance_uid,
        study_instance_uid: line.study_instance_uid,
        patient_id: line.patient_id,
    };
    Ok(Row { path: line.path, identity, qc: line.qc, notes: line.notes, scores })
}
