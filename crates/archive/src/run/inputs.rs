//! The list of inputs on disk.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use medclip_files::Summing;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::RunError;
use super::commit::Sum;
use crate::source::Source;

/// How many inputs, and a hash of their names in order.
#[derive(Debug, Clone, Default)]
pub(super) struct Stamp {
    count: u64,
    hasher: Sha256,
    /// Read from a file rather than summed up.
    stored: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct StoredStamp {
    count: u64,
    sha256: String,
}

impl Stamp {
    pub(super) fn push(&mut self, source: &Source) {
        self.count += 1;
        self.hasher.update(source.fingerprint());
    }

    pub(super) const fn count(&self) -> u64 {
        self.count
    }

    /// In which way `now` is not the same list. No name is told: names may be those of patients.
    pub(super) fn difference(&self, now: &Self) -> Option<String> {
        if self.count != now.count {
            return Some(format!("it has {} inputs, but {} were given", self.count, now.count));
        }
        let differs = self.sha256() != now.sha256();
        differs.then(|| format!("its {} inputs have other names, or another order", self.count))
    }

    fn sha256(&self) -> String {
        let sum = || {
            let digest = self.hasher.clone().finalize();
            digest.iter().fold(String::new(), |mut sum, byte| {
                // Writing to a string cannot fail.
                let _ = write!(sum, "{byte:02x}");
                sum
            })
        };
        self.stored.clone().unwrap_or_else(sum)
    }
}

impl PartialEq for Stamp {
    fn eq(&self, other: &Self) -> bool {
        self.difference(other).is_none()
    }
}

impl Serialize for Stamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        StoredStamp { count: self.count, sha256: self.sha256() }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Stamp {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let StoredStamp { count, sha256 } = StoredStamp::deserialize(deserializer)?;
        Ok(Self { count, hasher: Sha256::new(), stored: Some(sha256) })
    }
}

/// Writes the list.
pub(super) struct InputWriter<'a> {
    out: Summing<&'a mut (dyn Write + Send)>,
    stamp: Stamp,
}

impl<'a> InputWriter<'a> {
    pub(super) fn new(out: &'a mut (dyn Write + Send)) -> Self {
        Self { out: Summing::new(out), stamp: Stamp::default() }
    }

    pub(super) fn push(&mut self, source: &Source) -> io::Result<()> {
        self.stamp.push(source);
        serde_json::to_writer(&mut self.out, source)?;
        self.out.write_all(b"\n")
    }

    /// The inputs, and their list as a file.
    pub(super) fn finish(self) -> (Stamp, Sum) {
        (self.stamp, Sum::of_written(self.out))
    }
}

/// Reads the list, from an input on.
#[derive(Debug)]
pub(crate) struct InputReader {
    path: PathBuf,
    lines: io::Lines<BufReader<File>>,
    /// Lines read so far.
    line: u64,
}

impl InputReader {
    pub(super) fn open(path: &Path, skip: u64) -> Result<Self, RunError> {
        let fail = |source| RunError::Read { path: path.to_owned(), source };
        let mut lines = BufReader::new(File::open(path).map_err(fail)?).lines();
        for _ in 0..skip {
            lines.next().transpose().map_err(fail)?;
        }
        Ok(Self { path: path.to_owned(), lines, line: skip })
    }
}

impl Iterator for InputReader {
    type Item = Result<Source, RunError>;

    fn next(&mut self) -> Option<Self::Item> {
        let damaged = |reason: String| RunError::Damaged { path: self.path.clone(), reason };
        let line = self.lines.next()?;
        self.line += 1;
        Some(match line {
            // The library's words may quote the line, which names a film.
            Ok(line) => serde_json::from_str(&line).map_err(|error| {
                damaged(format!("line {} does not describe an input (column {})", self.line, error.column()))
            }),
            Err(source) => Err(RunError::Read { path: self.path.clone(), source }),
        })
    }
}
