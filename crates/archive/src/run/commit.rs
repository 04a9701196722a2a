//! What vouches for a file of rows.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use medclip_core::bundle::{sha256, sha256_of_file};
use serde::{Deserialize, Serialize};

use super::place::{COMMITS, Place, read_json};
use super::{RunError, Settings, Summary};
use crate::row::Row;
use crate::table::Format;

/// A file of rows as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Commit {
    /// SHA-256 of the run's record: a commit of another run vouches for nothing here.
    run: String,
    /// Which file of the run it is.
    number: u64,
    rows: u64,
    failures: BTreeMap<String, u64>,
    #[serde(flatten)]
    file: Sum,
}

/// A file's length in bytes and SHA-256.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Sum {
    bytes: u64,
    sha256: String,
}

impl Sum {
    pub(super) fn of(bytes: &[u8]) -> Self {
        Self { bytes: bytes.len() as u64, sha256: sha256(bytes) }
    }

    pub(super) fn of_file(path: &Path) -> Result<Self, RunError> {
        let bytes = fs::metadata(path).map_err(RunError::read(path))?.len();
        Ok(Self { bytes, sha256: sha256_of_file(path).map_err(RunError::read(path))? })
    }

    /// Refuses a file that is not as it was written.
    pub(super) fn check(&self, path: &Path) -> Result<(), RunError> {
        let found = match Self::of_file(path) {
            Err(RunError::Read { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                return Err(RunError::damaged(path, "it is missing"));
            }
            found => found?,
        };
        let reason = match (self.bytes == found.bytes, self.sha256 == found.sha256) {
            (true, true) => return Ok(()),
            (false, _) => format!("it has {} bytes, {} were written", found.bytes, self.bytes),
            (true, false) => "its SHA-256 is not the one of what was written".to_owned(),
        };
        Err(RunError::damaged(path, reason))
    }
}

impl Commit {
    pub(super) fn new(run: &str, number: u64, rows: &[Row], bytes: &[u8]) -> Self {
        let mut failures = BTreeMap::new();
        for failure in rows.iter().filter_map(|row| row.scores.as_ref().err()) {
            *failures.entry(failure.kind.to_string()).or_default() += 1;
        }
        Self { run: run.to_owned(), number, rows: rows.len() as u64, failures, file: Sum::of(bytes) }
    }

    pub(super) fn add_to(&self, summary: &mut Summary) {
        summary.rows += self.rows;
        for (kind, count) in &self.failures {
            *summary.failures.entry(kind.clone()).or_default() += count;
        }
    }
}

pub(super) fn rows_name(number: u64, format: Format) -> String {
    format!("rows-{number:05}.{}", format.extension())
}

pub(super) fn rows_path(directory: &Path, number: u64, format: Format) -> PathBuf {
    directory.join(rows_name(number, format))
}

pub(super) fn commit_name(number: u64) -> String {
    format!("{number:05}.json")
}

/// The number in the name of a commit, or behind `start` in that of a file of rows.
pub(super) fn number(name: &str, start: &str) -> Option<u64> {
    let (digits, end) = name.strip_prefix(start)?.split_once('.')?;
    let is_ours = if start.is_empty() { end == "json" } else { Format::of(Path::new(name)).is_some() };
    (is_ours && digits.len() >= 5 && digits.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| digits.parse().ok())?
}

/// How many files of rows count, and what they hold. Every one is read and compared with its commit.
pub(super) fn scan(
    place: &Place,
    run: &str,
    settings: &Settings,
    inputs: u64,
) -> Result<(u64, Summary), RunError> {
    let commits = place.record(COMMITS);
    let mut summary = Summary::default();
    let mut count = 0;
    while commits.join(commit_name(count)).exists() {
        let record = commits.join(commit_name(count));
        let commit: Commit = read_json(&record)?;
        if commit.run != run {
            return Err(RunError::damaged(record, "it is of another run"));
        }
        if commit.number != count {
            return Err(RunError::damaged(record, format!("it is that of file {}", commit.number)));
        }
        if commit.rows != settings.rows_of(count, inputs) || commit.rows == 0 {
            return Err(RunError::damaged(record, format!("it says {} rows", commit.rows)));
        }
        commit.file.check(&rows_path(place.directory(), count, settings.format))?;
        commit.add_to(&mut summary);
        count += 1;
    }
    if let Some(later) = numbers(&commits, "")?.into_iter().find(|number| *number >= count) {
        let missing = commits.join(commit_name(count));
        return Err(RunError::damaged(
            missing,
            format!("it is missing, but {} is there", commit_name(later)),
        ));
    }
    // One file may be without a commit: it is written again.
    let uncommitted = u64::from(summary.rows < inputs);
    if let Some(number) =
        numbers(place.directory(), "rows-")?.into_iter().find(|number| *number >= count + uncommitted)
    {
        let path = rows_path(place.directory(), number, settings.format);
        return Err(RunError::damaged(path, "it is not part of this run"));
    }
    Ok((count, summary))
}

/// Numbers of the files in a directory, sorted.
fn numbers(directory: &Path, start: &str) -> Result<Vec<u64>, RunError> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).map_err(RunError::read(directory))? {
        let name = entry.map_err(RunError::read(directory))?.file_name();
        found.extend(name.to_str().and_then(|name| number(name, start)));
    }
    found.sort_unstable();
    Ok(found)
}
