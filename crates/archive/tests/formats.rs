//! The same rows in every format, in input order, whatever breaks.

#![allow(clippy::unwrap_used, reason = "a test whose setting is broken fails")]

mod support;

use std::fs;
use std::path::Path;

use medclip_archive::{EmbeddingsError, Format, Target, read_embeddings};
use parquet::file::reader::{FileReader, SerializedFileReader};
use serde_json::Value;
use support::{PATIENT, files, go, open, settings};

/// The lines of a run of six inputs, written as `format`.
fn run(root: &Path, format: Format, wide: bool) -> std::path::PathBuf {
    let mut inputs = files(root, 4);
    let dicom = root.join("dicom.png");
    fs::write(&dicom, "dicom, \"quoted\"").unwrap();
    inputs.extend([dicom, root.join("missing.png")]);
    let mut settings = settings(format, 4);
    if wide {
        settings.schema.patient = PATIENT;
    }
    settings.schema.embedding_dim = wide.then_some(3);
    let file = root.join(format!("scores.{}", format.extension()));
    go(&mut open(&Target::File(file.clone()), settings, &inputs).unwrap());
    file
}

#[test]
fn json_lines_hold_every_input_in_order() {
    let root = tempfile::tempdir().unwrap();
    let text = fs::read_to_string(run(root.path(), Format::Jsonl, true)).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let kinds: Vec<_> = lines.iter().map(|line| line["error_kind"].as_str()).collect();
    assert_eq!(kinds, [None, None, None, Some("damaged"), None, Some("io")]);
    assert_eq!(lines[3]["error"], "is broken");
    let keys: Vec<_> = lines[0].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        keys.join(" "),
        "path sop_instance_uid study_instance_uid view patient_id study_date sex age model model_id engine qc notes findings \
         embedding error_kind error schema"
    );
    assert_eq!(lines[4]["sop_instance_uid"], "1.2.3");
    assert_eq!(lines[4]["patient_id"], "P 1");
    assert_eq!([&lines[4]["view"], &lines[4]["study_date"]], ["PA", "20240229"]);
    assert_eq!([&lines[4]["sex"], &lines[4]["age"]], ["F", "045Y"]);
    assert_eq!(lines[0]["schema"], 1);
    assert_eq!(lines[4]["qc"], serde_json::json!(["lateral", "border"]));
    assert_eq!(lines[4]["notes"], serde_json::json!(["no_preamble", "odd_window"]));
    assert_eq!(lines[4]["findings"][1]["name"], "Pleural Effusion");
    assert_eq!(lines[4]["embedding"].as_array().unwrap().len(), 3);
    assert!(lines[3]["embedding"].is_null());
}

#[test]
fn csv_says_what_json_says() {
    let root = tempfile::tempdir().unwrap();
    let mut reader = csv::Reader::from_path(run(root.path(), Format::Csv, false)).unwrap();
    let header: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    assert_eq!(
        header.join(","),
        "path,sop_instance_uid,study_instance_uid,view,model,model_id,engine,qc,notes,error_kind,error,Cardiomegaly logit,\
         Cardiomegaly probability,Pleural Effusion logit,Pleural Effusion probability,schema"
    );
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 6);
    assert_eq!((&rows[4][7], &rows[4][8], &rows[4][9]), ("lateral;border", "no_preamble;odd_window", ""));
    assert_eq!((&rows[3][9], &rows[3][10], &rows[3][11]), ("damaged", "is broken", ""));
    assert!(rows[4][11].parse::<f32>().unwrap() > 0.0);
}

