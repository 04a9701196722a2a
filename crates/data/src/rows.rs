//! Rows of manifests, as messages name them: a path may be that of a patient, a row is none.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::manifest::Record;

/// A row of a manifest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RowName {
    /// The manifest.
    pub manifest: PathBuf,
    /// Where it stands in that file, as `row 6 (line 7)`, counted from 1.
    pub place: String,
}

impl RowName {
    /// The row of `manifest` that `record` was read from.
    pub fn of(manifest: &Path, record: &Record) -> Self {
        Self { manifest: manifest.to_owned(), place: record.place.to_string() }
    }
}

impl fmt::Display for RowName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.place, self.manifest.display())
    }
}
