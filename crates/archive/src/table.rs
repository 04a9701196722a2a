//! Rows as Parquet, CSV or JSON lines.
//!
//! Columns in this order: `path`, `sop_instance_uid`, `study_instance_uid`, `view` (the view that a DICOM header states), then on request
//! `patient_id`, `study_date`, `sex` and `age`, then `model`, `model_id`, `engine`, `qc`, `notes`, `error_kind`, `error`, then
//! `CLASS logit` and `CLASS probability` of every class, then on request `embedding`, and `schema`, the version of these columns. In
//! JSON the classes are a list `findings` of name, logit and probability. CSV joins the codes of `qc` and `notes` by `;` and has an
//! embedding as a JSON list in one cell. The same rows give the same bytes.

mod columns;
mod csv;
#[cfg(feature = "parquet")]
mod embeddings;
mod json;
#[cfg(feature = "parquet")]
mod parquet;
mod read;

use std::ffi::OsStr;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::run::Settings;
use medclip_scorer::Report;

pub use csv::{CSV_TEXTS, CsvWriter, EXACT};
#[cfg(feature = "parquet")]
pub use embeddings::{Described, EmbeddingsError, describe_embeddings, read_embeddings};

/// How rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Parquet, Snappy compressed.
    Parquet,
    /// Comma-separated values with a header.
    Csv,
    /// One JSON object a line.
    Jsonl,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Parquet, Self::Csv, Self::Jsonl];

    /// Ending of a file's name, without the dot.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Parquet => "parquet",
            Self::Csv => "csv",
            Self::Jsonl => "jsonl",
        }
    }

    /// By a file's ending; none for other endings.
    pub fn of(path: &Path) -> Option<Self> {
        let end = path.extension().and_then(OsStr::to_str)?;
        Self::ALL.into_iter().find(|format| format.extension().eq_ignore_ascii_case(end))
    }

    /// A whole file of these rows.
    pub(crate) fn encode(self, settings: &Settings, rows: &[Report]) -> io::Result<Vec<u8>> {
        match self {
            #[cfg(feature = "parquet")]
            Self::Parquet => parquet::encode(settings, rows),
            #[cfg(not(feature = "parquet"))]
            Self::Parquet => Err(left_out()),
            Self::Csv => csv::encode(settings, rows),
            Self::Jsonl => json::encode(rows),
        }
    }

    /// One file of the rows of several.
    pub(crate) fn join(
        self,
        settings: &Settings,
        files: &[PathBuf],
        out: &mut (dyn Write + Send),
    ) -> io::Result<()> {
        match self {
            #[cfg(feature = "parquet")]
            Self::Parquet => parquet::join(settings, files, out),
            #[cfg(not(feature = "parquet"))]
            Self::Parquet => Err(left_out()),
            Self::Csv => csv::join(settings, files, out),
            Self::Jsonl => json::join(files, out),
        }
    }
}

#[cfg(not(feature = "parquet"))]
fn left_out() -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, "this program was built without Parquet (feature parquet)")
}
