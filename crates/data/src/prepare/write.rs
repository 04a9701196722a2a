//! A prepared data set as a manifest.

use std::io::{self, Write};
use std::path::Path;

use medclip_core::Finding;
use medclip_files::{StagingError, replace_file_with};

use super::prepared::PreparedData;
use crate::manifest::{Annotation, Split};
use crate::spreadsheet::guard_cell;

impl PreparedData {
    /// Writes the manifest as CSV that [`read_manifest_from`](crate::read_manifest_from) reads.
    ///
    /// Columns, in this order: `path`, `split`, `source`, `patient_id`, `patient_group`, `view`, the 14 findings (`1`, `0`, `-1`
    /// or blank), `finding_raw` (the source's own labels), `text`. The same rows give the same bytes.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write(&self, out: impl Write) -> io::Result<()> {
        let mut csv = csv::Writer::from_writer(out);
        let findings = Finding::ALL.map(Finding::name);
        let start = ["path", "split", "source", "patient_id", "patient_group", "view"];
        csv.write_record(start.iter().chain(&findings).chain(&["finding_raw", "text"]))?;
        for row in &self.rows {
            let split = match row.split {
                Split::Train => "train",
                Split::Val => "val",
                Split::Test => "test",
            };
            let (path, patient, view) =
                (guard_cell(&row.path), guard_cell(&row.patient), guard_cell(&row.view));
            let (labels, text) =
                (guard_cell(&row.labels), guard_cell(row.text.as_deref().unwrap_or_default()));
            let start = [&*path, split, self.data_set.name(), &*patient, &*patient, &*view];
            let findings = row.annotations.map(cell);
            csv.write_record(start.iter().chain(&findings).chain(&[&*labels, &*text]))?;
        }
        csv.flush()
    }

    /// Writes the manifest to a file, which appears whole or not at all.
    ///
    /// # Errors
    /// [`StagingError`]; what was in the place before is then there still.
    pub fn save(&self, path: &Path) -> Result<(), StagingError> {
        replace_file_with(path, |out| self.write(out))
    }
}

const fn cell(annotation: Annotation) -> &'static str {
    match annotation {
        Annotation::Present => "1",
        Annotation::Absent => "0",
        Annotation::Uncertain => "-1",
        Annotation::NotAnnotated => "",
    }
}
