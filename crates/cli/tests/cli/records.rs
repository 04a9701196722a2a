//! The record on standard output is the row on disk, field for field, whatever came of a film.

use std::fs;
use std::path::Path;
use std::process::Output;

use medclip_data::{Column, Kind, Table};
use serde_json::Value;
use tempfile::TempDir;

use crate::dicom_file::Builder;
use crate::setting::{bundle, images, json_lines, medclip, text};

/// Films of every outcome: scored, withheld, damaged, empty, no film, not there, and a DICOM film with all identifiers.
fn films() -> TempDir {
    let directory = images(&["a.png", "b.png"]);
    let at = |name: &str| directory.path().join(name);
    let whole = fs::read(at("b.png")).unwrap();
    fs::write(at("damaged.png"), &whole[..whole.len() - 40]).unwrap();
    fs::write(at("empty.png"), "").unwrap();
    fs::write(at("text.png"), "=cmd|' /C calc'!A0").unwrap();
    let ramp: Vec<u16> = (0..48 * 40).map(|index| 2 * index).collect();
    let file = Builder::gray(40, 48, 12)
        .text(0x0008_0020, *b"DA", "20240229")
        .text(0x0010_0020, *b"LO", "-17")
        .text(0x0010_0040, *b"CS", "F")
        .text(0x0010_1010, *b"AS", "045Y")
        .text(0x0018_5101, *b"CS", "LL")
        .pixels(&ramp)
        .file();
    fs::write(at("film.dcm"), file).unwrap();
    directory
}

const INPUTS: [&str; 7] =
    ["a.png", "damaged.png", "film.dcm", "empty.png", "text.png", "missing.png", "b.png"];

const CHECKS: [&str; 6] = ["--qc", "low_resolution=pass", "--qc", "border=pass", "--qc", "lateral=abstain"];

const COLUMNS: [&str; 2] = ["--columns", "patient_id,study_date,sex,age,embedding"];

fn score(directory: &Path, model: &Path, precision: &str, more: &[&str]) -> Output {
    let mut command = medclip(&["score", "--model", model.to_str().unwrap(), "--precision", precision]);
    command.current_dir(directory).args(INPUTS).args(CHECKS).args(COLUMNS).args(more).output().unwrap()
}

fn check(directory: &Path, model: &Path, precision: &str) -> Vec<Value> {
    let printed = score(directory, model, precision, &["--format", "json"]);
    assert_eq!(printed.status.code(), Some(1), "{}", text(&printed.stderr));
    let printed = json_lines(&printed);
    let name = |end: &str| format!("{precision}.{end}");
    for end in ["jsonl", "csv", "parquet"] {
        let written = score(directory, model, precision, &["--output", &name(end)]);
        assert_eq!(written.status.code(), Some(1), "{}", text(&written.stderr));
    }
    let lines = fs::read_to_string(directory.join(name("jsonl"))).unwrap();
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(printed, lines);

    let csv = score(directory, model, precision, &["--format", "csv"]);
    assert_eq!(text(&csv.stdout), fs::read_to_string(directory.join(name("csv"))).unwrap());

    // Of Parquet, the columns that have one value a row.
    let mut columns: Vec<String> =
        ["path", "view", "patient_id", "study_date", "sex", "age", "engine", "error"]
            .map(str::to_owned)
            .into();
    columns.extend(["model_id", "error_kind"].map(str::to_owned));
    let scalars = columns.len();
    for class in medclip_tests::CLASSES {
        columns.extend([format!("{class} logit"), format!("{class} probability")]);
    }
    let kind = |column| if column < scalars { Kind::Text } else { Kind::Number };
    let wanted = columns.iter().enumerate();
    let wanted: Vec<Column> =
        wanted.map(|(column, name)| Column::required(name.clone(), kind(column))).collect();
    let rows = Table::open(&directory.join(name("parquet")), &wanted).unwrap();
    for (row, line) in rows.map(Result::unwrap).zip(&lines) {
        for (column, name) in columns.iter().enumerate() {
            let expected = if column < scalars {
                line[name].as_str().unwrap_or_default().to_owned()
            } else {
                let (class, key) = name.rsplit_once(' ').unwrap();
                let findings = line["findings"].as_array().unwrap().iter();
                let found = findings.clone().find(|finding| finding["name"] == class);
                found.map_or_else(String::new, |finding| finding[key].as_f64().unwrap().to_string())
            };
            let cell = row.cell(column);
            let is_same = match (cell.parse::<f32>(), expected.parse::<f32>()) {
                (Ok(cell), Ok(expected)) if column >= scalars => cell == expected,
                _ => cell == expected,
            };
            assert!(is_same, "{name}: {cell:?} and {expected:?}");
        }
    }
    lines
}

#[test]
fn what_is_printed_is_what_is_written() {
    let directory = films();
    let lines = check(directory.path(), bundle(), "fp32");
    let kinds: Vec<_> = lines.iter().map(|line| line["error_kind"].as_str()).collect();
    assert_eq!(
        kinds,
        [None, Some("truncated"), Some("withheld"), Some("empty"), Some("unknown_format"), Some("io"), None]
    );
    let film = &lines[2];
    assert_eq!(film["error"], "withheld by intake checks: lateral");
    assert_eq!(
        (&film["view"], &film["patient_id"], &film["age"]),
        (&"LL".into(), &"-17".into(), &"045Y".into())
    );
    assert_eq!(film["qc"], serde_json::json!(["lateral"]));
    assert!(lines[0]["embedding"].is_array() && film["embedding"].is_null());
}

#[cfg(feature = "import")]
#[test]
fn and_so_it_is_in_every_precision() {
    let directory = films();
    let phantoms = tempfile::tempdir().unwrap();
    let calibrate = phantoms.path().to_str().unwrap();
    assert!(
        medclip(&["phantom", "-o", calibrate, "--count", "40", "--size", "64"])
            .output()
            .unwrap()
            .status
            .success()
    );
    let model = directory.path().join("model");
    let wide = "cosine=0.9,top1=0,auroc=1";
    for precision in ["fp16", "int8"] {
        let from = if model.exists() { model.as_path() } else { bundle() };
        let out = directory.path().join(format!("model-{precision}"));
        let [from, to] = [from, &out].map(|path| path.to_str().unwrap().to_owned());
        let arguments = [
            "quantize",
            "--model",
            &from,
            "-o",
            &to,
            "--precision",
            precision,
            "--calibrate",
            calibrate,
            "--gate",
            wide,
        ];
        let made = medclip(&arguments).output().unwrap();
        assert!(made.status.success(), "{}", text(&made.stderr));
        let lines = check(directory.path(), &out, precision);
        assert_eq!(lines[0]["engine"], format!("tract/{precision}"));
    }
}
