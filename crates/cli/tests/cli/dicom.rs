//! DICOM files on the command line: which frame, and what becomes black and white.

use std::fs;

use serde_json::Value;
use tempfile::TempDir;

use crate::dicom_file::Builder;
use crate::setting::{json_lines, score, text};

/// Two frames of a ramp, the second one upside down, with a window over all of it and one over its lower half.
fn ramps() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let ramp: Vec<u16> = (0..48 * 40).map(|index| 2 * index).collect();
    let frames: Vec<u16> = ramp.iter().chain(ramp.iter().rev()).copied().collect();
    let file = Builder::gray(40, 48, 12)
        .text(0x0028_0008, *b"IS", "2")
        .window("1920\\960", "3840\\1920")
        .pixels(&frames)
        .file();
    fs::write(directory.path().join("ramps.dcm"), file).unwrap();
    directory
}

fn findings(directory: &TempDir, arguments: &[&str]) -> Value {
    let arguments = [&["--format", "json", "--qc", "all=pass", "ramps.dcm"], arguments].concat();
    let output = score(directory.path(), &arguments);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    json_lines(&output)[0]["findings"].clone()
}

#[test]
fn frame_and_window_can_be_chosen() {
    let directory = ramps();
    let usual = findings(&directory, &[]);
    assert_eq!(findings(&directory, &["--frame", "1", "--window", "file"]), usual);
    assert_ne!(findings(&directory, &["--frame", "2"]), usual);
    let second = findings(&directory, &["--window", "window=2"]);
    assert_ne!(second, usual);
    assert_eq!(findings(&directory, &["--window", "960,1920"]), second);
}

#[test]
fn what_a_file_lacks_and_what_means_nothing_is_refused() {
    let directory = ramps();
    for (arguments, status, reason) in [
        (["--frame", "3"], 1, "ramps.dcm: "),
        (["--window", "lut=1"], 1, "ramps.dcm: "),
        (["--frame", "0"], 2, "--frame"),
        (["--window", "bright"], 2, "neither file, min-max, full-range, window=N, lut=N nor CENTER,WIDTH"),
    ] {
        let output = score(directory.path(), &[&arguments[..], &["ramps.dcm"]].concat());
        let errors = text(&output.stderr);
        assert_eq!(output.status.code(), Some(status), "{errors}");
        assert!(errors.contains(reason), "{errors}");
    }
}

#[cfg(feature = "archive")]
#[test]
fn a_run_is_resumed_with_the_window_it_was_begun_with() {
    let directory = ramps();
    let run = |window: &str| {
        score(directory.path(), &["-o", "rows.jsonl", "--resume", "--window", window, "ramps.dcm"])
    };
    assert_eq!(run("960,1920").status.code(), Some(0));
    let output = run("file");
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
}
