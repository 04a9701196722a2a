//! `medclip runs report`.

use std::fs;

use crate::setting::{medclip, text};

const STEP: &str = r#"{"event":"step","epoch":0,"step":0,"images":4,"loss":2.5,"learning_rate":0.001,"gradient_norm":0.5,"logit_scale":2.6,"images_per_second":8.0}"#;

#[test]
fn a_log_becomes_a_page_and_anything_else_is_refused_by_line() {
    let directory = tempfile::tempdir().unwrap();
    let run = directory.path().join("run");
    fs::create_dir(&run).unwrap();
    let report = || medclip(&["runs", "report", "run"]).current_dir(directory.path()).output().unwrap();
    let refused = |expected: &str| {
        let output = report();
        assert_eq!(output.status.code(), Some(2));
        let message = text(&output.stderr);
        assert!(message.contains(expected) && message.lines().count() == 1, "{message}");
        assert!(!run.join("report.html").exists());
    };
    refused("run/log.jsonl: ");
    fs::write(run.join("log.jsonl"), format!("{STEP}\n\u{fffd}PNG\n{STEP}\n")).unwrap();
    refused("run/log.jsonl: line 2 is none of a log");

    fs::write(run.join("log.jsonl"), format!("{STEP}\n{}", &STEP[..40])).unwrap();
    let output = report();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert_eq!(text(&output.stdout), "run/report.html\n");
    let page = fs::read_to_string(run.join("report.html")).unwrap();
    assert!(page.starts_with("<!DOCTYPE html>") && page.contains("Training of run"));
    assert!(page.contains("<dd>1 of 4 images, repeated ones counted once</dd>"), "{page}");
}
