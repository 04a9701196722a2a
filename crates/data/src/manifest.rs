//! The manifest: one row an image, with its patient, view, split and annotated findings.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use medclip_core::Finding;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::columns::{Column, Kind};
use crate::error::TableError;
use crate::place::Place;
use crate::table::{Table, TableRow};

/// Which part of the data a patient belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Split {
    /// Weights are fitted on it.
    Train,
    /// Choices are made on it.
    Val,
    /// Looked at once, at the end.
    Test,
}

impl Split {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Train, Self::Val, Self::Test];

    /// `train`, `val` or `test`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Val => "val",
            Self::Test => "test",
        }
    }
}

/// What an annotator said of one finding in one image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Annotation {
    /// `1`.
    Present,
    /// `0`: annotated and not there.
    Absent,
    /// `-1`, as in CheXpert's label files.
    Uncertain,
    /// Blank: nobody looked, so nothing follows.
    #[default]
    NotAnnotated,
}

impl Annotation {
    /// True for present, false for absent, `None` when uncertain or not annotated: what evaluation may count.
    pub const fn known(self) -> Option<bool> {
        match self {
            Self::Present => Some(true),
            Self::Absent => Some(false),
            Self::Uncertain | Self::NotAnnotated => None,
        }
    }
}

/// One image of the manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Where the row stands in its manifest.
    pub place: Place,
    /// Image file, relative to the image root.
    pub path: PathBuf,
    /// Part of the data.
    pub split: Split,
    /// Cross-validation fold, where the manifest has folds.
    pub fold: Option<u8>,
    /// Data set the image comes from.
    pub source: String,
    /// Patient; also what a report's `id` refers to. The patient group when the manifest has no such column.
    pub patient_id: String,
    /// Patients that may be the same person share a group; no group is in both training and evaluation.
    pub patient_group: String,
    /// Projection as the source names it, such as `PA`; may be blank.
    pub view: String,
    /// One entry a finding, in [`Finding::ALL`] order.
    pub annotations: [Annotation; Finding::COUNT],
    /// The source's own labels, where the manifest carries them.
    pub labels: Option<String>,
    /// Report text, where the manifest carries it.
    pub text: Option<String>,
}

impl Record {
    /// Findings annotated as present.
    pub fn present(&self) -> impl Iterator<Item = Finding> + '_ {
        Finding::ALL
            .into_iter()
            .zip(self.annotations)
            .filter(|(_, annotation)| *annotation == Annotation::Present)
            .map(|(finding, _)| finding)
    }
}

/// Why a manifest was refused.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// The file, a column or a cell of it.
    #[error(transparent)]
    Table(#[from] TableError),
    /// Two rows for one image: which of them holds is unknown.
    #[error("{second}, column `path`: `{}` is also on {first}", path.display())]
    DuplicatePath {
        /// The image.
        path: PathBuf,
        /// Its first row.
        first: Place,
        /// Its second row.
        second: Place,
    },
}

impl ManifestError {
    /// The error in words that name no image and quote no cell that could; the row says where it is.
    pub fn unnamed(&self) -> String {
        match self {
            Self::Table(error) => error.unnamed(),
            Self::DuplicatePath { first, second, .. } => {
                format!("{second}, column `path`: it names the image of {first}; remove one of the rows")
            }
        }
    }
}

/// Reads a manifest: CSV in any form that [`Table`] reads, or Parquet, which needs the feature `parquet`.
///
/// Required columns: `path`, `split` (`train`, `val`, `test`), `source`, `patient_group`, `view` and the 14 findings by
/// name (`1`, `0`, `-1` or blank, also as `1.0`). Read when there: `fold` (0–255 or blank), `patient_id`, `finding_raw` (the
/// source's own labels), `text`. Other columns are ignored, and so are rows in which every cell is blank.
///
/// In a Parquet file null is blank, findings and folds may be of any type of numbers or truth values, and names may be whole
/// numbers.
///
/// # Errors
/// [`ManifestError`], naming the missing column, or the row and column of a wrong cell.
pub fn read_manifest(path: &Path) -> Result<Vec<Record>, ManifestError> {
    records(Table::open(path, &columns())?)
}

