//! `medclip eval compare`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use medclip_tests::{PROMPTS, tiny_bundle_of};
use serde_json::Value;
use tempfile::TempDir;

use super::phantoms;
use crate::setting::{medclip, text};

/// Phantoms, and bundles `a`, `b`, `c` of other weights beside them.
fn setting() -> (TempDir, [String; 3]) {
    let directory = phantoms(40);
    let bundle =
        |name: &str, seed| -> PathBuf { tiny_bundle_of(&directory.path().join(name), seed, PROMPTS) };
    let bundles = [("a", 1), ("b", 2), ("c", 3)].map(|(name, seed)| bundle(name, seed));
    let bundles = bundles.map(|bundle| bundle.to_str().unwrap().to_owned());
    (directory, bundles)
}

fn compare(at: &Path, arguments: &[&str]) -> Output {
    let mut command = medclip(&["eval", "compare", "films/manifest.csv", "--resamples", "80"]);
    command.args(arguments).current_dir(at).output().unwrap()
}

fn comparison(at: &Path, arguments: &[&str]) -> Value {
    let output = compare(at, &[arguments, &["--format", "json"]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn zero_shot(at: &Path, bundle: &str) -> Value {
    let mut command = medclip(&["eval", "zero-shot", "films/manifest.csv", "--model", bundle]);
    let output = command.args(["--resamples", "80", "--format", "json"]).current_dir(at).output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn labels_have_the_figures_of_their_bundles() {
    let (directory, [a, b, c]) = setting();
    let at = directory.path();
    let arguments = [format!("one={a}"), format!("two={b}"), format!("two={c}")];
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let found = comparison(at, &arguments);
    assert_eq!(found, comparison(at, &[&arguments[..], &["--threads", "3"]].concat()));
    let [one, two] = [0, 1].map(|label| &found["labels"][label]);
    let alone = [&a, &b, &c].map(|bundle| zero_shot(at, bundle));

    // A label of one bundle: the very intervals, from the same resamples.
    for end in ["estimate", "low", "high", "undefined"] {
        assert_eq!(one["macro_auroc"][end], alone[0]["macro_auroc"][end], "{end}");
        for finding in 0..2 {
            let expected = &alone[0]["findings"][finding]["auroc"][end];
            assert_eq!(&one["findings"][finding]["auroc"][end], expected, "{end}");
        }
    }
    // A label of two: their mean, and its difference from the first.
    let value = |report: &Value| report["macro_auroc"]["estimate"].as_f64().unwrap();
    assert_eq!(two["macro_auroc"]["members"][0], alone[1]["macro_auroc"]["estimate"]);
    let mean = f64::midpoint(value(&alone[1]), value(&alone[2]));
    assert!((value(two) - mean).abs() < 1e-12);
    let difference = &two["difference"];
    assert!((difference["estimate"].as_f64().unwrap() - (mean - value(&alone[0]))).abs() < 1e-12);
    let [low, high] = ["low", "high"].map(|end| difference[end].as_f64().unwrap());
    assert!(low < high);
    assert_eq!(difference["excludes_zero"].as_bool(), Some(low > 0.0 || high < 0.0));
    assert!(one["difference"].is_null());

    let table = text(&compare(at, &arguments).stdout);
    for expected in ["| one | 1 |", "| two | 2 |", "AUROC by finding:", "Difference from one:", "± "] {
        assert!(table.contains(expected), "{expected}: {table}");
    }
}

#[test]
fn a_bundle_does_not_differ_from_itself() {
    let (directory, [a, ..]) = setting();
    let found = comparison(directory.path(), &[&format!("one={a}"), &format!("again={a}")]);
    let difference = &found["labels"][1]["difference"];
    for end in ["estimate", "low", "high"] {
        assert_eq!(difference[end].as_f64(), Some(0.0), "{difference}");
    }
    assert_eq!(difference["excludes_zero"].as_bool(), Some(false));
}

#[test]
fn bundles_of_other_classes_share_what_they_can() {
    let (directory, [a, b, _]) = setting();
    let at = directory.path();
    let fewer = PROMPTS.replace("name = \"Cardiomegaly\"", "name = \"Edema\"");
    let other = tiny_bundle_of(&at.join("other"), 1, &fewer);
    let found = comparison(at, &[&a, other.to_str().unwrap()]);
    assert_eq!(super::names(&found["findings"]), ["Pleural Effusion"]);
    assert_eq!(found["left_out"], serde_json::json!(["Cardiomegaly", "Edema"]));
    assert_eq!(found["headline"], serde_json::json!(["Pleural Effusion"]));

    for (arguments, expected) in [
        (vec![format!("x={a}"), format!("x={a}")], "a copy of another bundle of label x"),
        (vec![a.clone(), "nowhere".to_owned()], "nowhere: cannot load the model"),
        (vec![a.clone(), b.clone(), "--source".to_owned(), "elsewhere".to_owned()], "`elsewhere`"),
    ] {
        let output = compare(at, &arguments.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(output.status.code(), Some(2));
        assert!(text(&output.stderr).contains(expected), "{}", text(&output.stderr));
    }
    fs::write(at.join("films/images/000003.png"), b"no image").unwrap();
    let output = compare(at, &[&a, &b, "--format", "json"]);
    assert_eq!(output.status.code(), Some(1));
    let errors = text(&output.stderr);
    assert_eq!(errors.matches("000003.png").count(), 1, "told once, not once a bundle: {errors}");
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((found["images"].as_u64(), found["failed"].as_u64()), (Some(39), Some(1)));
}

#[test]
fn one_side_of_the_sentences_ranks_as_in_eval_negation() {
    let (directory, [a, b, _]) = setting();
    let at = directory.path();
    let mut command =
        medclip(&["eval", "negation", "films/manifest.csv", "--model", &a, "--resamples", "80"]);
    let output = command.args(["--format", "json"]).current_dir(at).output().unwrap();
    let alone: Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut estimates = Vec::new();
    for side in ["positive", "negative", "pair"] {
        let found = comparison(at, &[&a, &b, "--by", side]);
        assert_eq!(found["side"], side);
        let (label, expected) = (&found["labels"][0], &alone[side]);
        for end in ["estimate", "low", "high"] {
            assert_eq!(label["macro_auroc"][end], expected["macro_auroc"][end], "{side} {end}");
        }
        estimates.push(label["macro_auroc"]["estimate"].as_f64().unwrap());
    }
    assert!(estimates[0] != estimates[1] && estimates[1] != estimates[2], "{estimates:?}");
    let said = text(&compare(at, &[&a, &b, "--by", "both"]).stderr);
    assert!(said.contains("none of pair, positive, negative"), "{said}");
}
