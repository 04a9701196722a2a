//! `--memory`: films wait for their share of it.

use std::fs::{self, File};
use std::io::{Read as _, Write as _, copy, repeat};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::dicom_file::Builder;
use crate::setting::{bundle, images, json_lines, medclip, score, text};

/// A film of 2000 × 2000, which takes 8 MB and as much again to decode.
fn large_film() -> Vec<u8> {
    let samples: Vec<u16> = (0..2000 * 2000_u32).map(|index| (index % 2000 + index / 2000) as u16).collect();
    Builder::gray(2000, 2000, 12).pixels(&samples).file()
}

/// Small films around a large one, as a file and in an archive.
fn films() -> tempfile::TempDir {
    let directory = images(&["a.png", "z.png"]);
    let large = large_film();
    fs::write(directory.path().join("large.dcm"), &large).unwrap();
    let mut zip = ZipWriter::new(File::create(directory.path().join("m.zip")).unwrap());
    zip.start_file("large.dcm", SimpleFileOptions::default()).unwrap();
    zip.write_all(&large).unwrap();
    zip.start_file("small.png", SimpleFileOptions::default()).unwrap();
    zip.write_all(&fs::read(directory.path().join("a.png")).unwrap()).unwrap();
    zip.finish().unwrap();
    directory
}

#[test]
fn a_film_that_alone_needs_too_much_is_an_error_and_the_others_are_scored() {
    let directory = films();
    for threads in ["1", "4"] {
        let arguments = ["--memory", "10M", "--threads", threads, "--format", "json", "."];
        let output = score(directory.path(), &arguments);
        assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
        let rows = json_lines(&output);
        let errors: Vec<_> = rows.iter().map(|row| row["error"].as_str().unwrap_or("")).collect();
        let refused = "of memory, the budget of the run is 10 MiB (10485760 bytes)";
        assert_eq!(errors.len(), 5, "{errors:?}");
        for (row, error) in rows.iter().zip(errors) {
            let is_large = row["path"].as_str().unwrap().ends_with("large.dcm");
            assert_eq!(error.contains(refused), is_large, "{error}");
            assert_eq!(error.is_empty(), !is_large, "{error}");
        }
    }
    // With room for one at a time, all are scored, and alike.
    let tight = score(directory.path(), &["--memory", "32M", "--threads", "4", "--format", "json", "."]);
    let plenty = score(directory.path(), &["--threads", "4", "--format", "json", "."]);
    assert_eq!(tight.status.code(), Some(0), "{}", text(&tight.stderr));
    assert_eq!(text(&tight.stdout), text(&plenty.stdout));
}

#[test]
fn rows_of_an_archive_have_a_kind_for_it() {
    let directory = films();
    let arguments = ["--memory", "10M", "--threads", "4", "--output", "rows.jsonl", "."];
    let output = score(directory.path(), &arguments);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    assert!(
        text(&output.stderr).contains("2 without scores (2 too_much_memory)"),
        "{}",
        text(&output.stderr)
    );
    let rows = fs::read_to_string(directory.path().join("rows.jsonl")).unwrap();
    assert_eq!(rows.matches("the budget of the run is 10 MiB (10485760 bytes)").count(), 2, "{rows}");
    let model = bundle().to_str().unwrap();
    let build = ["index", "build", "-o", "films.index", ".", "--model", model, "--memory", "10M"];
    let output = medclip(&build).current_dir(directory.path()).output().unwrap();
    assert!(text(&output.stderr).contains("too_much_memory"), "{}", text(&output.stderr));
}

#[test]
fn a_size_that_is_none_is_refused_with_an_example() {
    let directory = images(&["a.png"]);
    for size in ["0", "lots", "2X", "-1"] {
        let output = score(directory.path(), &[&format!("--memory={size}"), "a.png"]);
        assert_eq!(output.status.code(), Some(2));
        assert!(text(&output.stderr).contains("such as 512M or 2G"), "{}", text(&output.stderr));
    }
}

/// Peak of a process in bytes, as long as it runs.
fn peak(process: u32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok())
        .map_or(0, |figure| figure * 1024)
}

fn peak_of_scoring(directory: &Path, arguments: &[&str]) -> u64 {
    let mut child = Command::new(env!("CARGO_BIN_EXE_medclip"))
        .args(["score", "--model", bundle().to_str().unwrap(), "--threads", "8"])
        .args(arguments)
        .env_remove("MEDCLIP_MODEL")
        .current_dir(directory)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut most = 0;
    while child.try_wait().unwrap().is_none() {
        most = most.max(peak(child.id()));
        thread::sleep(Duration::from_millis(2));
    }
    most
}

#[cfg(target_os = "linux")]
#[test]
fn members_that_inflate_to_much_wait_for_each_other() {
    const MEMBER: u64 = 64 << 20;
    let directory = images(&["a.png"]);
    let mut zip = ZipWriter::new(File::create(directory.path().join("bombs.zip")).unwrap());
    for number in 0..12 {
        zip.start_file(format!("{number}.png"), SimpleFileOptions::default()).unwrap();
        copy(&mut repeat(0).take(MEMBER), &mut zip).unwrap();
    }
    zip.finish().unwrap();
    let usual = peak_of_scoring(directory.path(), &["a.png"]);
    for output in [&["--format", "json"][..], &["--output", "rows.jsonl"]] {
        let most = peak_of_scoring(directory.path(), &[output, &["--memory", "150M", "bombs.zip"]].concat());
        assert!(most > MEMBER && most < usual + (200 << 20), "{} MiB, usually {}", most >> 20, usual >> 20);
    }
}
