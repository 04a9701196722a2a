//! `medclip eval probe` and `medclip fit probe`, and `medclip score` with what was kept.

use std::fs;

use medclip_files::sha256_of_file;
use medclip_tests::tiny_bundle;

use super::{eval, fit, names, phantoms, refusal, report};
use crate::setting::{json_lines, medclip, score, text};

#[test]
fn a_saved_head_scores_what_was_evaluated() {
    let directory = phantoms(60);
    let at = directory.path();
    let shares = ["--fraction", "0.5", "--fraction", "1"];
    let found = report(at, "probe", &shares);
    let keep = [&shares[..], &["--format", "json", "-o", "head.safetensors"]].concat();
    let kept = fit(at, "probe", &keep);
    assert_eq!(kept.status.code(), Some(0), "{}", text(&kept.stderr));
    assert_eq!(json_lines(&kept), std::slice::from_ref(&found), "what is kept is what is measured");
    let shares = found["shares"].as_array().unwrap();
    assert_eq!(shares.iter().map(|s| s["fitted_patients"].as_u64().unwrap()).collect::<Vec<_>>(), [24, 48]);
    assert_eq!(shares[1], report(at, "probe", &["--threads", "3"])["shares"][0], "whatever the threads");
    let fitted = names(&shares[1]["findings"]);
    assert_eq!(fitted.len() + names(&shares[1]["not_fitted"]).len(), 14);

    let scored = score(at, &["--format", "json", "--head", "head.safetensors", "films/images/000004.png"]);
    assert_eq!(scored.status.code(), Some(0), "{}", text(&scored.stderr));
    assert_eq!(names(&json_lines(&scored)[0]["findings"]), fitted);

    let again = fit(at, "probe", &["-o", "head.safetensors"]);
    assert_eq!(again.status.code(), Some(2));
    let message = text(&again.stderr);
    assert!(message.contains("head.safetensors already exists; --replace replaces it"), "{message}");
    let replaced = fit(at, "probe", &["-o", "head.safetensors", "--fraction", "0.5", "--replace"]);
    assert_eq!(replaced.status.code(), Some(0), "{}", text(&replaced.stderr));
    let nowhere = fit(at, "probe", &[]);
    assert!(nowhere.status.code() == Some(2) && text(&nowhere.stderr).contains("--output"));
    let table = text(&eval(at, "probe", &[]).stdout);
    assert!(table.contains("Fitted on 48 images of 48 patients") && table.contains("\nC: "), "{table}");
}

#[test]
fn a_head_of_another_bundle_is_refused() {
    let directory = phantoms(60);
    let at = directory.path();
    let kept = fit(at, "probe", &["-o", "head.safetensors"]);
    assert_eq!(kept.status.code(), Some(0), "{}", text(&kept.stderr));
    let other = tiny_bundle(&at.join("other"));
    let card = other.join("README.md");
    fs::write(&card, "# another card\n").unwrap();
    let sums = fs::read_to_string(other.join("SHA256SUMS")).unwrap();
    let sum = sha256_of_file(&card).unwrap();
    let sums: String =
        sums.lines()
            .map(|line| {
                if line.ends_with("README.md") { format!("{sum}  README.md\n") } else { format!("{line}\n") }
            })
            .collect();
    fs::write(other.join("SHA256SUMS"), sums).unwrap();

    let mut command = medclip(&["score", "--model", other.to_str().unwrap(), "films/images/000004.png"]);
    let output = command.args(["--head", "head.safetensors"]).current_dir(at).output().unwrap();
    let errors = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{errors}");
    assert!(errors.contains("cannot use head head.safetensors: the head was fitted for bundle"), "{errors}");

    fs::write(at.join("bad.safetensors"), b"nothing").unwrap();
    let bad = score(at, &["--head", "bad.safetensors", "films/images/000004.png"]);
    assert_eq!(bad.status.code(), Some(2));
    assert!(text(&bad.stderr).contains("cannot use head bad.safetensors: not a head"));
}

#[test]
fn patients_on_both_sides_and_odd_shares_are_refused() {
    let directory = phantoms(20);
    let shared = refusal(directory.path(), "probe", &["--split", "train"]);
    assert!(shared.contains("manifest.csv") && shared.contains("patient group `phantom:5-0`"), "{shared}");
    for fraction in ["0", "1.5", "half"] {
        let output = eval(directory.path(), "probe", &["--fraction", fraction]);
        assert_eq!(output.status.code(), Some(2));
        assert!(text(&output.stderr).contains("at most 1"));
    }
}
