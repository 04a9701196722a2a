//! Manifests and reports in Parquet files say what their CSV files say.
#![cfg(feature = "parquet")]
#![allow(clippy::unwrap_used, reason = "a test whose setting is broken fails")]

use std::error::Error;
use std::path::{Path, PathBuf};

use medclip_data::Split::{Train, Val};
use medclip_data::{Record, read_manifest, read_reports};

fn table(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/manifests").join(name)
}

#[test]
fn says_what_the_csv_file_says() {
    let read = |name: &str| {
        let said = |record: Record| {
            let who = (
                record.path,
                record.split,
                record.fold,
                record.source,
                record.patient_id,
                record.patient_group,
            );
            (who, record.view, record.annotations, record.text)
        };
        read_manifest(&table(name)).unwrap().into_iter().map(said).collect::<Vec<_>>()
    };
    assert_eq!(read("manifest.parquet").len(), 5);
    assert_eq!(read("manifest.parquet"), read("manifest.csv"));

    let reports = read_reports(&table("reports.parquet")).unwrap();
    let read: Vec<_> = reports.iter().map(|row| (row.id.as_str(), row.split, row.text.as_str())).collect();
    assert_eq!(
        read,
        [("3", Some(Train), "One."), ("1000000000000", None, "Two."), ("11", Some(Val), "Three.")]
    );
}

#[test]
fn faults_are_named_by_row_and_column() {
    let cases = [
        ("half", "row 2, column `Edema`: `0.5` is not 1, 0, -1 or blank"),
        ("not-a-number", "row 3, column `Edema`: `NaN` is not 1, 0, -1 or blank"),
        ("no-name", "row 3, column `patient_group`: `` is not a name"),
        ("truth-as-name", "row 1, column `source`: `true` is not text or a whole number"),
        ("missing-column", "column `Fracture` is missing; the columns are `path`, `split`"),
        ("twice", "row 4, column `path`: `b.png` is also on row 2"),
    ];
    for (name, message) in cases {
        let error = read_manifest(&table(&format!("{name}.parquet"))).unwrap_err().to_string();
        assert!(error.starts_with(message), "{error}");
    }
    let error = read_reports(&table("reports-dated.parquet")).unwrap_err().to_string();
    assert_eq!(error, "column `text` is of type date, but must be text");
    let error = read_reports(&table("manifest.parquet")).unwrap_err().to_string();
    assert!(error.starts_with("column `id` is missing; the columns are `path`"), "{error}");
}

#[test]
fn a_name_alone_makes_no_parquet_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("manifest.parquet");
    std::fs::write(&path, "path,split\n").unwrap();
    let error = read_manifest(&path).unwrap_err();
    assert_eq!(error.to_string(), "not a readable Parquet file");
    let cause = error.source().unwrap().to_string();
    assert!(cause.contains("does not begin with the letters PAR1"), "{cause}");
}
