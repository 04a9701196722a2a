//! The manifest: one row an image, with its patient, view, split and annotated findings.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use medclip_core::Finding;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::data::table::{Kind, Place, Table, TableError, TableRow};

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

/// Reads a manifest: Parquet when its name ends in `.parquet`, which needs the feature `parquet`, and CSV otherwise.
///
/// Required columns: `path`, `split` (`train`, `val`, `test`), `source`, `patient_group`, `view` and the 14 findings by
/// name (`1`, `0`, `-1` or blank, also as `1.0`). Read when there: `fold` (0–255 or blank), `patient_id`, `text`. Other
/// columns are ignored.
///
/// In a Parquet file null is blank, findings and folds may be of any type of numbers or truth values, and names may be whole
/// numbers.
///
/// # Errors
/// [`ManifestError`], naming the missing column, or the line (Parquet: the row) and column of a wrong cell.
pub fn read_manifest(path: &Path) -> Result<Vec<Record>, ManifestError> {
    let mut columns = vec![
        ("path", Kind::Name),
        ("split", Kind::Name),
        ("source", Kind::Name),
        ("patient_group", Kind::Name),
        ("view", Kind::Name),
        ("fold", Kind::Number),
        ("patient_id", Kind::Name),
        ("text", Kind::Name),
    ];
    columns.extend(Finding::ALL.map(|finding| (finding.name(), Kind::Number)));
    records(Table::open(path, &columns)?)
}

/// A CSV manifest from any reader.
///
/// # Errors
/// As [`read_manifest`].
pub fn read_manifest_from(input: impl Read) -> Result<Vec<Record>, ManifestError> {
    records(Table::from_csv(input)?)
}

fn records(table: Table<'_>) -> Result<Vec<Record>, ManifestError> {
    let columns = Columns::find(&table)?;
    let mut records = Vec::new();
    let mut first = BTreeMap::new();
    for row in table.rows {
        let row = row?;
        let record = columns.record(&row)?;
        if let Some(first) = first.insert(record.path.clone(), row.place()) {
            return Err(ManifestError::DuplicatePath { path: record.path, first, second: row.place() });
        }
        records.push(record);
    }
    Ok(records)
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
    fn find(table: &Table<'_>) -> Result<Self, TableError> {
        let mut findings = [0; Finding::COUNT];
        for finding in Finding::ALL {
            findings[finding.index()] = table.required(finding.name())?;
        }
        Ok(Self {
            path: table.required("path")?,
            split: table.required("split")?,
            source: table.required("source")?,
            patient_group: table.required("patient_group")?,
            view: table.required("view")?,
            findings,
            fold: table.optional("fold"),
            patient_id: table.optional("patient_id"),
            text: table.optional("text"),
        })
    }

    fn record(&self, row: &TableRow) -> Result<Record, TableError> {
        let split = match row.cell(self.split) {
            "train" => Split::Train,
            "val" => Split::Val,
            "test" => Split::Test,
            value => return Err(row.wrong("split", value, "train, val or test")),
        };
        let fold = row
            .filled(self.fold)
            .map(|value| value.parse().map_err(|_| row.wrong("fold", value, "a whole number from 0 to 255")))
            .transpose()?;
        let mut annotations = [Annotation::NotAnnotated; Finding::COUNT];
        for finding in Finding::ALL {
            let value = row.cell(self.findings[finding.index()]);
            annotations[finding.index()] =
                annotation(value).ok_or_else(|| row.wrong(finding.name(), value, "1, 0, -1 or blank"))?;
        }
        let patient_group = row.not_blank("patient_group", self.patient_group)?;
        Ok(Record {
            place: row.place(),
            path: row.not_blank("path", self.path)?.into(),
            split,
            fold,
            source: row.not_blank("source", self.source)?,
            patient_id: row.filled(self.patient_id).unwrap_or(&patient_group).to_owned(),
            patient_group,
            view: row.cell(self.view).to_owned(),
            annotations,
            text: row.filled(self.text).map(str::to_owned),
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

    #[test]
    fn one_image_has_one_row() {
        let rows = ["a.png", "b.png", "a.png"].map(|path| Row::new(path, "p"));
        let error = read_manifest_from(fixture::manifest(&rows).as_bytes()).unwrap_err();
        assert_eq!(error.to_string(), "line 4, column `path`: `a.png` is also on line 2");
    }
}
