//! `medclip eval qc`, and the checks that `medclip fit checks` leaves in a bundle.

use std::path::Path;
use std::process::Output;

use medclip_core::bundle::Bundle;
use medclip_tests::tiny_bundle;
use serde_json::Value;

use crate::setting::{medclip, text};

const EVAL: [&str; 2] = ["eval", "qc"];
const FIT: [&str; 2] = ["fit", "checks"];

fn qc(directory: &Path, command: [&str; 2], arguments: &[&str]) -> Output {
    let mut command = medclip(&command);
    command.args(["films/manifest.csv", "--model", "model/bundle", "--spoil", "12"]);
    command.args(arguments).current_dir(directory).output().unwrap()
}

fn report(directory: &Path, command: [&str; 2], arguments: &[&str]) -> Value {
    let output = qc(directory, command, &[arguments, &["--format", "json"]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn checks_are_fitted_kept_and_measured() {
    let directory = tempfile::tempdir().unwrap();
    let at = directory.path();
    let phantoms = ["phantom", "-o", "films", "--count", "60", "--size", "160", "--seed", "5"];
    assert!(medclip(&phantoms).current_dir(at).output().unwrap().status.success());
    let model = tiny_bundle(&at.join("model"));
    let id = Bundle::open(&model).unwrap().id().to_owned();

    let without = qc(at, EVAL, &[]);
    assert_eq!(without.status.code(), Some(2));
    let refused = text(&without.stderr);
    assert!(
        refused.contains("model/bundle holds no learned checks: `medclip fit checks` fits them"),
        "{refused}"
    );

    let kept = report(at, FIT, &["--pictures", "films/images/000001.png"]);
    let bundle = Bundle::open(&model).unwrap();
    assert_eq!(bundle.id(), id);
    let classes = bundle.intake().unwrap().classes();
    let codes = ["inverted", "rotated_90", "rotated_180", "rotated_270", "cropped", "not_a_chest_film"];
    assert_eq!(classes, codes);

    let groups = kept["groups"].as_array().unwrap();
    assert_eq!(groups.len(), 14, "thirteen ways to spoil, and the given picture");
    let row = |name: &str| groups.iter().find(|group| group["name"] == name).unwrap();
    assert_eq!(row("given pictures")["images"], 1);
    let blank = row("blank");
    assert!(blank["images"].as_u64().unwrap() > 4, "{blank}");
    assert_eq!(blank["named"], blank["images"], "grey values tell blanks whatever the model");
    let crops = row("cropped")["images"].as_u64().unwrap();
    assert_eq!(crops, 4 * blank["images"].as_u64().unwrap(), "four windows of a film");
    let inverted = row("inverted");
    assert_eq!(inverted["named"], inverted["images"], "even random weights tell these");
    assert_eq!(
        report(at, EVAL, &["--pictures", "films/images/000001.png"]),
        kept,
        "what was kept is what was measured"
    );

    let again = qc(at, FIT, &[]);
    let refused = text(&again.stderr);
    assert_eq!(again.status.code(), Some(2), "{refused}");
    assert!(refused.contains("holds learned checks already; --replace replaces them"), "{refused}");
    assert_eq!(Bundle::open(&model).unwrap().intake().unwrap().classes(), codes);
    report(at, FIT, &["--replace"]);

    let table = text(&qc(at, EVAL, &[]).stdout);
    assert!(table.contains("clean frontal films") && table.contains("| inverted | `inverted` |"), "{table}");
}

#[test]
fn films_that_cannot_be_read_are_counted() {
    let directory = tempfile::tempdir().unwrap();
    let at = directory.path();
    let phantoms = ["phantom", "-o", "films", "--count", "60", "--size", "160", "--seed", "5"];
    assert!(medclip(&phantoms).current_dir(at).output().unwrap().status.success());
    tiny_bundle(&at.join("model"));
    std::fs::write(at.join("broken.png"), b"no picture").unwrap();
    let output = qc(at, FIT, &["--pictures", "broken.png", "--pictures", "films/images/000001.png"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("broken.png"));
}
