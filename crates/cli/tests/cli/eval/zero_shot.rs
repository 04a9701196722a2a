//! `medclip eval zero-shot`.

use std::fs;

use super::{eval, names, phantoms, report};
use crate::setting::text;

#[test]
fn figures_do_not_depend_on_threads() {
    let directory = phantoms(30);
    let one = report(directory.path(), "zero-shot", &["--threads", "1"]);
    assert_eq!(one, report(directory.path(), "zero-shot", &["--threads", "3"]));
    assert_eq!(names(&one["findings"]), medclip_tests::CLASSES);
    for finding in one["findings"].as_array().unwrap() {
        for figure in ["auroc", "average_precision"] {
            let [low, estimate, high] =
                ["low", "estimate", "high"].map(|key| finding[figure][key].as_f64().unwrap());
            assert!(0.0 < low && low <= estimate && estimate <= high && high <= 1.0, "{finding}");
        }
    }
    assert!(one.get("prompts").is_none() && one.get("balanced").is_none(), "only where they were asked for");
    let mut prevalences = Vec::new();
    for finding in one["findings"].as_array().unwrap() {
        let [positives, negatives, prevalence] =
            ["positives", "negatives", "prevalence"].map(|key| finding[key].as_f64().unwrap());
        assert!((prevalence - positives / (positives + negatives)).abs() < 1e-12, "{finding}");
        prevalences.push(prevalence);
    }
    let mean = prevalences.iter().sum::<f64>() / prevalences.len() as f64;
    assert!((one["macro_prevalence"].as_f64().unwrap() - mean).abs() < 1e-12);
    let table = text(&eval(directory.path(), "zero-shot", &[]).stdout);
    assert!(table.contains("| by chance |"), "{table}");
    assert!(table.contains("| Cardiomegaly |") && table.contains("**mean of "), "{table}");
}

#[test]
fn a_film_that_cannot_be_read_is_counted() {
    let directory = phantoms(30);
    fs::write(directory.path().join("films/images/000003.png"), b"no image").unwrap();
    let output = eval(directory.path(), "zero-shot", &["--format", "json"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("000003.png"));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((report["images"].as_u64(), report["failed"].as_u64()), (Some(29), Some(1)));
}
