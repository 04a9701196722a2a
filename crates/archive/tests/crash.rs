//! A run that was stopped anywhere ends as one that was not.

#![allow(clippy::unwrap_used, reason = "a test whose setting is broken fails")]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use medclip_archive::{End, Format, Portion, RunError, Target, work};
use medclip_scorer::Report;
use support::{Texts, contents, files, go, open, settings, threads};

const INPUTS: usize = 23;
const SHARD: u32 = 5;

fn lay(directory: &Path, files: &BTreeMap<PathBuf, Vec<u8>>) {
    for (path, bytes) in files {
        let path = directory.join(path);
        let parent = path.parent().unwrap();
        fs::create_dir_all(parent).unwrap();
        if parent.ends_with(STAGING) {
            private(parent);
        }
        fs::write(path, bytes).unwrap();
    }
    fs::create_dir_all(directory.join("_medclip/commits")).unwrap();
}

/// The name of a staging directory; a real one is random.
const STAGING: &str = ".medclip-0123456789abcdef.partial";

/// The files that a killed writer of `path` leaves, with these bytes written.
fn staged(path: &Path, bytes: &[u8]) -> Vec<(PathBuf, Vec<u8>)> {
    let staging = path.parent().unwrap().join(STAGING);
    let name = path.file_name().unwrap().as_encoded_bytes();
    let mark = format!(r#"{{"what":"medclip staging","target":{name:?}}}"#);
    vec![(staging.join("mark"), mark.into_bytes()), (staging.join("new"), bytes.to_vec())]
}

#[cfg(unix)]
fn private(directory: &Path) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(directory, fs::Permissions::from_mode(0o700)).unwrap();
}

#[cfg(not(unix))]
fn private(_directory: &Path) {}

/// The state after `commits` files of rows, with what an interrupted writer left on top.
fn stopped(
    whole: &BTreeMap<PathBuf, Vec<u8>>,
    commits: usize,
    extension: &str,
) -> Vec<(String, BTreeMap<PathBuf, Vec<u8>>)> {
    let rows = |number: usize| PathBuf::from(format!("rows-{number:05}.{extension}"));
    let commit = |number: usize| PathBuf::from(format!("_medclip/commits/{number:05}.json"));
    let mut before = whole.clone();
    before.remove(Path::new("_medclip/finished.json"));
    let mut later = commits;
    while before.remove(&rows(later)).is_some() {
        before.remove(&commit(later));
        later += 1;
    }
    let mut states = vec![("between files".to_owned(), before.clone())];
    let mut add = |step: &str, extra: Vec<(PathBuf, Vec<u8>)>| {
        let mut state = before.clone();
        state.extend(extra);
        states.push((format!("{step} {commits}"), state));
    };
    if let (Some(bytes), Some(record)) = (whole.get(&rows(commits)), whole.get(&commit(commits))) {
        let half = bytes[..bytes.len() / 2].to_vec();
        add("rows begun", staged(&rows(commits), &half));
        add("rows not renamed", staged(&rows(commits), bytes));
        add("rows without commit", vec![(rows(commits), bytes.clone())]);
        add("rows of a lost write", vec![(rows(commits), vec![0; bytes.len()])]);
        let committed = (rows(commits), bytes.clone());
        for (step, bytes) in [("commit begun", &record[..4]), ("commit not renamed", record)] {
            add(step, staged(&commit(commits), bytes).into_iter().chain([committed.clone()]).collect());
        }
    }
    states
}

#[test]
fn a_directory_is_the_same_after_a_crash_at_every_step() {
    for format in Format::ALL {
        let root = tempfile::tempdir().unwrap();
        let inputs = files(root.path(), INPUTS);
        let whole_at = root.path().join("whole");
        let mut run = open(&Target::Directory(whole_at.clone()), settings(format, SHARD), &inputs).unwrap();
        assert_eq!(go(&mut run), End::Complete);
        assert_eq!((run.summary().rows, run.summary().failures.values().sum::<u64>()), (23, 3));
        drop(run);
        let whole = contents(&whole_at);
        assert_eq!(whole.len(), 5 + 5 + 3, "rows, commits, run, inputs and the end");
        for commits in 0..=5 {
            for (step, state) in stopped(&whole, commits, format.extension()) {
                let directory = root.path().join("stopped");
                lay(&directory, &state);
                let target = Target::Directory(directory.clone());
                let mut run = open(&target, settings(format, SHARD), &inputs).unwrap();
                assert_eq!(run.summary().rows, (commits as u64 * 5).min(23), "{step}");
                go(&mut run);
                assert_eq!(contents(&directory), whole, "{format:?} stopped with {step}");
                drop(run);
                fs::remove_dir_all(&directory).unwrap();
            }
        }
    }
}