/// Whether a file is a table with the columns of a manifest. Its rows are not looked at.
pub fn is_manifest(path: &Path) -> bool {
    Table::open(path, &columns()).is_ok()
}

/// A CSV manifest from any reader.
///
/// # Errors
/// As [`read_manifest`].
pub fn read_manifest_from(input: impl Read) -> Result<Vec<Record>, ManifestError> {
    records(Table::from_reader(input, &columns())?)
}

fn records(table: Table<'_>) -> Result<Vec<Record>, ManifestError> {
    let mut records = Vec::new();
    let mut first = BTreeMap::new();
    for row in table {
        let row = row?;
        if row.is_blank() {
            continue;
        }
        let record = record(&row)?;
        if let Some(first) = first.insert(record.path.clone(), row.place()) {
            return Err(ManifestError::DuplicatePath { path: record.path, first, second: row.place() });
        }
        records.push(record);
    }
    Ok(records)
}

/// Places in [`columns`]. The findings follow.
const PATH: usize = 0;
const SPLIT: usize = 1;
const SOURCE: usize = 2;
const PATIENT_GROUP: usize = 3;
const VIEW: usize = 4;
const FOLD: usize = 5;
const PATIENT_ID: usize = 6;
const TEXT: usize = 7;
const LABELS: usize = 8;
const FINDINGS: usize = 9;

fn columns() -> Vec<Column> {
    let mut columns = vec![
        Column::required("path", Kind::Name),
        Column::required("split", Kind::Name),
        Column::required("source", Kind::Name),
        Column::required("patient_group", Kind::Name),
        Column::required("view", Kind::Name),
        Column::optional("fold", Kind::Number),
        Column::optional("patient_id", Kind::Name),
        Column::optional("text", Kind::Text),
        Column::optional("finding_raw", Kind::Text),
    ];
    columns.extend(Finding::ALL.map(|finding| Column::required(finding.name(), Kind::Number)));
    columns
}

fn record(row: &TableRow) -> Result<Record, TableError> {
    let name = |column: &str, position| {
        row.filled(position).map(str::to_owned).ok_or_else(|| row.wrong(column, "", "a name"))
    };
    let split = match row.cell(SPLIT) {
        "train" => Split::Train,
        "val" => Split::Val,
        "test" => Split::Test,
        value => return Err(row.wrong("split", value, "train, val or test")),
    };
    let fold = row
        .filled(FOLD)
        .map(|value| value.parse().map_err(|_| row.wrong("fold", value, "a whole number from 0 to 255")))
        .transpose()?;
    let mut annotations = [Annotation::NotAnnotated; Finding::COUNT];
    for finding in Finding::ALL {
        let value = row.cell(FINDINGS + finding.index());
        annotations[finding.index()] =
            annotation(value).ok_or_else(|| row.wrong(finding.name(), value, "1, 0, -1 or blank"))?;
    }
    let patient_group = name("patient_group", PATIENT_GROUP)?;
    Ok(Record {
        place: row.place(),
        path: name("path", PATH)?.into(),
        split,
        fold,
        source: name("source", SOURCE)?,
        patient_id: row.filled(PATIENT_ID).unwrap_or(&patient_group).to_owned(),
        patient_group,
        view: row.cell(VIEW).to_owned(),
        annotations,
        labels: row.filled(LABELS).map(str::to_owned),
        text: row.filled(TEXT).map(str::to_owned),
    })
}

/// The annotation that a cell means.
pub(crate) fn annotation(cell: &str) -> Option<Annotation> {
    match cell {
        "1" | "1.0" => Some(Annotation::Present),
        "0" | "0.0" => Some(Annotation::Absent),
        "-1" | "-1.0" => Some(Annotation::Uncertain),
        "" => Some(Annotation::NotAnnotated),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
