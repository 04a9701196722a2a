//! `-v`, `-q` and `--log-format`: what libraries tell, and what they never tell.

use serde_json::Value;

use crate::setting::{bundle, images, medclip, score, text};

#[test]
fn spans_are_told_without_names() {
    let directory = images(&["jane-doe.png", "b.png"]);
    let arguments = ["-vv", "--log-format", "json", "--format", "json", "."];
    let output = score(directory.path(), &arguments);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let told = text(&output.stderr);
    let spans: Vec<String> = told
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|event| event["fields"]["message"] == "close")
        .map(|event| event["span"]["name"].as_str().unwrap().to_owned())
        .collect();
    for name in ["open", "verify", "load", "decode", "check", "encode"] {
        assert!(spans.iter().any(|span| span == name), "{name} of {spans:?}");
    }
    assert_eq!(spans.iter().filter(|span| *span == "decode").count(), 2);
    assert!(!told.contains("jane-doe"), "{told}");
    // Results are the same.
    let silent = score(directory.path(), &["--format", "json", "."]);
    assert_eq!(silent.stdout, output.stdout);
}

#[test]
fn quiet_leaves_results_and_errors() {
    let directory = images(&["a.png"]);
    std::fs::write(directory.path().join("b.png"), "no film").unwrap();
    let usual = text(&score(directory.path(), &["."]).stderr);
    assert!(usual.contains("1 scored, 1 failed"), "{usual}");
    let output = score(directory.path(), &["-q", "."]);
    assert_eq!(output.status.code(), Some(1));
    let told = text(&output.stderr);
    assert!(told.starts_with("error: ./b.png") && told.lines().count() == 1, "{told}");
    assert!(!output.stdout.is_empty());
}

#[test]
fn parts_are_chosen_by_the_variable_and_wrong_ones_refused() {
    let directory = images(&["a.png"]);
    let run = |value: &str| {
        let mut command = medclip(&["score", "--model", bundle().to_str().unwrap(), "a.png"]);
        command.current_dir(directory.path()).env("RUST_LOG", value).output().unwrap()
    };
    let told = text(&run("medclip_runtime=debug").stderr);
    assert!(told.contains("load") && told.contains("encode") && !told.contains("decode"), "{told}");
    assert!(run("").stderr.is_empty());
    let refused = run("medclip=loud");
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("RUST_LOG is `medclip=loud`"), "{}", text(&refused.stderr));
}
