//! `medclip inspect`.

use medclip_core::BundleFile;
use serde_json::Value;

use crate::setting::{bundle, medclip, text};

#[test]
fn json_says_what_the_bundle_holds() {
    let output = medclip(&["inspect", bundle().to_str().unwrap(), "--format", "json"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["config"]["name"], "tiny");
    assert_eq!(report["id"].as_str().unwrap().len(), 64);
    assert_eq!(report["classes"][0]["name"], "Cardiomegaly");
    assert_eq!(
        (&report["classes"][0]["positive"], &report["classes"][0]["negative"]),
        (&4.into(), &1.into())
    );
    assert_eq!(report["image_graph"]["inputs"][0]["name"], "pixel_values");
    assert_eq!(report["text_graph"]["inputs"][1]["name"], "attention_mask");
    assert_eq!(report["image_graph"]["opset"], 20);
    let files: Vec<_> = report["files"].as_array().unwrap().iter().map(|file| &file["name"]).collect();
    assert_eq!(files, BundleFile::REQUIRED.iter().map(|file| file.file_name()).collect::<Vec<_>>());
}

#[test]
fn text_is_for_people() {
    let output = medclip(&["inspect", bundle().to_str().unwrap()]).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let report = text(&output.stdout);
    for part in [
        "tiny: Random weights",
        "kind efficientnet_lite",
        "pixel_values: float [batch, 1, 32, 32]",
        "All sums verified.",
    ] {
        assert!(report.contains(part), "{part} in {report}");
    }
}

#[test]
fn a_directory_without_a_model_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let output = medclip(&["inspect", directory.path().to_str().unwrap()]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("SHA256SUMS"));
}
