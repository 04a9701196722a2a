//! `score --output`: a row for every input, whatever stops it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::setting::{images, json_lines, medclip, score, start_scoring, text};

/// 60 phantoms, of which one is cut off, one empty and one no image.
fn phantoms() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    let directory = root.path().join("films");
    let arguments = ["phantom", "-o", directory.to_str().unwrap(), "--count", "60", "--size", "256"];
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
    let options = ["--shard-size", "4", "--resume", "--threads", "2", "--output", output];
    start_scoring(directory, options.into_iter().chain(["films/images"; 3]))
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
        "killed.jsonl: 180 of 180 rows, 9 without scores (3 empty, 3 truncated, 3 unknown_format)\n"
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
    let output =
        score(directory.path(), &[&["--output", "x.jsonl", "--columns", "embedding"], &inputs[..]].concat());
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
    refused(
        &["a.png", "--output", "x.csv", "--resume", "--columns", "embedding"],
        "its width of embeddings is none",
    );
    for name in ["x.json", "x.tsv", "x.csv.gz", "x.xlsx"] {
        refused(&["a.png", "--output", name], "is no format of scores");
        assert!(!directory.path().join(name).exists());
    }
    refused(&["a.png", "--output", "-"], "standard output");
    assert!(!directory.path().join("-").exists());
    // A result that was moved.
    fs::rename(directory.path().join("x.csv"), directory.path().join("y.csv")).unwrap();
    refused(&["a.png", "--output", "x.csv"], "delete x.csv.run");
    refused(&["a.png", "--output", "x.csv", "--resume"], "delete x.csv.run");
    fs::remove_dir_all(directory.path().join("x.csv.run")).unwrap();
    fs::remove_file(directory.path().join("y.csv")).unwrap();
    assert_eq!(score(directory.path(), &["a.png", "--output", "x.csv"]).status.code(), Some(0));
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

/// A tar of these members, of which one may be a link.
fn tar(path: &Path, members: &[(&str, &[u8])], links: &[(&str, &str)]) {
    // Headers by hand: name, mode, size, kind, target and checksum are all that is needed.
    let mut bytes = Vec::new();
    let mut push = |name: &str, kind: u8, target: &str, content: &[u8]| {
        let mut header = [0; 512];
        header[..name.len()].copy_from_slice(name.as_bytes());
        header[124..136].copy_from_slice(format!("{:011o}\0", content.len()).as_bytes());
        header[148..156].fill(b' ');
        header[156] = kind;
        header[157..157 + target.len()].copy_from_slice(target.as_bytes());
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        bytes.extend(header);
        bytes.extend(content);
        bytes.resize(bytes.len().next_multiple_of(512), 0);
    };
    for (name, content) in members {
        push(name, b'0', "", content);
    }
    for (name, target) in links {
        push(name, b'1', target, b"");
    }
    bytes.resize(bytes.len() + 1024, 0);
    fs::write(path, bytes).unwrap();
}

#[test]
fn a_search_scores_every_film_and_counts_the_rest_with_and_without_a_file() {
    let directory = images(&["s/a.png", "s/b.jpg", "s/c.png"]);
    let file = |name: &str| directory.path().join("s").join(name);
    fs::rename(file("b.jpg"), file("b.jfif")).unwrap();
    fs::rename(file("c.png"), file("1.2.840.113619.2.5.DOE")).unwrap();
    fs::write(file("notes.txt"), "no film").unwrap();
    fs::write(file("._a.png"), "\0\x05\x16\x07").unwrap();
    fs::write(file("cut.PNG"), "no film").unwrap();
    let film = fs::read(file("a.png")).unwrap();
    tar(
        &file("x.tar"),
        &[("blob", &film), ("d.txt", b"text")],
        &[("link.png", "blob"), ("lost.png", "gone")],
    );
    let expected = [
        "s/1.2.840.113619.2.5.DOE",
        "s/a.png",
        "s/b.jfif",
        "s/cut.PNG",
        "s/x.tar!blob",
        "s/x.tar!link.png",
        "s/x.tar!lost.png",
    ];
    let rest = "2 files not looked at (2 .txt), 1 file that is no film (1 system file)";
    let printed = score(directory.path(), &["s", "--format", "json"]);
    assert_eq!(printed.status.code(), Some(1));
    let lines = json_lines(&printed);
    let paths: Vec<_> = lines.iter().map(|line| line["path"].as_str().unwrap()).collect();
    assert_eq!(paths, expected);
    assert_eq!(lines[1]["findings"], lines[4]["findings"]);
    assert_eq!(lines[4]["findings"], lines[5]["findings"]);
    assert!(
        text(&printed.stderr).ends_with(&format!("5 scored, 2 failed; {rest}\n")),
        "{}",
        text(&printed.stderr)
    );

    let written = score(directory.path(), &["s", "--output", "x.jsonl"]);
    assert_eq!(written.status.code(), Some(1));
    assert_eq!(
        text(&written.stderr),
        format!("x.jsonl: 7 of 7 rows, 2 without scores (1 archive, 1 unknown_format); {rest}\n")
    );
    for (row, line) in fs::read_to_string(directory.path().join("x.jsonl")).unwrap().lines().zip(&lines) {
        let row: Value = serde_json::from_str(row).unwrap();
        for key in ["path", "qc", "notes", "findings", "error"] {
            assert_eq!(row[key], line[key], "{key}");
        }
    }
}

#[cfg(unix)]
#[test]
fn names_of_any_bytes_are_ids_that_resume_and_stay_apart() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let directory = images(&["s/a.png", "s/b.png", "s/c.png"]);
    let file = |name: &[u8]| directory.path().join("s").join(OsStr::from_bytes(name));
    for (from, to) in
        [(&b"a.png"[..], &b"\x84M.png"[..]), (b"b.png", b"\x94M.png"), (b"c.png", b"\\x84M.png")]
    {
        fs::rename(file(from), file(to)).unwrap();
    }
    let expected = ["s/\\x5cx84M.png", "s/\\x84M.png", "s/\\x94M.png"];
    let printed = score(directory.path(), &["s", "--format", "json"]);
    let lines = json_lines(&printed);
    let paths: Vec<_> = lines.iter().map(|line| line["path"].as_str().unwrap()).collect();
    assert_eq!(paths, expected);
    for _ in 0..2 {
        let written = score(directory.path(), &["s", "--output", "x.csv", "--resume"]);
        assert_eq!(written.status.code(), Some(0), "{}", text(&written.stderr));
    }
    let rows = fs::read_to_string(directory.path().join("x.csv")).unwrap();
    let paths: Vec<_> = rows.lines().skip(1).map(|row| row.split(',').next().unwrap()).collect();
    assert_eq!(paths, expected);
}

#[test]
fn no_spreadsheet_runs_a_cell() {
    let directory = images(&["=1+1.png", "@a.png", "'b.png", "c.png"]);
    let names = ["./=1+1.png", "=1+1.png", "@a.png", "'b.png", "c.png"];
    let printed = score(directory.path(), &[&["--format", "csv"], &names[..]].concat());
    let written = score(directory.path(), &[&["--output", "x.csv"], &names[..]].concat());
    assert_eq!((printed.status.code(), written.status.code()), (Some(0), Some(0)));
    let file = fs::read_to_string(directory.path().join("x.csv")).unwrap();
    for rows in [text(&printed.stdout), file] {
        let paths: Vec<_> =
            rows.lines().skip(1).map(|row| row.split(',').next().unwrap().to_owned()).collect();
        assert_eq!(paths, ["./=1+1.png", "'=1+1.png", "'@a.png", "''b.png", "c.png"]);
    }
}
