//! `medclip eval`, `fit` and `runs` on phantoms.

#[path = "eval/balanced.rs"]
mod balanced;
#[path = "eval/benchmark.rs"]
mod benchmark;
#[path = "eval/compare.rs"]
mod compare;
#[path = "eval/draws.rs"]
mod draws;
#[cfg(feature = "train")]
#[path = "eval/finetune.rs"]
mod finetune;
#[path = "eval/maps.rs"]
mod maps;
#[path = "eval/negation.rs"]
mod negation;
#[cfg(feature = "train")]
#[path = "eval/report.rs"]
mod page;
#[path = "eval/plots.rs"]
mod plots;
#[path = "eval/probe.rs"]
mod probe;
#[cfg(feature = "train")]
#[path = "eval/prompt_tuning.rs"]
mod prompt_tuning;
#[path = "eval/qc.rs"]
mod qc;
#[path = "eval/retrieval.rs"]
mod retrieval;
#[cfg(feature = "train")]
#[path = "eval/tuning.rs"]
mod tuning;
#[path = "eval/zero_shot.rs"]
mod zero_shot;

use std::path::Path;
use std::process::Output;

use serde_json::Value;
use tempfile::TempDir;

use crate::setting::{bundle, medclip, text};

/// A directory with `count` phantoms, their manifest and their reports.
fn phantoms(count: usize) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let count = count.to_string();
    let arguments = ["phantom", "-o", "films", "--count", &count, "--size", "48", "--seed", "5"];
    let output = medclip(&arguments).current_dir(directory.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    directory
}

/// `medclip eval PROTOCOL films/manifest.csv` with the shared model.
fn eval(directory: &Path, protocol: &str, arguments: &[&str]) -> Output {
    run(directory, "eval", protocol, arguments)
}

/// The same of `medclip fit`.
fn fit(directory: &Path, kind: &str, arguments: &[&str]) -> Output {
    run(directory, "fit", kind, arguments)
}

fn run(directory: &Path, verb: &str, what: &str, arguments: &[&str]) -> Output {
    let mut command = medclip(&[verb, what, "films/manifest.csv", "--model", bundle().to_str().unwrap()]);
    command.args(["--resamples", "50"]).args(arguments).current_dir(directory).output().unwrap()
}

/// The one JSON object of an evaluation that went well.
fn report(directory: &Path, protocol: &str, arguments: &[&str]) -> Value {
    let output = eval(directory, protocol, &[arguments, &["--format", "json"]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Standard error of an evaluation that could not be done.
fn refusal(directory: &Path, protocol: &str, arguments: &[&str]) -> String {
    let output = eval(directory, protocol, arguments);
    let errors = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{errors}");
    assert!(output.stdout.is_empty());
    assert_eq!(errors.lines().count(), 1, "{errors}");
    errors
}

fn names(values: &Value) -> Vec<&str> {
    values.as_array().unwrap().iter().map(|value| value["name"].as_str().unwrap()).collect()
}

#[test]
fn what_every_evaluation_refuses() {
    let directory = phantoms(10);
    for protocol in ["zero-shot", "retrieval"] {
        let refused = |arguments: &[&str]| refusal(directory.path(), protocol, arguments);
        let message = refused(&["--source", "elsewhere"]);
        assert!(message.contains("films/manifest.csv") && message.contains("`elsewhere`"), "{message}");
        assert!(refused(&["--split", "test"]).contains("admits no image"));
        let unread = eval(directory.path(), protocol, &["--images", "nowhere"]);
        assert_eq!(unread.status.code(), Some(2));
        assert!(text(&unread.stderr).ends_with("none of the 10 images chosen could be read\n"));
    }
}
