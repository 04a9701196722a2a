//! `medclip quantize`, and what runs its bundles.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use medclip_runtime::Bundle;
use serde_json::Value;
use tempfile::TempDir;

use crate::setting::{bundle, json_lines, medclip, text};

/// A model of random weights says little of 8 bits: the limits are wide.
const WIDE: &str = "cosine=0.9,top1=0,auroc=1";

/// Phantoms, and a manifest that labels them.
fn films() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let out = directory.path().to_str().unwrap();
    let made = medclip(&["phantom", "-o", out, "--count", "40", "--size", "64"]).output().unwrap();
    assert_eq!(made.status.code(), Some(0), "{}", text(&made.stderr));
    directory
}

fn pictures(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(pictures(&path));
        } else if path.extension().is_some_and(|extension| extension == "png") {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn quantize(out: &Path, calibrate: &Path, more: &[&str]) -> Output {
    let [bundle, out, films] = [bundle(), out, calibrate].map(|path| path.to_str().unwrap());
    let mut command =
        medclip(&["quantize", "--model", bundle, "-o", out, "--precision", "int8", "--calibrate", films]);
    command.args(more).output().unwrap()
}

#[test]
fn a_bundle_gains_towers_and_stays_the_same_model() {
    let films = films();
    let directory = tempfile::tempdir().unwrap();
    let out = directory.path().join("int8");
    let output = quantize(&out, films.path(), &["--gate", WIDE, "--tower", "image", "--tower", "text"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("image int8"), "{}", text(&output.stdout));

    let (before, after) = (Bundle::open(bundle()).unwrap(), Bundle::open(&out).unwrap());
    assert_eq!(before.id(), after.id(), "the model is the same");
    let report: Value = serde_json::from_slice(&fs::read(out.join("quantization.json")).unwrap()).unwrap();
    assert_eq!(
        (&report["towers"][0]["tower"], &report["towers"][1]["tower"]),
        (&"image".into(), &"text".into())
    );
    assert_eq!(report["towers"][0]["form"], "static");

    let image = pictures(films.path())[0].to_str().unwrap().to_owned();
    let score = |model: &Path, precision: &str| {
        let model = model.to_str().unwrap();
        let arguments =
            ["score", "--model", model, "--format", "json", "--self-test", "--precision", precision, &image];
        medclip(&arguments).output().unwrap()
    };
    let engine = |output: &Output| json_lines(output)[0]["engine"].as_str().unwrap().to_owned();
    assert_eq!(engine(&score(&out, "int8")), "tract/int8");
    assert_eq!(engine(&score(&out, "auto")), "tract", "tract gains nothing from 8 bits");
    let refused = score(bundle(), "int8");
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("no image tower in int8"), "{}", text(&refused.stderr));

    let report = out.join("quantization.json");
    fs::write(&report, fs::read_to_string(&report).unwrap().replace("\"layers\"", "\"layer\"")).unwrap();
    assert!(Bundle::open(&out).is_err(), "the report is verified like every file");
}

#[test]
fn films_that_are_all_alike_are_refused_with_the_layer_that_hurts_most() {
    let films = films();
    for path in pictures(films.path()) {
        image::GrayImage::from_pixel(64, 64, image::Luma([97])).save(path).unwrap();
    }
    let directory = tempfile::tempdir().unwrap();
    let out = directory.path().join("int8");
    let output = quantize(&out, films.path(), &["--keep", "1", "--gate", "top1=0,auroc=1"]);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stdout));
    let error = text(&output.stderr);
    assert!(error.contains("hurts most") && error.contains("vision_model."), "{error}");
    assert!(!out.exists(), "nothing is written");
}

#[test]
fn what_cannot_be_done_is_told() {
    let films = films();
    let directory = tempfile::tempdir().unwrap();
    let out = directory.path().join("out");
    let few = directory.path().join("few.csv");
    fs::write(&few, "path,Cardiomegaly\na.png,1\n").unwrap();
    let labels = directory.path().join("labels.csv");
    fs::write(&labels, "path,Cardiomegaly\na.png,maybe\n").unwrap();
    let nameless = directory.path().join("nameless.csv");
    fs::write(&nameless, "file\na.png\n").unwrap();
    let empty = directory.path().join("empty.csv");
    fs::write(&empty, "path\n").unwrap();
    for (calibrate, more, reason) in [
        (few.as_path(), &[][..], "needs 8"),
        (&empty, &[], "empty.csv: 0 films to calibrate with, needs 8"),
        (&labels, &[], "row 1 (line 2), column `Cardiomegaly`: `maybe` is not 1, 0 or blank"),
        (&nameless, &[], "column `path` is missing; the columns are `file`"),
        (films.path(), &["--gate", "speed=1"], "no limit is called"),
        (films.path(), &["--ranges", "median"], "no way to choose ranges"),
        (films.path(), &["--precision", "fp32"], "in fp32 already"),
    ] {
        let output = quantize(&out, calibrate, more);
        assert_eq!(output.status.code(), Some(2), "{reason}");
        assert!(text(&output.stderr).contains(reason), "{reason}: {}", text(&output.stderr));
    }
    let bundle = bundle().to_str().unwrap();
    let output =
        medclip(&["quantize", "--model", bundle, "-o", out.to_str().unwrap(), "--precision", "int8"])
            .output()
            .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("--calibrate names the films"), "{}", text(&output.stderr));
    assert!(!out.exists());
}
