//! Which report texts training may read, and which image each belongs to.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::Path;

use thiserror::Error;

use crate::columns::{Column, Kind};
use crate::error::TableError;
use crate::manifest::{Record, Split};
use crate::place::Place;
use crate::selection::Selection;
use crate::table::Table;

/// One row of a reports file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportRow {
    /// The `patient_id` of the images it describes.
    pub id: String,
    /// Part of the data; decides for reports whose images are not in the manifest.
    pub split: Option<Split>,
    /// The report.
    pub text: String,
}

/// Why a reports file was refused.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReportsError {
    /// The file, a column or a cell of it.
    #[error(transparent)]
    Table(#[from] TableError),
    /// Two rows for one patient: which images belong to which is unknown.
    #[error("report `{id}` occurs twice")]
    Duplicate {
        /// The id.
        id: String,
        /// Its first row.
        first: Place,
        /// Its second row.
        second: Place,
    },
}

impl ReportsError {
    /// The error in words that name no patient; the row says where it is.
    pub fn unnamed(&self) -> String {
        match self {
            Self::Table(error) => error.unnamed(),
            Self::Duplicate { first, second, .. } => {
                format!("{second}, column `id`: it is the id of {first} too; keep one report of a patient")
            }
        }
    }
}

/// Reads a reports file with columns `id`, `text` and perhaps `split`; others are ignored, and so are rows in which every cell
/// is blank.
///
/// The file is CSV in any form that [`Table`] reads, or Parquet, which needs the feature `parquet`.
///
/// # Errors
/// [`ReportsError`].
pub fn read_reports(path: &Path) -> Result<Vec<ReportRow>, ReportsError> {
    reports(Table::open(path, &columns())?)
}

/// A CSV file of reports from any reader.
///
/// # Errors
/// As [`read_reports`].
pub fn read_reports_from(input: impl Read) -> Result<Vec<ReportRow>, ReportsError> {
    reports(Table::from_reader(input, &columns())?)
}

/// Places in [`columns`].
const ID: usize = 0;
const TEXT: usize = 1;
const SPLIT: usize = 2;

fn columns() -> [Column; 3] {
    [
        Column::required("id", Kind::Name),
        Column::required("text", Kind::Text),
        Column::optional("split", Kind::Name),
    ]
}

fn reports(table: Table<'_>) -> Result<Vec<ReportRow>, ReportsError> {
    let mut seen = BTreeMap::new();
    let mut reports = Vec::new();
    for row in table {
        let row = row?;
        if row.is_blank() {
            continue;
        }
        let split = match row.filled(SPLIT) {
            None => None,
            Some("train") => Some(Split::Train),
            Some("val") => Some(Split::Val),
            Some("test") => Some(Split::Test),
            Some(value) => return Err(row.wrong("split", value, "train, val, test or blank").into()),
        };
        let id = row.filled(ID).ok_or_else(|| row.wrong("id", "", "a name"))?.to_owned();
        if let Some(first) = seen.insert(id.clone(), row.place()) {
            return Err(ReportsError::Duplicate { id, first, second: row.place() });
        }
        reports.push(ReportRow { id, split, text: row.cell(TEXT).to_owned() });
    }
    Ok(reports)
}

/// The texts training may read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TrainingReports {
    /// Distinct reports.
    pub texts: Vec<String>,
    /// For every record of the manifest the index of its report in `texts`, if training may read one.
    pub of_record: Vec<Option<usize>>,
}

