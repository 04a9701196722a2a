//! The shipped model's scores of the example images, as they were when `tests/golden/examples.jsonl` was written.
//!
//! `tests/reference/same_scores.py` compares two builds to the last digit. Processors sum in different orders, so this test
//! allows for that and no more.

use std::path::Path;

use serde_json::Value;

use crate::setting::{json_lines, medclip, text};

/// Largest difference of a logit that the order of summation explains: a hundredth of what changes a third decimal.
const TOLERANCE: f64 = 2e-5;

#[test]
fn the_example_images_keep_their_scores() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut command =
        medclip(&["score", "--format", "json", "--model", "models/medclip-edge", "examples/images"]);
    let output = command.current_dir(root).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let scored = json_lines(&output);
    let golden: Vec<Value> = include_str!("../golden/examples.jsonl")
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(scored.len(), golden.len());
    for (record, expected) in scored.iter().zip(&golden) {
        let name = expected["path"].as_str().unwrap();
        assert!(record["path"].as_str().unwrap().ends_with(name), "{record}");
        assert_eq!(record["qc"], expected["qc"], "{name}");
        let findings = record["findings"].as_array().unwrap();
        let logits = expected["logits"].as_object().unwrap();
        assert_eq!(findings.len(), logits.len(), "{name}");
        for finding in findings {
            let expected = logits[finding["name"].as_str().unwrap()].as_f64().unwrap();
            let logit = finding["logit"].as_f64().unwrap();
            assert!((logit - expected).abs() <= TOLERANCE, "{name}: {finding}, not {expected}");
        }
    }
}
