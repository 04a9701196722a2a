//! A data set's directory, made for one test.

use std::error::Error;
use std::fs;
use std::path::Path;

use medclip_data::{
    Annotation, DataSet, PrepareError, PrepareOptions, PreparedData, prepare, read_manifest_from,
};

/// The first line of every manifest.
pub(crate) const HEADER: &str = "path,split,source,patient_id,patient_group,view,No Finding,Enlarged Cardiomediastinum,Cardiomegaly,\
    Lung Lesion,Lung Opacity,Edema,Consolidation,Pneumonia,Atelectasis,Pneumothorax,Pleural Effusion,Pleural Other,Fracture,\
    Support Devices,finding_raw,text\n";

pub(crate) struct Tree {
    data_set: DataSet,
    directory: tempfile::TempDir,
}

impl Tree {
    pub(crate) fn new(name: &str) -> Self {
        Self { data_set: name.parse().unwrap(), directory: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Writes a file in place of the one that is there.
    pub(crate) fn write(&self, file: &str, bytes: impl AsRef<[u8]>) -> &Self {
        let path = self.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
        self
    }

    /// Makes images: no adapter opens them.
    pub(crate) fn images<'a>(&self, files: impl IntoIterator<Item = &'a str>) -> &Self {
        for file in files {
            self.write(file, "");
        }
        self
    }

    pub(crate) fn remove(&self, file: &str) -> &Self {
        fs::remove_file(self.path().join(file)).unwrap();
        self
    }

    /// Replaces a part of a file, which must be there once.
    pub(crate) fn edit(&self, file: &str, from: &str, to: &str) -> &Self {
        let text = fs::read_to_string(self.path().join(file)).unwrap();
        assert_eq!(text.matches(from).count(), 1, "{file}: {from}");
        self.write(file, text.replace(from, to))
    }

    pub(crate) fn prepare(&self) -> PreparedData {
        self.prepare_with(&PrepareOptions::default())
    }

    pub(crate) fn prepare_with(&self, options: &PrepareOptions) -> PreparedData {
        prepare(self.data_set, self.path(), options).unwrap_or_else(|error| panic!("{}", chain(&error)))
    }

    pub(crate) fn try_prepare(&self, options: &PrepareOptions) -> Result<PreparedData, PrepareError> {
        prepare(self.data_set, self.path(), options)
    }

    /// The words in which the directory is refused, with those of all causes.
    pub(crate) fn refused(&self) -> String {
        self.refused_with(&PrepareOptions::default())
    }

    pub(crate) fn refused_with(&self, options: &PrepareOptions) -> String {
        let error = prepare(self.data_set, self.path(), options).unwrap_err();
        chain(&error).replace(self.path().to_str().unwrap(), "DIR")
    }

    /// Refused when a part of a file is another.
    pub(crate) fn refused_after(&self, file: &str, from: &str, to: &str) -> String {
        let before = fs::read_to_string(self.path().join(file)).unwrap();
        let refused = self.edit(file, from, to).refused();
        self.write(file, before);
        refused
    }
}

fn chain(error: &dyn Error) -> String {
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        words = format!("{words}: {error}");
        source = error.source();
    }
    words
}

/// The manifest without its first line, after it was read back.
pub(crate) fn rows(prepared: &PreparedData) -> String {
    let mut bytes = Vec::new();
    prepared.write(&mut bytes).unwrap();
    let records = read_manifest_from(bytes.as_slice()).unwrap();
    assert_eq!(records.len(), prepared.rows.len());
    for (record, row) in records.iter().zip(&prepared.rows) {
        assert_eq!(record.path, Path::new(&row.path));
        assert_eq!((record.split, record.annotations), (row.split, row.annotations));
        assert_eq!((&record.patient_id, &record.patient_group), (&row.patient, &row.patient));
        assert_eq!((record.source.as_str(), &record.view), (prepared.data_set.name(), &row.view));
        assert_eq!(record.text, row.text);
        assert_eq!(record.labels.as_deref().unwrap_or_default(), row.labels);
    }
    let text = String::from_utf8(bytes).unwrap();
    text.strip_prefix(HEADER).unwrap_or_else(|| panic!("{text}")).to_owned()
}

/// What is annotated of a row, as `1`, `0`, `-` (uncertain) or `.` (blank) for each finding.
pub(crate) fn marks(prepared: &PreparedData, row: usize) -> String {
    let mark = |annotation: &Annotation| match annotation {
        Annotation::Present => '1',
        Annotation::Absent => '0',
        Annotation::Uncertain => '-',
        Annotation::NotAnnotated => '.',
    };
    prepared.rows[row].annotations.iter().map(mark).collect()
}

/// What was left out, as `reason: count`.
pub(crate) fn left_out(prepared: &PreparedData) -> Vec<String> {
    prepared.left_out.iter().map(|(reason, count)| format!("{reason}: {count}")).collect()
}

/// Labels without a finding, as `label: count`.
pub(crate) fn unmapped(prepared: &PreparedData) -> Vec<String> {
    prepared.unmapped_labels.iter().map(|(label, count)| format!("{label}: {count}")).collect()
}
