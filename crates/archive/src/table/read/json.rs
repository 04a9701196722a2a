//! Rows of JSON lines.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use medclip_decode::Identity;
use medclip_scorer::{Failure, Report, Scores};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::super::columns::id_columns;
use super::{Shards, codes, remarks, unfit};
use crate::run::Settings;

#[derive(Deserialize)]
struct Line {
    path: Option<String>,
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
    /// The identifiers.
    #[serde(flatten)]
    others: Map<String, Value>,
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
        let row = row(settings, shards, line)?;
        shards.push(row)?;
    }
    shards.end()
}

fn row(settings: &Settings, shards: &Shards<'_>, line: Line) -> io::Result<Report> {
    let schema = &settings.schema;
    if (&line.model, &line.model_id, &line.engine) != (&schema.model, &schema.model_id, &schema.engine) {
        return Err(unfit("a row is of another model"));
    }
    let outcome = match line.error_kind {
        Some(kind) => Err(Failure { kind: kind.into(), message: line.error.unwrap_or_default() }),
        None if line.findings.iter().map(|finding| &finding.name).eq(&schema.classes) => {
            let findings = line.findings.iter().map(|finding| (finding.logit, finding.probability)).collect();
            Ok(Scores { findings, embedding: line.embedding, maps: None })
        }
        None => return Err(unfit("a row has other classes")),
    };
    let mut identity = Identity::default();
    for column in id_columns(schema) {
        let value = line.others.get(column.name).and_then(Value::as_str);
        *(column.field)(&mut identity) = value.map(str::to_owned);
    }
    let (qc, notes) = (codes(&line.qc)?, remarks(line.notes));
    Ok(Report { schema: shards.schema(), path: line.path, identity, qc, notes, outcome })
}
