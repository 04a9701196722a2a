//! `score --output`: a row for every input, whatever stops it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::setting::{bundle, images, json_lines, medclip, score, text};

/// 60 phantoms, of which one is cut off, one empty and one no image.
fn phantoms() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    let directory = root.path().join("films");
    let arguments = ["phantom", directory.to_str().unwrap(), "--count", "60", "--size", "256"];
    assert!(medclip(&arguments).output().unwrap().status.success());
    let images = directory.join("images");
    let mut names: Vec<PathBuf> = fs::read_dir(&images).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.sort();
    let whole = fs::read(&names[7]).unwrap();
    fs::write(&names[7], &whole[..whole.len() / 2]).unwrap();
    fs::write(&names[23], "").unwrap();
    fs::write(&names[41], "no image at all").unwrap();
    root
}

/// Scores the phantoms three times over, which takes a while.
fn start(directory: &Path, output: &str) -> Child {
    Command::new(env!("CARGO_BIN_EXE_medclip"))
        .args(["score", "--model", bundle().to_str().unwrap(), "--shard-size", "4", "--resume"])
        .args(["films/images"; 3])
        .args(["--threads", "2", "--output", output])
        .env_remove("MEDCLIP_MODEL")
        .current_dir(directory)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Files of rows that count.
fn commits(directory: &Path) -> usize {
    let listed = fs::read_dir(directory.join("_medclip/commits"));
    listed.map_or(0, |entries| {
        entries
            .filter(|entry| {
                entry.as_ref().is_ok_and(|entry| entry.path().extension() == Some("json".as_ref()))
            })
            .count()
    })
}

/// Waits until `done`, or until the process ends.
fn wait_until(child: &mut Child, mut done: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !done() && child.try_wait().unwrap().is_none() {
        assert!(begun.elapsed() < Duration::from_mins(1), "nothing happens");
        thread::sleep(Duration::from_micros(300));
    }
}

#[test]
fn killed_again_and_again_it_ends_as_if_it_had_not_been() {
    let root = phantoms();
    let mut whole = start(root.path(), "whole.jsonl");
    assert_eq!(whole.wait().unwrap().code(), Some(1));
    let expected = fs::read_to_string(root.path().join("whole.jsonl")).unwrap();

    let run = root.path().join("killed.jsonl.run");
    let mut kills = 0;
    for number in 0..5 {
        let mut child = start(root.path(), "killed.jsonl");
        let before = commits(&run);
        wait_until(&mut child, || commits(&run) > before + number % 2);
        if child.try_wait().unwrap().is_none() {
            child.kill().unwrap();
            kills += 1;
        }
        child.wait().unwrap();
    }
    assert!(kills >= 2, "{kills} kills");
    let end = start(root.path(), "killed.jsonl").wait_with_output().unwrap();
    assert_eq!(end.status.code(), Some(1), "{}", text(&end.stderr));
    assert_eq!(
        text(&end.stderr),
        "killed.jsonl: 180 of 180 rows, 9 without scores (3 damaged, 3 empty, 3 unknown_format)\n"
    );
    assert_eq!(fs::read_to_string(root.path().join("killed.jsonl")).unwrap(), expected);
    assert_eq!(expected.lines().count(), 180);

    // Once more there is nothing left to do, and the same is said.
    let again = start(root.path(), "killed.jsonl").wait_with_output().unwrap();
    assert_eq!((again.status.code(), text(&again.stderr)), (Some(1), text(&end.stderr)));
}

#[cfg(unix)]
#[test]
fn an_interrupt_finishes_the_rows_at_hand_and_says_so() {
    let root = phantoms();
    let run = root.path().join("scores");
    let mut child = start(root.path(), "scores");
    wait_until(&mut child, || commits(&run) > 0);
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("stopping after the rows at hand"));
    let rows = fs::read_dir(&run).unwrap().count() - 1;
    assert_eq!(rows, commits(&run));
    assert!((1..45).contains(&rows), "{rows}");
    assert_eq!(start(root.path(), "scores").wait().unwrap().code(), Some(1));
    assert_eq!(commits(&run), 45);
}

#[test]
fn rows_say_what_standard_output_says() {
    let directory = images(&["a/1.png", "a/2.jpg", "b.png"]);
    fs::write(directory.path().join("a/3.png"), "no image").unwrap();
    let inputs = ["a", "b.png", "missing.png"];
    let printed = json_lines(&score(directory.path(), &[&["--format", "json"], &inputs[..]].concat()));
    let output = score(directory.path(), &[&["--output", "x.jsonl", "--embeddings"], &inputs[..]].concat());
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty());
    assert!(!text(&output.stderr).contains(".png"), "{}", text(&output.stderr));
    let rows: Vec<Value> = fs::read_to_string(directory.path().join("x.jsonl"))
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(rows.len(), printed.len());
    for (row, line) in rows.iter().zip(&printed) {
        for key in ["path", "model", "engine", "findings", "error"] {
            assert_eq!(row[key], line[key], "{key}");
        }
        assert_eq!(row["embedding"].is_null(), !row["error"].is_null());
        assert_eq!(row["model_id"].as_str().unwrap().len(), 64);
    }
}

#[test]
fn what_does_not_fit_is_refused_with_status_2() {
    let directory = images(&["a.png", "b.png"]);
    let refused = |arguments: &[&str], message: &str| {
        let output = score(directory.path(), arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(text(&output.stderr).contains(message), "{}", text(&output.stderr));
    };
    assert_eq!(score(directory.path(), &["a.png", "--output", "x.csv"]).status.code(), Some(0));
    refused(&["a.png", "--output", "x.csv"], "x.csv is there already");
    refused(&["b.png", "--output", "x.csv", "--resume"], "other names, or another order");
    refused(&["a.png", "--output", "x.csv", "--resume", "--embeddings"], "its width of embeddings is none");
    refused(&["a.png", "--output", "y.csv", "--format", "json"], "does not agree with the ending");
    refused(&["a.png", "--output", "y", "--format", "table"], "writes no tables for people");
    refused(&["a.png", "--output", ".", "--resume"], "is not empty and holds no run");
    refused(&["a.png", "--resume"], "--output");
    refused(&["a.png", "--output", "y", "--shard", "3/2"], "I/N");
    fs::write(directory.path().join("list.csv"), "file\na.png\n").unwrap();
    refused(&["list.csv", "--output", "y"], "column `path` is missing; the columns are `file`");
}

#[test]
fn parts_together_are_the_whole() {
    let names: Vec<String> = (0..12).map(|number| format!("set/{number:02}.png")).collect();
    let directory = images(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let lines = |arguments: &[&str], file: &str| -> Vec<String> {
        let output = score(directory.path(), &[arguments, &["--output", file, "set"]].concat());
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        fs::read_to_string(directory.path().join(file)).unwrap().lines().map(str::to_owned).collect()
    };
    let whole = lines(&[], "whole.jsonl");
    let mut parts = [lines(&["--shard", "1/2"], "1.jsonl"), lines(&["--shard", "2/2"], "2.jsonl")].concat();
    parts.sort();
    assert_eq!(parts, whole);
}
