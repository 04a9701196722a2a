//! A run goes on with what it was begun with, or is refused by what differs.

use std::fs;
use std::path::Path;
use std::process::Output;

use serde_json::Value;

use super::{logged, setting};
use crate::setting::{medclip, text};

fn run(directory: &Path, arguments: &[&str]) -> Output {
    let command = [&["train", "train.toml", "--output", "out"], arguments].concat();
    medclip(&command).current_dir(directory).output().unwrap()
}

fn assert_goes_on(directory: &Path, arguments: &[&str]) -> String {
    let output = run(directory, arguments);
    let message = text(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {message}");
    message
}

fn assert_refused(directory: &Path, arguments: &[&str], words: &[&str]) {
    let output = run(directory, arguments);
    let message = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{words:?}: {message}");
    assert!(message.contains("out holds a run with other settings or data: "), "{words:?}: {message}");
    for word in words {
        assert!(message.contains(word), "no `{word}` in {message}");
    }
}

/// Changes a file, runs `then`, and puts the file back as it was.
fn with_changed(path: &Path, change: impl FnOnce(Vec<u8>) -> Vec<u8>, then: impl FnOnce()) {
    let before = fs::read(path).unwrap();
    let changed = change(before.clone());
    assert_ne!(changed, before, "{}", path.display());
    fs::write(path, changed).unwrap();
    then();
    fs::write(path, before).unwrap();
}

fn replaced(from: &'static str, to: &'static str) -> impl FnOnce(Vec<u8>) -> Vec<u8> {
    move |bytes| text(&bytes).replacen(from, to, 1).into_bytes()
}

/// An image of the same size in bytes.
fn flipped(mut bytes: Vec<u8>) -> Vec<u8> {
    let at = bytes.len() / 2;
    bytes[at] ^= 1;
    bytes
}

/// A run of one epoch with a prompt file, reports and weights of its own.
fn begun() -> tempfile::TempDir {
    let temporary = setting(20, "epochs = 1\nstart = \"before/best\"");
    let directory = temporary.path();
    let file = fs::read_to_string(directory.join("train.toml")).unwrap();
    let prompts = file.lines().find_map(|line| line.strip_prefix("prompts = ")).unwrap().trim_matches('"');
    fs::copy(prompts, directory.join("prompts.toml")).unwrap();
    let reports = "phantoms/reports.csv";
    assert!(directory.join(reports).exists());
    let file = file
        .replace(&format!("prompts = \"{prompts}\""), "prompts = \"prompts.toml\"")
        .replace("[data]\n", &format!("[data]\nreports = \"{reports}\"\nprompts = \"prompts.toml\"\n"));
    fs::write(directory.join("train.toml"), file.replace("start = \"before/best\"\n", "")).unwrap();
    let command = ["train", "train.toml", "--output", "before"];
    let before = medclip(&command).current_dir(directory).output().unwrap();
    assert!(before.status.success(), "{}", text(&before.stderr));
    fs::write(directory.join("train.toml"), file).unwrap();
    assert_goes_on(directory, &[]);
    temporary
}

#[test]
fn other_data_are_refused_file_by_file() {
    let temporary = begun();
    let directory = temporary.path();
    let steps = logged(directory, "out", "step").len();
    let manifest = directory.join("phantoms/manifest.csv");
    let rows = fs::read_to_string(&manifest).unwrap();
    let image = rows.lines().nth(1).unwrap().split(',').next().unwrap();
    let image = directory.join("phantoms").join(image);

    with_changed(&manifest, replaced(",PA,", ",AP,"), || {
        assert_refused(directory, &[], &["phantoms/manifest.csv (data.manifest) has other contents"]);
    });
    let reports = directory.join("phantoms/reports.csv");
    with_changed(&reports, replaced("phantom", "Phantom"), || {
        assert_refused(directory, &[], &["phantoms/reports.csv (data.reports) has other contents"]);
    });
    with_changed(
        &directory.join("prompts.toml"),
        |bytes| [&bytes[..], b"\n# another\n"].concat(),
        || {
            assert_refused(
                directory,
                &[],
                &["prompts.toml (prompts) has", "prompts.toml (data.prompts) has"],
            );
        },
    );
    with_changed(&directory.join("before/best/weights.safetensors"), flipped_end, || {
        assert_refused(directory, &[], &["before/best/weights.safetensors (start) has other contents"]);
    });
    with_changed(&image, flipped, || {
        let name = image.file_name().unwrap().to_str().unwrap();
        let words = ["the image of row 1 (line 2) of phantoms/manifest.csv (train) has other bytes"];
        assert_refused(directory, &["--set", "data.max_lost=1"], &words);
        assert!(!text(&run(directory, &[]).stderr).contains(name), "paths may be those of patients");
    });
    let aside = directory.join("aside.png");
    fs::rename(&image, &aside).unwrap();
    assert_refused(
        directory,
        &["--set", "data.max_lost=1"],
        &["row 1 (line 2) of", "cannot be read any more"],
    );
    fs::rename(&aside, &image).unwrap();

    assert_eq!(logged(directory, "out", "step").len(), steps, "nothing was trained");
    assert_goes_on(directory, &[]);

    // A record that is lost does not open the way, and does not close it.
    fs::remove_file(directory.join("out/inputs.json")).unwrap();
    with_changed(&image, flipped, || {
        assert_refused(directory, &["--set", "data.max_lost=1"], &["inputs.json does not say"]);
    });
    assert_goes_on(directory, &[]);
    assert!(directory.join("out/inputs.json").exists());
}

/// The last weight by a bit.
fn flipped_end(mut bytes: Vec<u8>) -> Vec<u8> {
    let at = bytes.len() - 1;
    bytes[at] ^= 1;
    bytes
}

#[test]
fn other_settings_are_refused_one_by_one() {
    let temporary = begun();
    let directory = temporary.path();
    for (set, words) in [
        (&["learning_rate=0.5"][..], &["learning_rate is 0.5, was 0.001"][..]),
        (&["data.sampler.balance=0.25"], &["data.sampler.balance is 0.25, was 0"]),
        (&["seed=2", "ema_decay=0.5"], &["ema_decay is 0.5, was not set", "seed is 2, was 1"]),
    ] {
        let arguments: Vec<&str> = set.iter().flat_map(|set| ["--set", set]).collect();
        assert_refused(directory, &arguments, words);
    }
    // Neither decides a weight.
    assert_goes_on(directory, &["--set", "data.max_lost=0.5"]);
}

#[test]
fn the_same_bytes_at_another_time_go_on() {
    let temporary = begun();
    let directory = temporary.path();
    for entry in fs::read_dir(directory.join("phantoms/images")).unwrap() {
        let path = entry.unwrap().path();
        let bytes = fs::read(&path).unwrap();
        fs::remove_file(&path).unwrap();
        fs::write(&path, bytes).unwrap();
    }
    assert_eq!(assert_goes_on(directory, &[]), "");
}

#[test]
fn a_run_of_before_data_were_recorded_goes_on_with_a_note() {
    let temporary = begun();
    let directory = temporary.path();
    let forget = || {
        fs::remove_file(directory.join("out/inputs.json")).unwrap();
        let checkpoints = fs::read_dir(directory.join("out/checkpoints")).unwrap();
        let path = checkpoints.map(|entry| entry.unwrap().path().join("state.json")).next().unwrap();
        let mut state: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        assert!(state.as_object_mut().unwrap().remove("inputs_sha256").is_some());
        fs::write(&path, serde_json::to_vec(&state).unwrap()).unwrap();
    };
    forget();
    // Its log says under which settings.
    assert_refused(directory, &["--seed", "2"], &["seed is 2, was 1"]);
    assert!(assert_goes_on(directory, &[]).contains("did not record its data"));
    // From then on they are.
    assert_eq!(assert_goes_on(directory, &[]), "");
    let image = fs::read_dir(directory.join("phantoms/images")).unwrap().next().unwrap().unwrap().path();
    with_changed(&image, flipped, || {
        assert_refused(directory, &["--set", "data.max_lost=1"], &["has other bytes"]);
    });
}