#[test]
fn one_file_is_the_same_after_a_crash_at_every_step_of_its_end() {
    for format in Format::ALL {
        let root = tempfile::tempdir().unwrap();
        let inputs = files(root.path(), INPUTS);
        // The rows before they are put together are those of a directory.
        let parts = root.path().join("parts");
        go(&mut open(&Target::Directory(parts.clone()), settings(format, SHARD), &inputs).unwrap());
        let mut unfinished = contents(&parts);
        unfinished.remove(Path::new("_medclip/finished.json"));

        let file = root.path().join(format!("scores.{}", format.extension()));
        let target = Target::File(file.clone());
        go(&mut open(&target, settings(format, SHARD), &inputs).unwrap());
        let whole = fs::read(&file).unwrap();
        let record = contents(&target.directory());
        let names: Vec<_> = record.keys().map(|path| path.display().to_string()).collect();
        assert_eq!(names, ["_medclip/finished.json", "_medclip/run.json"]);

        let end = PathBuf::from("_medclip/finished.json");
        let mut finished = unfinished.clone();
        finished.insert(end.clone(), record[&end].clone());
        let mut half_removed = finished.clone();
        half_removed.remove(Path::new(&format!("rows-00001.{}", format.extension())));
        half_removed.remove(Path::new("_medclip/inputs.jsonl"));
        let there = || Some(vec![(file.clone(), whole.clone())]);
        for (step, state, is_there) in [
            ("before the file", &unfinished, None),
            ("file begun", &unfinished, Some(staged(Path::new(file.file_name().unwrap()), &whole[..9]))),
            ("file there, not marked", &unfinished, there()),
            ("marked, rows still there", &finished, there()),
            ("rows half removed", &half_removed, there()),
            ("all done", &record, there()),
        ] {
            fs::remove_dir_all(target.directory()).unwrap();
            fs::remove_file(&file).unwrap();
            lay(&target.directory(), state);
            if let Some(files) = is_there {
                lay(root.path(), &files.into_iter().collect());
                fs::remove_dir_all(root.path().join("_medclip")).unwrap();
            }
            let mut run = open(&target, settings(format, SHARD), &inputs).unwrap();
            assert_eq!(go(&mut run), End::Complete);
            assert_eq!(run.summary().rows, 23);
            assert_eq!(fs::read(&file).unwrap(), whole, "{step}");
            assert!(!root.path().join(STAGING).exists(), "{step}");
            assert_eq!(contents(&target.directory()), record, "{step}");
        }
    }
}

#[test]
fn a_beginning_that_was_cut_off_is_begun_again() {
    let root = tempfile::tempdir().unwrap();
    let inputs = files(root.path(), 4);
    let directory = root.path().join("run");
    let list = Path::new("_medclip/inputs.jsonl");
    let states = [
        vec![],
        vec![(PathBuf::from("_medclip/lock"), vec![])],
        vec![(list.to_owned(), b"{\"pa".to_vec())],
        staged(list, b"{\"pa"),
        staged(Path::new("_medclip/run.json"), b"{"),
    ];
    for state in states {
        lay(&directory, &state.into_iter().collect());
        let target = Target::Directory(directory.clone());
        assert_eq!(go(&mut open(&target, settings(Format::Csv, SHARD), &inputs).unwrap()), End::Complete);
        assert!(!directory.join("_medclip").join(STAGING).exists());
        fs::remove_dir_all(&directory).unwrap();
    }
}

#[test]
fn a_beginning_that_fails_leaves_what_was_there() {
    let root = tempfile::tempdir().unwrap();
    let empty = root.path().join("empty");
    fs::create_dir(&empty).unwrap();
    for directory in [root.path().join("new"), empty.clone()] {
        let failed = medclip_archive::Run::begin(
            &Target::Directory(directory),
            settings(Format::Csv, SHARD),
            &mut |_| Err(io::Error::other("no").into()),
        );
        assert!(matches!(failed, Err(RunError::Inputs(_))), "{failed:?}");
        assert!(!root.path().join("new").exists());
        assert_eq!(fs::read_dir(&empty).unwrap().count(), 0);
    }
}

#[test]
fn asked_to_stop_it_ends_after_a_whole_file() {
    let root = tempfile::tempdir().unwrap();
    let inputs = files(root.path(), 60);
    let target = Target::Directory(root.path().join("run"));
    let mut run = open(&target, settings(Format::Jsonl, SHARD), &inputs).unwrap();
    let stop = AtomicBool::new(false);
    let stages = Texts::new(run.settings(), u64::MAX);
    let end = work(&mut run, &stages, &threads(1, 1, 1), &stop, |_, progress| {
        assert_eq!(progress.total, 60);
        stop.store(progress.done >= 7, Ordering::Relaxed);
        Ok(())
    });
    assert_eq!(end.unwrap(), End::Stopped);
    let rows = run.summary().rows;
    assert!((10..30).contains(&rows) && rows.is_multiple_of(5), "{rows}");
    drop(run);
    let mut run = open(&target, settings(Format::Jsonl, SHARD), &inputs).unwrap();
    assert_eq!((run.summary().rows, go(&mut run), run.summary().rows), (rows, End::Complete, 60));
}