#[test]
fn parquet_says_what_json_says() {
    let root = tempfile::tempdir().unwrap();
    let file = run(root.path(), Format::Parquet, true);
    let reader = SerializedFileReader::new(fs::File::open(&file).unwrap()).unwrap();
    assert_eq!(reader.metadata().num_row_groups(), 2);
    let said = reader.metadata().file_metadata().key_value_metadata().unwrap();
    assert!(said.iter().any(|pair| pair.value.as_deref() == Some("Research use only, not for diagnosis.")));
    let rows: Vec<_> = reader.get_row_iter(None).unwrap().map(|row| row.unwrap().to_string()).collect();
    assert_eq!(rows.len(), 6);
    assert!(rows[4].contains(r#"patient_id: "P 1""#), "{}", rows[4]);
    assert!(
        rows[4].contains(r#"qc: ["lateral", "border"], notes: ["no_preamble", "odd_window"]"#),
        "{}",
        rows[4]
    );
    assert!(rows[0].contains("qc: []") && rows[0].contains("error_kind: null"), "{}", rows[0]);
    assert!(
        rows[3].contains(r#"error_kind: "damaged", error: "is broken", Cardiomegaly logit: null"#),
        "{}",
        rows[3]
    );
    assert!(rows[5].contains("embedding: null, schema: 1"), "{}", rows[5]);

    let mut read = Vec::new();
    let without = read_embeddings(&file, |path, model, embedding| {
        read.push((path.to_owned(), model.to_owned(), embedding.to_vec()));
        Ok::<_, EmbeddingsError>(())
    });
    assert_eq!((without.unwrap(), read.len()), (2, 4));
    assert!(read[3].0.ends_with("dicom.png"));
    assert_eq!((read[3].1.len(), read[3].2.len(), read[3].2[2]), (64, 3, -0.25));
}

#[test]
fn files_without_embeddings_are_refused_by_column() {
    let root = tempfile::tempdir().unwrap();
    let file = run(root.path(), Format::Parquet, false);
    let read =
        |path: &Path| read_embeddings(path, |_, _, _| Ok::<_, EmbeddingsError>(())).unwrap_err().to_string();
    assert!(read(&file).contains("no column `embedding`"));
    let text = root.path().join("text.parquet");
    fs::write(&text, "PAR1").unwrap();
    assert!(read(&text).contains("is not a readable Parquet file"));
}

/// Numbers that a file states are looked at before the library reserves memory by them.
#[test]
fn embeddings_are_read_by_the_reader_of_tables() {
    let root = tempfile::tempdir().unwrap();
    let file = run(root.path(), Format::Parquet, true);
    let mut bytes = fs::read(&file).unwrap();
    let root_of_schema = b"\x03row\x15";
    let at = bytes.windows(root_of_schema.len()).rposition(|run| run == root_of_schema).unwrap();
    // More columns than the schema lists: 63, as zigzag writes it.
    bytes[at + root_of_schema.len()] = 126;
    let damaged = root.path().join("damaged.parquet");
    fs::write(&damaged, bytes).unwrap();
    let error = read_embeddings(&damaged, |_, _, _| Ok::<_, EmbeddingsError>(())).unwrap_err();
    let EmbeddingsError::Parquet { source, .. } = error else { panic!("{error}") };
    assert!(source.to_string().contains("its description is damaged"), "{source}");
}

#[test]
fn every_fault_is_the_row_of_its_input() {
    for batch in [1, 4, 64] {
        let root = tempfile::tempdir().unwrap();
        let inputs = files(root.path(), 40);
        let target = Target::File(root.path().join("scores.jsonl"));
        let mut run = open(&target, settings(Format::Jsonl, 16), &inputs).unwrap();
        let stages = support::Texts::new(run.settings(), u64::MAX);
        let stop = std::sync::atomic::AtomicBool::new(false);
        medclip_archive::work(&mut run, &stages, &support::threads(3, 2, batch), &stop, |_, _| Ok(()))
            .unwrap();
        let text = fs::read_to_string(root.path().join("scores.jsonl")).unwrap();
        for (number, line) in text.lines().enumerate() {
            let line: Value = serde_json::from_str(line).unwrap();
            assert_eq!(line["path"], inputs[number].to_str().unwrap());
            let expected = ["damaged", "panic", "panic", "engine"][number / 7 % 4];
            let expected = if number % 7 == 3 { Value::from(expected) } else { Value::Null };
            assert_eq!(line["error_kind"], expected, "{line}");
        }
        assert_eq!(text.lines().count(), 40);
        assert_eq!(run.summary().failures["panic"], 3);
    }
}
