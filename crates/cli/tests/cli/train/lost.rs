//! Images that cannot be read: counted on standard error whatever that is, and limited.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use super::setting;
use crate::setting::{medclip, text};

/// Image files of the rows of this split, with their lines in the manifest.
fn images(directory: &Path, split: &str) -> Vec<(usize, PathBuf)> {
    let manifest = fs::read_to_string(directory.join("phantoms/manifest.csv")).unwrap();
    let rows = manifest.lines().zip(1..).filter(|(row, _)| row.contains(&format!(",{split},")));
    rows.map(|(row, line)| (line, directory.join("phantoms").join(row.split(',').next().unwrap()))).collect()
}

fn run(directory: &Path, output: &str, arguments: &[&str]) -> Output {
    let command = [&["train", "train.toml", "--output", output], arguments].concat();
    medclip(&command).current_dir(directory).output().unwrap()
}

/// What a fault is called, and what makes it of an image.
type Fault = (&'static str, fn(&Path));

const FAULTS: [Fault; 4] = [
    ("missing", |path| fs::remove_file(path).unwrap()),
    ("empty", |path| fs::write(path, "").unwrap()),
    ("no image", |path| fs::write(path, "not an image").unwrap()),
    ("truncated", |path| {
        let bytes = fs::read(path).unwrap();
        fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
    }),
];

#[test]
fn a_lost_image_is_named_by_row_and_the_run_ends_with_status_1() {
    for (at, (name, spoil)) in FAULTS.into_iter().enumerate() {
        let directory = setting(20, "epochs = 1");
        let directory = directory.path();
        let split = if at % 2 == 0 { "train" } else { "val" };
        let images = images(directory, split);
        let (line, path) = images.last().unwrap();
        let file = path.file_name().unwrap().to_str().unwrap();
        spoil(path);

        // 1 of 20 is more than 1 %.
        let refused = run(directory, "out", &[]);
        let message = text(&refused.stderr);
        assert_eq!(refused.status.code(), Some(2), "{name}: {message}");
        assert!(message.contains("1 of 20 images cannot be read (5 %)"), "{name}: {message}");
        assert!(message.contains("data.max_lost allows 1 %"), "{name}: {message}");
        let row = format!("row {} (line {line}) of phantoms/manifest.csv: ", line - 1);
        assert!(message.contains(&row) && !message.contains(file), "{name}: {message}");
        assert!(!directory.join("out").exists(), "{name}");
        let refused = run(directory, "out", &["--log-paths"]);
        let message = text(&refused.stderr);
        assert!(refused.status.code() == Some(2) && message.contains(file), "{name}: {message}");

        // Where they may be lost, first and resumed.
        // The finding that the other films of the set are enough for.
        let limit = ["--set", "data.max_lost=0.05", "--set", "select_findings=[\"Lung Opacity\"]"];
        for _ in 0..2 {
            let done = run(directory, "out", &limit);
            let message = text(&done.stderr);
            assert_eq!(done.status.code(), Some(1), "{name}: {message}");
            assert!(
                message.contains(&format!("error: {row}")) && !message.contains(file),
                "{name}: {message}"
            );
            let count = format!("1 of 20 images cannot be read and is left out ({split} 1)");
            assert_eq!(message.matches(&count).count(), 2, "{name}: {message}");
            assert!(!done.stdout.is_empty(), "{name}");
        }
        let by_path = run(directory, "out", &[&limit[..], &["--log-paths"]].concat());
        let message = text(&by_path.stderr);
        assert_eq!(by_path.status.code(), Some(1), "{name}: {message}");
        assert!(message.contains(file), "{name}: {message}");
    }
}

#[test]
fn many_lost_images_are_counted() {
    let directory = setting(60, "epochs = 1");
    let directory = directory.path();
    for (_, path) in images(directory, "train").iter().take(25) {
        fs::remove_file(path).unwrap();
    }
    let refused = run(directory, "out", &["--set", "data.max_lost=0.4"]);
    let message = text(&refused.stderr);
    assert_eq!(refused.status.code(), Some(2), "{message}");
    assert!(message.contains("25 of 60 images") && message.contains("22 more"), "{message}");
    let done = run(directory, "out", &["--set", "data.max_lost=0.5"]);
    let message = text(&done.stderr);
    assert_eq!(done.status.code(), Some(1), "{message}");
    assert!(message.contains("25 of 60 images cannot be read and are left out (train 25)"), "{message}");
    assert!(message.contains("5 more images"), "{message}");
    assert_eq!(message.matches("of phantoms/manifest.csv").count(), 20, "{message}");
}
