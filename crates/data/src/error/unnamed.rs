//! Errors in words that name no patient.

use super::TableError;

/// Names of columns and contents of cells that say nothing of a patient, in small letters. A header that is none, or a cell that
/// slipped into another column, may.
const HARMLESS: [&str; 70] = [
    "absent",
    "age",
    "body",
    "dataset",
    "date",
    "dev",
    "dicom",
    "dicom_path",
    "error",
    "false",
    "file",
    "file_name",
    "file_path",
    "filename",
    "files",
    "filepath",
    "findings",
    "fold",
    "image",
    "image_id",
    "image_path",
    "images",
    "impression",
    "id",
    "index",
    "inf",
    "label",
    "labels",
    "logit",
    "model",
    "na",
    "name",
    "nan",
    "negative",
    "no",
    "none",
    "null",
    "patient",
    "patient_group",
    "patient_id",
    "patientid",
    "path",
    "paths",
    "positive",
    "present",
    "probability",
    "qc",
    "report",
    "report_id",
    "reports",
    "sex",
    "source",
    "split",
    "study",
    "study_id",
    "subject",
    "subject_id",
    "test",
    "text",
    "train",
    "training",
    "true",
    "uid",
    "uncertain",
    "val",
    "valid",
    "validate",
    "validation",
    "view",
    "yes",
];

/// Whether a text is one of [`HARMLESS`], or a number too short to tell one patient from another.
fn is_harmless(text: &str) -> bool {
    let is_short_number = text.len() <= 4 && text.parse::<f64>().is_ok();
    text.is_empty() || is_short_number || HARMLESS.iter().any(|word| word.eq_ignore_ascii_case(text))
}

impl TableError {
    /// The error in words that quote no cell and no column that could name a patient; the row says where it is.
    ///
    /// A table without a header has its first row in the place of the columns' names.
    pub fn unnamed(&self) -> String {
        match self {
            Self::MissingColumn { column, present } => match present.0.len() {
                count if present.0.iter().all(|name| is_harmless(name)) || count == 0 => self.to_string(),
                1 => format!("column `{column}` is missing; there is one column, of another name"),
                count => format!("column `{column}` is missing; there are {count} columns, of other names"),
            },
            Self::Value { place, column, value, expected } if !is_harmless(value) => {
                format!("{place}, column `{column}`: the value is not {expected}")
            }
            Self::Ragged { place, expected, actual, separator, .. } => format!(
                "{place}: the row has {actual} cells and the header {expected}; quote cells that contain the separator, \
                 {separator}"
            ),
            _ => self.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Names;
    use crate::place::Place;

    #[test]
    fn unnamed_words_quote_nothing_of_a_patient() {
        let missing = |present: &[&str]| {
            let present = Names(present.iter().map(|name| (*name).to_owned()).collect());
            TableError::MissingColumn { column: "path".to_owned(), present }.unnamed()
        };
        assert_eq!(missing(&["file", "ID"]), "column `path` is missing; the columns are `file`, `ID`");
        assert_eq!(missing(&["smith.png"]), "column `path` is missing; there is one column, of another name");
        assert_eq!(
            missing(&["id", "smith"]),
            "column `path` is missing; there are 2 columns, of other names"
        );
        let value = |value: &str| {
            let (column, value) = ("split".to_owned(), value.to_owned());
            TableError::Value { place: Place::line(1, 2), column, value, expected: "train or val" }.unnamed()
        };
        assert_eq!(value("dev"), "row 1 (line 2), column `split`: `dev` is not train or val");
        for cell in ["Smith", "1234567", "films/smith.png"] {
            assert_eq!(value(cell), "row 1 (line 2), column `split`: the value is not train or val");
        }
    }
}