impl TrainingReports {
    /// The reports of patients whom the training selection admits by split and fold, whatever their source and view:
    /// images and sentences need not come from the same data.
    ///
    /// A record's report is its own `text`, or else the row of `rows` whose id is its `patient_id`. Patient groups in
    /// `silent` are left out, and so are their rows. A row that fits no record is used when its split is one of the
    /// selection's and its id in the selection's share, drawn with `seed`.
    pub fn gather(
        records: &[Record],
        rows: &[ReportRow],
        train: &Selection,
        silent: &BTreeSet<&str>,
        seed: u64,
    ) -> Self {
        let by_id: BTreeMap<&str, &str> =
            rows.iter().map(|row| (row.id.as_str(), row.text.as_str())).collect();
        let mut index_of = BTreeMap::new();
        let mut texts = Vec::new();
        let of_record = records
            .iter()
            .map(|record| {
                if !train.admits_part(record) || silent.contains(record.patient_group.as_str()) {
                    return None;
                }
                let patient = record.patient_id.as_str();
                let text = record.text.as_deref().or_else(|| by_id.get(patient).copied())?;
                Some(*index_of.entry((patient, text)).or_insert_with(|| {
                    texts.push(text.to_owned());
                    texts.len() - 1
                }))
            })
            .collect();

        let patients: BTreeSet<&str> = records.iter().map(|record| record.patient_id.as_str()).collect();
        let without_image: Vec<&ReportRow> = rows
            .iter()
            .filter(|row| {
                !patients.contains(row.id.as_str())
                    && (train.splits.is_empty()
                        || row.split.is_some_and(|split| train.splits.contains(&split)))
            })
            .collect();
        let kept = train.share(without_image.iter().map(|row| row.id.as_str()), seed);
        let shared = without_image.iter().filter(|row| kept.contains(row.id.as_str()));
        texts.extend(shared.map(|row| row.text.clone()));
        Self { texts, of_record }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{Row, records};

    fn rows(text: &str) -> Result<Vec<ReportRow>, ReportsError> {
        read_reports_from(text.as_bytes())
    }

    #[test]
    fn held_out_patients_lend_no_words() {
        let records = records(&[
            Row { text: "own words", ..Row::new("a", "1") },
            Row { text: "own words", view: "Lateral", ..Row::new("b", "1") },
            Row { fold: "1", text: "other fold", ..Row::new("c", "2") },
            Row::new("d", "3"),
            Row { text: "evaluated", ..Row::new("e", "4") },
            Row::new("f", "5"),
        ]);
        let rows = rows(
            "id,split,text,extra\n3,train,from the file,x\n2,train,leak,x\n9,train,no image,x\n8,val,held out,x\n",
        )
        .unwrap();
        let train = Selection { exclude_folds: vec![1], splits: vec![Split::Train], ..Selection::default() };
        let reports = TrainingReports::gather(&records, &rows, &train, &BTreeSet::from(["4"]), 1);
        assert_eq!(reports.texts, ["own words", "from the file", "no image"]);
        assert_eq!(reports.of_record, [Some(0), Some(0), None, Some(1), None, None]);
    }

    #[test]
    fn reports_without_images_are_shared_out() {
        let text =
            (0..10).fold(String::from("id,text\n"), |text, id| text + &format!("{id},words of {id}\n"));
        let rows = rows(&text).unwrap();
        let texts = |fraction| {
            let train = Selection { fraction, ..Selection::default() };
            TrainingReports::gather(&[], &rows, &train, &BTreeSet::new(), 1).texts
        };
        assert_eq!((texts(None).len(), texts(Some(0.3)).len()), (10, 3));
        assert!(texts(Some(0.3)).iter().all(|text| texts(Some(0.6)).contains(text)));
    }

    #[test]
    fn refuses_what_is_ambiguous() {
        let error = rows("id,text\n1,a\n1,b\n").unwrap_err();
        assert_eq!(error.to_string(), "report `1` occurs twice");
        assert_eq!(
            error.unnamed(),
            "row 2 (line 3), column `id`: it is the id of row 1 (line 2) too; keep one report of a patient"
        );
        let message = |text| rows(text).unwrap_err().to_string();
        assert_eq!(message("id,body\n1,a\n"), "column `text` is missing; the columns are `id`, `body`");
        assert_eq!(
            message("id,split,text\n1,validate,a\n"),
            "row 1 (line 2), column `split`: `validate` is not train, val, test or blank"
        );
        assert_eq!(message("id,text\n1,a\n,b\n"), "row 2 (line 3), column `id`: `` is not a name");
        assert!(
            message("id,text\n1,a\n2,b,c\n")
                .starts_with("row 2 (line 3): the row has 3 cells and the header 2")
        );
        assert!(
            message("id,text\n1,a\n2\n").starts_with("row 2 (line 3): the row has 1 cells and the header 2")
        );
        assert!(
            message("id,text\n1,\"a\n2,b\n").starts_with("row 1 (line 2), column `text`: the quotation mark")
        );
        // Two marks, each alone: what is between them has the form of a text of two lines, but is a row.
        assert!(
            message("id,text\n1,\"a\n2,b\"\n").starts_with("row 1 (line 2), column `text`: the quoted cell")
        );
    }
}
