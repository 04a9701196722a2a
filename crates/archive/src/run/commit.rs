//! What vouches for a file of rows.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use medclip_files::{Summing, sha256, sha256_of_file};
use serde::{Deserialize, Serialize};

use super::place::{COMMITS, Place, read_json};
use super::{RunError, Settings, Summary};
use crate::table::Format;
use medclip_scorer::Failure;
use medclip_scorer::Report;

/// A file of rows as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Commit {
    /// SHA-256 of the run's record: a commit of another run vouches for nothing here.
    run: String,
    /// Which file of the run it is.
    number: u64,
    rows: u64,
    failures: BTreeMap<String, u64>,
    /// Rows of films that alone took more memory than the run might use, counted from the first of the file.
    #[serde(flatten)]
    excess: Excess,
    #[serde(flatten)]
    file: Sum,
}

/// Rows without scores for want of memory.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Excess {
    /// Bytes that the run might use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    memory: Option<u64>,
    /// The rows, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    excess: Vec<u64>,
}

impl Excess {
    fn of(rows: &[Report], memory: Option<u64>) -> Self {
        let is_excess = |row: &Report| {
            row.outcome.as_ref().is_err_and(|failure| failure.kind == Failure::TOO_MUCH_MEMORY)
        };
        Self { memory, excess: (0..).zip(rows).filter(|(_, row)| is_excess(row)).map(|(at, _)| at).collect() }
    }

    /// The rows that a run with so much memory scores again.
    pub(super) fn to_redo(&self, memory: Option<u64>) -> &[u64] {
        let is_more = match (memory, self.memory) {
            (Some(now), Some(before)) => now > before,
            (None, Some(_)) => true,
            (_, None) => false,
        };
        if is_more { &self.excess } else { &[] }
    }

    /// Bytes that the run might use.
    pub(super) const fn memory(&self) -> Option<u64> {
        self.memory
    }

    /// Adds those of a file of rows that begins with row `first` of the run.
    fn add(&mut self, first: u64, other: &Self) {
        // The least of them: then none is left out when there is more.
        if !other.excess.is_empty() {
            self.memory = if self.excess.is_empty() { other.memory } else { self.memory.min(other.memory) };
            self.excess.extend(other.excess.iter().map(|at| first + at));
        }
    }
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

    /// Of all that was written through.
    pub(super) fn of_written<W: Write>(out: Summing<W>) -> Self {
        Self { bytes: out.bytes(), sha256: out.sum() }
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
    pub(super) fn new(run: &str, number: u64, rows: &[Report], bytes: &[u8], memory: Option<u64>) -> Self {
        let mut failures = BTreeMap::new();
        for failure in rows.iter().filter_map(|row| row.outcome.as_ref().err()) {
            *failures.entry(failure.kind.to_string()).or_default() += 1;
        }
        let (run, excess) = (run.to_owned(), Excess::of(rows, memory));
        Self { run, number, rows: rows.len() as u64, failures, excess, file: Sum::of(bytes) }
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

/// The files of rows that count, summed up.
#[derive(Debug, Clone, Default)]
pub(super) struct Scanned {
    /// Files of rows.
    pub(super) commits: u64,
    pub(super) summary: Summary,
    /// Rows of the whole run.
    pub(super) excess: Excess,
}

impl Scanned {
    /// Adds the next file of rows.
    pub(super) fn add(&mut self, commit: &Commit) {
        self.excess.add(self.summary.rows, &commit.excess);
        self.summary.rows += commit.rows;
        for (kind, count) in &commit.failures {
            *self.summary.failures.entry(kind.clone()).or_default() += count;
        }
        self.commits += 1;
    }
}

/// Whether a file beside the commits is one, or one that is about to be.
pub(super) fn is_name(name: &str) -> bool {
    let is_next = |number: &str| number.parse().is_ok_and(|number| next_name(number) == name);
    number(name, "").is_some() || name.split_once('.').is_some_and(|(number, _)| is_next(number))
}

/// How many files of rows count, and what they hold. Every one is read and compared with its commit.
pub(super) fn scan(place: &Place, run: &str, settings: &Settings, inputs: u64) -> Result<Scanned, RunError> {
    let commits = place.record(COMMITS);
    let mut scanned = Scanned::default();
    while commits.join(commit_name(scanned.commits)).exists() {
        let count = scanned.commits;
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
        let rows = rows_path(place.directory(), count, settings.format);
        let commit = redone(place, commit, &rows)?;
        commit.file.check(&rows)?;
        scanned.add(&commit);
    }
    let count = scanned.commits;
    if let Some(later) = numbers(&commits, "")?.into_iter().find(|number| *number >= count) {
        let missing = commits.join(commit_name(count));
        return Err(RunError::damaged(
            missing,
            format!("it is missing, but {} is there", commit_name(later)),
        ));
    }
    // One file may be without a commit: it is written again.
    let uncommitted = u64::from(scanned.summary.rows < inputs);
    if let Some(number) =
        numbers(place.directory(), "rows-")?.into_iter().find(|number| *number >= count + uncommitted)
    {
        let path = rows_path(place.directory(), number, settings.format);
        return Err(RunError::damaged(path, "it is not part of this run"));
    }
    Ok(scanned)
}

/// The commit that counts, where its rows were being put in the place of others when the process ended.
fn redone(place: &Place, commit: Commit, rows: &Path) -> Result<Commit, RunError> {
    let path = place.record(COMMITS).join(next_name(commit.number));
    if !path.exists() {
        return Ok(commit);
    }
    let next: Commit = read_json(&path)?;
    let is_there = (&next.run, next.number, next.rows) == (&commit.run, commit.number, commit.rows)
        && next.file == Sum::of_file(rows)?;
    let commit = if is_there { next } else { commit };
    place.write_commit(&commit_name(commit.number), &commit)?;
    std::fs::remove_file(&path).map_err(RunError::write(path))?;
    Ok(commit)
}

/// The commit of rows that are put in the place of others, until they are there.
pub(super) fn next_name(number: u64) -> String {
    format!("{number:05}.next")
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
