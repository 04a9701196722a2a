//! The manifest: one CSV row an image, with its patient, view, split and annotated findings.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use csv::StringRecord;
use medclip_core::Finding;
use serde::{Deserialize, Serialize};
use thiserror::Error;

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
    /// The file cannot be opened.
    #[error("cannot open {}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// Not a CSV file with equally long rows.
    #[error("not a readable CSV file")]
    Csv(#[from] csv::Error),
    /// The header lacks a column.
    #[error("column `{column}` is missing")]
    MissingColumn {
        /// Its name.
        column: String,
    },
    /// A cell holds something else than its column may.
    #[error("line {line}, column `{column}`: `{value}` is not {expected}")]
    Value {
        /// Line of the file, from 1.
        line: u64,
        /// Column name.
        column: String,
        /// What the cell holds.
        value: String,
        /// What it may hold.
        expected: &'static str,
    },
}

/// Reads a manifest.
///
/// Required columns: `path`, `split` (`train`, `val`, `test`), `source`, `patient_group`, `view` and the 14 findings by
/// name (`1`, `0`, `-1` or blank, also as `1.0`). Read when there: `fold` (0–255 or blank), `patient_id`, `text`. Other
/// columns are ignored.
///
/// # Errors
/// [`ManifestError`], naming the missing column, or the line and column of a wrong cell.
pub fn read_manifest(path: &Path) -> Result<Vec<Record>, ManifestError> {
    let file = File::open(path).map_err(|source| ManifestError::Open { path: path.to_owned(), source })?;
    read_manifest_from(file)
}

/// [`read_manifest`] from any reader.
///
/// # Errors
/// As [`read_manifest`].
pub fn read_manifest_from(input: impl Read) -> Result<Vec<Record>, ManifestError> {
    let mut reader = csv::Reader::from_reader(input);
    let columns = Columns::find(reader.headers()?)?;
    reader.records().map(|row| columns.record(&row?)).collect()
}

/// Position of every column we read.
struct Columns {
    path: usize,
    split: usize,
    source: usize,
    patient_group: usize,
    view: usize,
    findings: [usize; Finding::COUNT],
    fold: Option<usize>,
    patient_id: Option<usize>,
    text: Option<usize>,
}

impl Columns {
    fn find(header: &StringRecord) -> Result<Self, ManifestError> {
        let optional = |name: &str| header.iter().position(|column| column.trim() == name);
        let required = |name: &str| {
            optional(name).ok_or_else(|| ManifestError::MissingColumn { column: name.to_owned() })
        };
        let mut findings = [0; Finding::COUNT];
        for finding in Finding::ALL {
            findings[finding.index()] = required(finding.name())?;
        }
        Ok(Self {
            path: required("path")?,
            split: required("split")?,
            source: required("source")?,
            patient_group: required("patient_group")?,
            view: required("view")?,
            findings,
            fold: optional("fold"),
            patient_id: optional("patient_id"),
            text: optional("text"),
        })
    }

    fn record(&self, row: &StringRecord) -> Result<Record, ManifestError> {
        let cell = |index: usize| row.get(index).unwrap_or_default().trim();
        let filled = |index: Option<usize>| index.map(cell).filter(|value| !value.is_empty());
        let wrong = |column: &str, value: &str, expected| ManifestError::Value {
            line: row.position().map_or(0, csv::Position::line),
            column: column.to_owned(),
            value: value.to_owned(),
            expected,
        };
        let not_blank = |column: &str, index: usize| match cell(index) {
            "" => Err(wrong(column, "", "a name")),
            value => Ok(value.to_owned()),
        };

        let split = match cell(self.split) {
            "train" => Split::Train,
            "val" => Split::Val,
            "test" => Split::Test,
            value => return Err(wrong("split", value, "train, val or test")),
        };
        let fold = filled(self.fold)
            .map(|value| value.parse().map_err(|_| wrong("fold", value, "a whole number from 0 to 255")))
            .transpose()?;
        let mut annotations = [Annotation::NotAnnotated; Finding::COUNT];
        for finding in Finding::ALL {
            let value = cell(self.findings[finding.index()]);
            annotations[finding.index()] =
                annotation(value).ok_or_else(|| wrong(finding.name(), value, "1, 0, -1 or blank"))?;
        }
        let patient_group = not_blank("patient_group", self.patient_group)?;
        Ok(Record {
            path: not_blank("path", self.path)?.into(),
            split,
            fold,
            source: not_blank("source", self.source)?,
            patient_id: filled(self.patient_id).unwrap_or(&patient_group).to_owned(),
            patient_group,
            view: cell(self.view).to_owned(),
            annotations,
            text: filled(self.text).map(str::to_owned),
        })
    }
}

fn annotation(cell: &str) -> Option<Annotation> {
    match cell {
        "1" | "1.0" => Some(Annotation::Present),
        "0" | "0.0" => Some(Annotation::Absent),
        "-1" | "-1.0" => Some(Annotation::Uncertain),
        "" => Some(Annotation::NotAnnotated),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::fixture::{self, Row};

    #[test]
    fn reads_every_kind_of_cell() {
        let mut row = Row::new("a.png", "p1");
        row.findings = vec![
            (Finding::Edema, "1"),
            (Finding::Fracture, "-1.0"),
            (Finding::Pneumonia, "0"),
            (Finding::Cardiomegaly, ""),
        ];
        row.text = "Clear lungs, as before.";
        let records = read_manifest_from(fixture::manifest(&[row]).as_bytes()).unwrap();
        let record = &records[0];
        assert_eq!(record.annotations[Finding::Edema.index()], Annotation::Present);
        assert_eq!(record.annotations[Finding::Fracture.index()], Annotation::Uncertain);
        assert_eq!(record.annotations[Finding::Pneumonia.index()], Annotation::Absent);
        assert_eq!(record.annotations[Finding::Cardiomegaly.index()], Annotation::NotAnnotated);
        assert_eq!(record.text.as_deref(), Some("Clear lungs, as before."));
        assert_eq!(record.present().collect::<Vec<_>>(), [Finding::Edema]);
        assert_eq!((record.split, record.fold), (Split::Train, Some(0)));
    }

    #[test]
    fn names_the_missing_column() {
        let text = fixture::manifest(&[]).replace("Pleural Other", "Pleural Else");
        let error = read_manifest_from(text.as_bytes()).unwrap_err();
        assert_eq!(error.to_string(), "column `Pleural Other` is missing");
    }

    #[test]
    fn names_line_and_column_of_a_wrong_cell() {
        let mut wrong = Row::new("b.png", "p2");
        wrong.findings = vec![(Finding::LungLesion, "yes")];
        let text = fixture::manifest(&[Row::new("a.png", "p1"), wrong]);
        let error = read_manifest_from(text.as_bytes()).unwrap_err();
        assert_eq!(error.to_string(), "line 3, column `Lung Lesion`: `yes` is not 1, 0, -1 or blank");
    }
}
