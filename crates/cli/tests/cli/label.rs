//! `medclip label`.

use std::fs;

use serde_json::json;

use crate::setting::{json_lines, medclip, text};

const REPORT: &str = "The heart is enlarged. No pneumothorax.";

#[test]
fn standard_input_is_one_report() {
    for arguments in [&["label", "--format", "json"][..], &["label", "--format", "json", "-"]] {
        let output = medclip(arguments).write_stdin(REPORT).output().unwrap();
        assert_eq!(output.status.code(), Some(0));
        let lines = json_lines(&output);
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0]["path"], "-");
        assert_eq!(
            lines[0]["labels"],
            json!({"No Finding": "negative", "Cardiomegaly": "positive", "Pneumothorax": "negative"})
        );
        assert!(lines[0].get("sentences").is_none());
    }
}

#[test]
fn sentences_are_told_apart_when_asked_for() {
    let output = medclip(&["label", "--sentences", "--format", "json"]).write_stdin(REPORT).output().unwrap();
    let lines = json_lines(&output);
    let sentences = lines[0]["sentences"].as_array().unwrap();
    assert_eq!(sentences.len(), 2);
    assert_eq!(sentences[1]["text"], "No pneumothorax.");
    assert_eq!(sentences[1]["labels"], json!({"Pneumothorax": "negative"}));
    let table = medclip(&["label", "--sentences"]).write_stdin(REPORT).output().unwrap();
    assert!(text(&table.stdout).contains("Pneumothorax negative"));
}

#[test]
fn csv_columns_hold_a_report_a_row() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("reports.csv");
    fs::write(&path, "id,text\n1,\"Cardiomegaly, mild.\"\n2,No effusion.\n3\n").unwrap();
    let path = path.to_str().unwrap();
    let output = medclip(&["label", "--csv", "text", "--format", "csv", path]).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "the last row is too short");
    let rows = text(&output.stdout);
    let rows: Vec<_> = rows.lines().collect();
    assert!(rows[0].starts_with("path,row,error,No Finding,Enlarged Cardiomediastinum,Cardiomegaly,"));
    assert_eq!(rows.len(), 4);
    assert!(rows[1].starts_with(&format!("{path},1,,negative,,positive,")), "{}", rows[1]);
    assert!(rows[2].starts_with(&format!("{path},2,,")) && rows[2].contains("negative"));
    assert!(rows[3].starts_with(&format!("{path},3,")));

    let output = medclip(&["label", "--csv", "report", path]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let message = text(&output.stderr);
    assert!(message.contains("column `report` is missing; the columns are `id`, `text`"), "{message}");
}

#[test]
fn a_row_is_never_labeled_by_the_text_of_another() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("reports.csv");
    let label = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        medclip(&["label", "--csv", "text", "--format", "json", path.to_str().unwrap()]).output().unwrap()
    };
    for table in [
        "id,text\n1,\"Clear lungs.\n2,Large pneumothorax.\n",
        "id,text\n1,\"Clear lungs.\n2,Large pneumothorax.\"\n",
        "id,text\n1,\"Clear lungs.\n2,\"Large pneumothorax.\"\n",
        "id;text\n1;\"Clear lungs.\n2;Large pneumothorax.\n",
        "text\n\"Clear lungs.\nLarge pneumothorax.\n",
    ] {
        let output = label(table.as_bytes());
        assert_eq!(output.status.code(), Some(1), "{table:?}");
        let lines = text(&output.stdout);
        let first: serde_json::Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
        assert_eq!((&first["row"], &first["labels"]), (&1.into(), &serde_json::json!({})), "{table:?}");
        assert!(first["error"].as_str().unwrap().starts_with("row 1 (line 2), column `text`: "), "{first}");
    }
    let table = "Text;id\r\n\"No effusion;\r\nLarge pneumothorax.\";1\r\n";
    let utf16: Vec<u8> =
        "\u{feff}".encode_utf16().chain(table.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    for bytes in [table.as_bytes(), &utf16] {
        let output = label(bytes);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        assert!(text(&output.stdout).contains("\"Pneumothorax\":\"positive\""), "{}", text(&output.stdout));
    }
}

#[test]
fn a_missing_file_leaves_the_rest() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("good.txt"), REPORT).unwrap();
    let mut command = medclip(&["label", "--format", "json", "missing.txt", "good.txt"]);
    let output = command.current_dir(directory.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let lines = json_lines(&output);
    assert!(lines[0]["error"].as_str().unwrap().contains("No such file"));
    assert_eq!(lines[1]["labels"]["Cardiomegaly"], "positive");
}

#[test]
fn phantoms_are_written_once() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("phantoms");
    let arguments = ["phantom", "-o", path.to_str().unwrap(), "--count", "2", "--size", "128"];
    assert_eq!(medclip(&arguments).output().unwrap().status.code(), Some(0));
    assert!(path.join("manifest.csv").is_file());
    let again = medclip(&arguments).output().unwrap();
    assert_eq!(again.status.code(), Some(2));
    assert!(text(&again.stderr).contains("exists"));
}
