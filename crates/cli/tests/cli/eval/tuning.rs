//! What the tests of fine-tuning and of prompt tuning share.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use medclip_core::Finding;
use medclip_data::{Record, Split, read_manifest};
use medclip_stats::auroc;
use medclip_tests::PROMPTS;
use serde_json::Value;
use tempfile::TempDir;

use super::phantoms;
use crate::setting::{bundle, json_lines, medclip, text};

/// The checkpoint that the shared model was exported from.
pub(super) fn checkpoint() -> PathBuf {
    bundle().with_file_name("checkpoint")
}

/// A directory with phantoms and `prompts.toml`.
pub(super) fn films() -> TempDir {
    let directory = phantoms(60);
    fs::write(directory.path().join("prompts.toml"), PROMPTS).unwrap();
    directory
}

/// `medclip COMMAND CHECKPOINT films/manifest.csv`, as `["eval", "finetune"]`.
pub(super) fn tune(directory: &Path, command: [&str; 2], arguments: &[&str]) -> Output {
    let mut command = medclip(&command);
    command.arg(checkpoint()).arg("films/manifest.csv");
    command.args(["--resamples", "50"]).args(arguments).current_dir(directory).output().unwrap()
}

/// The one JSON object of a run that went well.
pub(super) fn report(directory: &Path, command: [&str; 2], arguments: &[&str]) -> Value {
    let output = tune(directory, command, &[arguments, &["--format", "json"]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Standard error of a run that could not be done.
pub(super) fn refusal(directory: &Path, command: [&str; 2], arguments: &[&str]) -> String {
    let output = tune(directory, command, arguments);
    let errors = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{errors}");
    assert!(output.stdout.is_empty());
    errors
}

/// The validation films, and what `medclip score` makes of them with a head.
pub(super) fn scored(directory: &Path, model: &Path, head: &str) -> (Vec<Record>, Vec<Value>) {
    let mut records = read_manifest(&directory.join("films/manifest.csv")).unwrap();
    records.retain(|record| record.split == Split::Val);
    assert!(records.len() > 5);
    let mut command = medclip(&["score", "--format", "json", "--head", head, "--model"]);
    command.arg(model).args(records.iter().map(|record| Path::new("films").join(&record.path)));
    let output = command.current_dir(directory).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let scores = json_lines(&output);
    (records, scores)
}

/// Asserts that scores rank the films as `share` says, finding by finding.
pub(super) fn assert_ranks_as(share: &Value, records: &[Record], scores: &[Value]) {
    let findings = share["findings"].as_array().unwrap();
    assert!(!findings.is_empty());
    for (column, figures) in findings.iter().enumerate() {
        let finding = Finding::from_name(figures["name"].as_str().unwrap()).unwrap();
        let (mut logits, mut present) = (Vec::new(), Vec::new());
        for (record, score) in records.iter().zip(scores) {
            let score = &score["findings"][column];
            assert_eq!(score["name"], figures["name"]);
            if let Some(known) = record.annotations[finding.index()].known() {
                logits.push(score["logit"].as_f64().unwrap());
                present.push(known);
            }
        }
        let (found, expected) = (auroc(&logits, &present), figures["auroc"]["estimate"].as_f64());
        let agrees = match (found, expected) {
            (Some(found), Some(expected)) => (found - expected).abs() < 1e-9,
            (None, None) => true,
            _ => false,
        };
        assert!(agrees, "{finding}: {found:?} {expected:?}");
    }
}
