//! What vouches for a file of rows.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use medclip_core::bundle::{sha256, sha256_of_file};
use serde::{Deserialize, Serialize};

use super::{CONTROL, RunError, Settings, Summary, read_error, read_json};
use crate::row::Row;
use crate::table::Format;

/// A file of rows as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Commit {
    rows: u64,
    failures: BTreeMap<String, u64>,
    bytes: u64,
    sha256: String,
}

impl Commit {
    pub(super) fn new(rows: &[Row], bytes: &[u8]) -> Self {
        let mut failures = BTreeMap::new();
        for failure in rows.iter().filter_map(|row| row.scores.as_ref().err()) {
            *failures.entry(failure.kind.to_string()).or_default() += 1;
        }
        let (length, sha256) = (bytes.len() as u64, sha256(bytes));
        Self { rows: rows.len() as u64, failures, bytes: length, sha256 }
    }

    pub(super) fn add_to(&self, summary: &mut Summary) {
        summary.rows += self.rows;
        for (kind, count) in &self.failures {
            *summary.failures.entry(kind.clone()).or_default() += count;
        }
    }
}

pub(super) fn rows_path(directory: &Path, number: u64, format: Format) -> PathBuf {
    directory.join(format!("rows-{number:05}.{}", format.extension()))
}

pub(super) fn commit_path(directory: &Path, number: u64) -> PathBuf {
    directory.join(CONTROL).join("commits").join(format!("{number:05}.json"))
}

/// How many files of rows count, and what they hold. Every one is read and compared with its commit.
pub(super) fn scan(directory: &Path, settings: &Settings, inputs: u64) -> Result<(u64, Summary), RunError> {
    let mut summary = Summary::default();
    let mut number = 0;
    while commit_path(directory, number).exists() {
        let record = commit_path(directory, number);
        let commit: Commit = read_json(&record)?;
        if commit.rows != settings.rows_of(number, inputs) || commit.rows == 0 {
            let reason = format!("it says {} rows", commit.rows);
            return Err(RunError::Damaged { path: record, reason });
        }
        let path = rows_path(directory, number, settings.format);
        let length = fs::metadata(&path).map_err(|source| read_error(&path, source))?.len();
        let sum = sha256_of_file(&path).map_err(|source| read_error(&path, source))?;
        if (length, &sum) != (commit.bytes, &commit.sha256) {
            let reason = "it is not as it was committed".to_owned();
            return Err(RunError::Damaged { path, reason });
        }
        commit.add_to(&mut summary);
        number += 1;
    }
    let commits = directory.join(CONTROL).join("commits");
    let listed = fs::read_dir(&commits).map_err(|source| read_error(&commits, source))?;
    for entry in listed {
        let name = entry.map_err(|source| read_error(&commits, source))?.file_name();
        let text = name.to_string_lossy();
        let later = text.strip_suffix(".json").and_then(|text| text.parse::<u64>().ok());
        if later.is_some_and(|later| later >= number) {
            let path = commit_path(directory, number);
            return Err(RunError::Damaged {
                path,
                reason: "it is missing, but later ones are there".to_owned(),
            });
        }
    }
    Ok((number, summary))
}
