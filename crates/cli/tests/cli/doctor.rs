//! `medclip doctor`.

use serde_json::Value;

use crate::setting::{bundle, medclip, text};

const NOWHERE: &str = "/no/such/library";

#[test]
fn json_says_what_runs_and_what_is_missing() {
    let arguments = ["doctor", "--model", bundle().to_str().unwrap(), "--format", "json"];
    let output = medclip(&arguments).env("ORT_DYLIB_PATH", NOWHERE).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["medclip"]["version"], env!("CARGO_PKG_VERSION"));
    assert!(report["machine"]["cores"].as_u64().unwrap() > 0);
    let engines = report["engines"].as_array().unwrap();
    let names: Vec<_> = engines.iter().map(|engine| engine["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["tract", "rten", "ort-cpu", "cuda", "tensorrt"]);
    for engine in &engines[..2] {
        assert_eq!(engine["problem"], Value::Null, "pure Rust runs anywhere");
    }
    assert_eq!(report["auto"], "tract");
    for engine in &engines[2..] {
        let problem = engine["problem"].as_str().unwrap();
        assert!(problem.contains(NOWHERE) && problem.contains("pip install onnxruntime"), "{problem}");
    }
    assert_eq!(report["onnx_runtime"]["path"], Value::Null);
    assert_eq!((&report["model"]["name"], &report["model"]["problem"]), (&"tiny".into(), &Value::Null));
}

#[test]
fn text_is_for_people() {
    let output = medclip(&["doctor", "--model", bundle().to_str().unwrap()]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let report = text(&output.stdout);
    for part in
        ["medclip ", "hardware threads", "NVIDIA devices", "ONNX Runtime", "all sums verified", "Runs here"]
    {
        assert!(report.contains(part), "{part} in {report}");
    }
}

#[test]
fn only_what_was_asked_for_is_an_error() {
    let code = |arguments: &[&str]| {
        let output = medclip(&["doctor"]).args(arguments).env("ORT_DYLIB_PATH", NOWHERE).output().unwrap();
        assert!(!output.stdout.is_empty(), "the report comes first");
        (output.status.code(), text(&output.stderr).lines().count())
    };
    assert_eq!(code(&["--engine", "tract", "--engine", "rten"]), (Some(0), 0));
    assert_eq!(code(&["--engine", "ort-cpu"]), (Some(2), 1));
    assert_eq!(code(&["--model", "no/such/model"]), (Some(2), 1));
}