#[test]
fn a_report_that_cannot_be_taken_has_no_row_and_is_told_again() {
    let root = tempfile::tempdir().unwrap();
    let inputs = files(root.path(), 12);
    let target = Target::Directory(root.path().join("run"));
    let mut run = open(&target, settings(Format::Jsonl, SHARD), &inputs).unwrap();
    let stages = Texts::new(run.settings(), u64::MAX);
    let go = AtomicBool::new(false);
    let mut told = Vec::new();
    let mut full = |report: &Report, done| {
        told.push(report.path.clone());
        if done == 7 { Err("the disk is full".into()) } else { Ok(()) }
    };
    let failed =
        work(&mut run, &stages, &threads(1, 1, 1), &go, |report, progress| full(report, progress.done));
    assert_eq!(failed.unwrap_err().to_string(), "the disk is full");
    assert_eq!(run.summary().rows, 5);
    drop(run);
    let mut run = open(&target, settings(Format::Jsonl, SHARD), &inputs).unwrap();
    let mut again = Vec::new();
    work(&mut run, &stages, &threads(1, 1, 1), &go, |report, _| {
        again.push(report.path.clone());
        Ok(())
    })
    .unwrap();
    assert_eq!((again.len(), run.summary().rows), (7, 12));
    assert_eq!(again[..2], told[5..7]);
}

#[test]
fn another_run_is_refused_by_what_differs() {
    let root = tempfile::tempdir().unwrap();
    let inputs = files(root.path(), 8);
    let target = Target::Directory(root.path().join("run"));
    let same = || settings(Format::Csv, SHARD);
    go(&mut open(&target, same(), &inputs).unwrap());
    let mut cases = vec![];
    let mut case = |change: &dyn Fn(&mut medclip_archive::Settings), message: &str| {
        let mut settings = same();
        change(&mut settings);
        cases.push((settings, inputs.clone(), message.to_owned()));
    };
    case(&|s| s.schema.model_id = "ab".to_owned(), "its model id is 0f0f");
    case(&|s| s.schema.engine = "cuda".to_owned(), "its engine is none, but cuda was given");
    case(&|s| s.schema.embedding_dim = Some(3), "its width of embeddings is none, but 3 was given");
    case(&|s| s.schema.patient.id = true, "its personal columns is none, but patient_id was given");
    case(&|s| s.format = Format::Jsonl, "its format is csv, but jsonl was given");
    case(&|s| s.shard_size = 6.try_into().unwrap(), "its shard size is 5, but 6 was given");
    case(&|s| s.portion = Portion::new(1, 2), "its part of the inputs is none, but 1/2 was given");
    case(
        &|s| drop(s.options.insert("window".to_owned(), "auto".to_owned())),
        "its window is none, but auto was given",
    );
    cases.push((same(), inputs[1..].to_vec(), "it has 8 inputs, but 7 were given".to_owned()));
    let turned = inputs.iter().rev().cloned().collect();
    cases.push((same(), turned, "its 8 inputs have other names, or another order".to_owned()));
    for (settings, inputs, expected) in cases {
        let error = open(&target, settings, &inputs).unwrap_err();
        assert!(matches!(error, RunError::Differs { .. }), "{error}");
        assert!(error.to_string().contains(&expected), "{error} should contain {expected}");
        assert!(!error.to_string().contains(".png"), "{error} names no input");
    }
}

#[test]
fn what_is_damaged_occupied_or_in_use_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let inputs = files(root.path(), 12);
    let directory = root.path().join("run");
    let target = Target::Directory(directory.clone());
    let mut run = open(&target, settings(Format::Csv, SHARD), &inputs).unwrap();
    let other = open(&target, settings(Format::Csv, SHARD), &inputs);
    assert!(matches!(other.unwrap_err(), RunError::Locked { .. }));
    go(&mut run);
    drop(run);

    let begin = |target: &Target| {
        medclip_archive::Run::begin(target, settings(Format::Csv, SHARD), &mut |_| Ok(())).unwrap_err()
    };
    assert!(matches!(begin(&target), RunError::Exists { .. }));
    let file = root.path().join("scores.csv");
    fs::write(&file, "mine").unwrap();
    assert!(matches!(begin(&Target::File(file.clone())), RunError::Exists { .. }));
    assert_eq!(fs::read_to_string(file).unwrap(), "mine");
    let occupied = Target::Directory(root.path().to_owned());
    assert!(matches!(begin(&occupied), RunError::NotARun { .. }));
}
