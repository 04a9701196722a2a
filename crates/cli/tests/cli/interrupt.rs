//! Ctrl-C in work of which nothing is kept before its end.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::setting::{bundle, medclip, text};

/// Interrupts a command once it tells that it is at `work`, and returns its exit status and what it said on standard error. It
/// printed nothing.
fn interrupted(directory: &Path, arguments: &[&str], work: &str) -> (Option<i32>, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_medclip"))
        .args(arguments)
        .args(["-vv", "--model", bundle().to_str().unwrap()])
        .env_remove("MEDCLIP_MODEL")
        .env_remove("RUST_LOG")
        .current_dir(directory)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut errors = BufReader::new(child.stderr.take().unwrap());
    let mut said = String::new();
    while !said.contains(work) {
        assert!(errors.read_line(&mut said).unwrap() > 0, "{said}");
    }
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    errors.read_to_string(&mut said).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.stdout.is_empty(), "{}", text(&output.stdout));
    (output.status.code(), said)
}

fn phantoms(directory: &Path, count: &str) {
    let made = medclip(&["phantom", "-o", "films", "--count", count, "--size", "48"])
        .current_dir(directory)
        .output()
        .unwrap();
    assert_eq!(made.status.code(), Some(0), "{}", text(&made.stderr));
}

#[test]
fn what_was_stopped_keeps_nothing_and_says_so() {
    let directory = tempfile::tempdir().unwrap();
    let at = directory.path();
    phantoms(at, "1500");
    let [manifest, films] = ["films/manifest.csv", "films"];
    for (arguments, work) in [
        (&["eval", "zero-shot", manifest, "--threads", "1"][..], "encode"),
        (&["fit", "probe", manifest, "--threads", "1", "-o", "out"], "encode"),
        (&["quantize", "--precision", "int8", "--calibrate", films, "-o", "out"], "decode"),
    ] {
        let (code, said) = interrupted(at, arguments, work);
        assert_eq!(code, Some(3), "{arguments:?}: {said}");
        assert!(said.contains("stopping; Ctrl-C once more stops at once\n"), "{arguments:?}: {said}");
        assert!(said.ends_with("\nstopped: nothing was kept\n"), "{arguments:?}: {said}");
        assert!(!at.join("out").exists(), "{arguments:?}");
    }
}
