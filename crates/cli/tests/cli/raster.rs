//! Pictures that are no DICOM files on the command line.

use std::fs;
use std::path::Path;

use image::{GrayImage, ImageBuffer, Luma};
use serde_json::Value;

use crate::setting::{json_lines, score, text};

fn level(x: u32, y: u32) -> u8 {
    (60 + x + y + (x * 7 + y * 13) % 29) as u8
}

fn findings(directory: &Path, arguments: &[&str]) -> Value {
    let arguments = [&["--format", "json", "--qc", "all=pass"], arguments].concat();
    let output = score(directory, &arguments);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    json_lines(&output)[0]["findings"].clone()
}

#[cfg(feature = "dicom")]
#[test]
fn twelve_bits_in_sixteen_score_as_eight_and_windows_apply() {
    let directory = tempfile::tempdir().unwrap();
    let at = directory.path();
    GrayImage::from_fn(48, 40, |x, y| Luma([level(x, y)])).save(at.join("eight.png")).unwrap();
    let deep = ImageBuffer::from_fn(48, 40, |x, y| Luma([u16::from(level(x, y)) << 4]));
    deep.save(at.join("deep.png")).unwrap();
    deep.save(at.join("deep.tif")).unwrap();
    let eight = findings(at, &["eight.png"]);
    assert_eq!(findings(at, &["deep.png"]), eight);
    assert_eq!(findings(at, &["deep.tif"]), eight);
    let narrow = findings(at, &["--window", "128,64,linear_exact", "eight.png"]);
    assert_ne!(narrow, eight);
    assert_eq!(findings(at, &["--window", "2048,1024,linear_exact", "deep.png"]), narrow);
    assert_eq!(
        findings(at, &["--window", "min-max", "deep.png"]),
        findings(at, &["--window", "min-max", "eight.png"])
    );
    for (arguments, reason) in [
        (["--window", "window=2"], "eight.png: has no windows, number 2 was asked for"),
        (["--window", "lut=1"], "eight.png: has no VOI LUTs, number 1 was asked for"),
        (["--frame", "2"], "eight.png: has 1 page, number 2 was asked for"),
    ] {
        let output = score(at, &[&arguments[..], &["eight.png"]].concat());
        let errors = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{errors}");
        assert!(errors.contains(reason), "{errors}");
    }
}

#[test]
fn a_film_that_ends_early_has_no_scores_and_one_with_a_trailer_has() {
    let directory = tempfile::tempdir().unwrap();
    let at = directory.path();
    GrayImage::from_fn(96, 80, |x, y| Luma([level(x, y)])).save(at.join("whole.jpg")).unwrap();
    let whole = fs::read(at.join("whole.jpg")).unwrap();
    let cut = [&whole[..whole.len() * 2 / 3], &[0xff, 0xd9]].concat();
    fs::write(at.join("cut.jpg"), cut).unwrap();
    fs::write(at.join("trailer.jpg"), [&whole[..], b"\xff\xda\x00\x08 trailer of a phone"].concat()).unwrap();
    let output = score(at, &["--format", "json", "cut.jpg"]);
    assert_eq!(output.status.code(), Some(1));
    let line = &json_lines(&output)[0];
    assert!(line["error"].as_str().unwrap().contains("the entropy-coded data ends after MCU"), "{line}");
    assert_eq!(line["findings"].as_array().map(Vec::len), Some(0));
    assert_eq!(findings(at, &["trailer.jpg"]), findings(at, &["whole.jpg"]));
}

#[test]
fn a_progressive_film_without_its_last_scans_has_a_check() {
    let directory = tempfile::tempdir().unwrap();
    let at = directory.path();
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../decode/tests/golden/grey_progressive.jpg");
    let whole = fs::read(golden).unwrap();
    let last = whole.windows(2).rposition(|pair| pair == [0xff, 0xda]).unwrap();
    fs::write(at.join("whole.jpg"), &whole).unwrap();
    fs::write(at.join("coarse.jpg"), [&whole[..last], &[0xff, 0xd9]].concat()).unwrap();
    let codes = |name: &str, action: &str| {
        let output = score(at, &["--format", "json", "--qc", "all=pass", "--qc", action, name]);
        (output.status.code(), json_lines(&output)[0]["qc"].to_string())
    };
    assert_eq!(codes("whole.jpg", "incomplete_scan=warn"), (Some(0), "[]".to_owned()));
    assert_eq!(codes("coarse.jpg", "incomplete_scan=warn"), (Some(0), "[\"incomplete_scan\"]".to_owned()));
    assert_eq!(codes("coarse.jpg", "incomplete_scan=abstain").0, Some(1));
}
