//! A run goes on only if all of it is as its record has it; another is replaced only where nothing foreign is lost.

#![allow(clippy::unwrap_used, reason = "a test whose setting is broken fails")]

mod support;

use std::fs;
use std::io;
use std::path::PathBuf;

use medclip_archive::{Format, Run, Source, Target, expand};
use support::{chain, contents, files, go, input_options, open, settings};

const SHARD: u32 = 5;
const FIRST: &str = "_medclip/commits/00000.json";
const SECOND: &str = "_medclip/commits/00001.json";
const THIRD: &str = "_medclip/commits/00002.json";
const LIST: &str = "_medclip/inputs.jsonl";
const END: &str = "_medclip/finished.json";

/// A finished run of 12 inputs, and one of inputs of other names beside it.
struct Setting {
    root: tempfile::TempDir,
    inputs: Vec<PathBuf>,
}

impl Setting {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let inputs = files(root.path(), 12);
        fs::create_dir(root.path().join("elsewhere")).unwrap();
        let elsewhere = files(&root.path().join("elsewhere"), 12);
        for (name, inputs) in [("run", &inputs), ("other", &elsewhere)] {
            let target = Target::Directory(root.path().join(name));
            go(&mut open(&target, settings(Format::Csv, SHARD), inputs).unwrap());
        }
        Self { root, inputs }
    }

    fn run(&self) -> PathBuf {
        self.root.path().join("run")
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.run().join(name)).unwrap()
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.run().join(name), text).unwrap();
    }

    fn edit(&self, name: &str, from: &str, to: &str) {
        let text = self.text(name);
        assert!(text.contains(from), "{text}");
        self.write(name, &text.replacen(from, to, 1));
    }

    fn remove(&self, name: &str) {
        fs::remove_file(self.run().join(name)).unwrap();
    }

    fn swap(&self, one: &str, two: &str) {
        let (first, second) = (self.text(one), self.text(two));
        self.write(one, &second);
        self.write(two, &first);
    }

    /// A file of the other run in the place of this one's.
    fn take(&self, name: &str) {
        fs::copy(self.root.path().join("other").join(name), self.run().join(name)).unwrap();
    }

    /// Why the run does not go on after each change; everything else is as it was.
    fn assert_refused(&self, cases: &[(&dyn Fn(), &str)], is_finished: bool) {
        let whole = contents(&self.run());
        for (change, expected) in cases {
            if !is_finished {
                self.remove(END);
            }
            change();
            let target = Target::Directory(self.run());
            let error = open(&target, settings(Format::Csv, SHARD), &self.inputs).unwrap_err().to_string();
            assert!(error.contains(expected), "{error} should contain {expected}");
            fs::remove_dir_all(self.run()).unwrap();
            for (path, bytes) in &whole {
                let path = self.run().join(path);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, bytes).unwrap();
            }
        }
    }
}

#[test]
fn a_changed_list_or_record_is_named() {
    let run = Setting::new();
    let cases: [(&dyn Fn(), &str); 6] = [
        (&|| run.edit(LIST, "001.png", "002.png"), "inputs.jsonl is damaged: its SHA-256"),
        (&|| run.edit(LIST, "001.png", "1.png"), "inputs.jsonl is damaged: it has"),
        (&|| run.remove(LIST), "inputs.jsonl is damaged: it is missing"),
        (&|| run.take(LIST), "inputs.jsonl is damaged"),
        (
            &|| run.edit("_medclip/run.json", "\"count\": 12", "\"count\": 11"),
            "is another run: it has 11 inputs",
        ),
        (&|| run.edit("_medclip/run.json", "Research", "Any"), "is damaged: it is"),
    ];
    run.assert_refused(&cases, true);
    run.assert_refused(&cases, false);
}

#[test]
fn changed_rows_and_commits_are_named() {
    let run = Setting::new();
    let (one, two) = ("rows-00000.csv", "rows-00001.csv");
    let cases: [(&dyn Fn(), &str); 9] = [
        (&|| run.edit(two, "0.5", "0.6"), "rows-00001.csv is damaged: its SHA-256"),
        (&|| run.write(two, ""), "rows-00001.csv is damaged: it has 0 bytes"),
        (&|| run.remove(one), "rows-00000.csv is damaged: it is missing"),
        (&|| run.swap(one, two), "rows-00000.csv is damaged"),
        (
            &|| {
                run.swap(one, two);
                run.swap(FIRST, SECOND);
            },
            "00000.json is damaged: it is that of file 1",
        ),
        (
            &|| {
                run.take(two);
                run.take(SECOND);
            },
            "00001.json is damaged: it is of another run",
        ),
        (&|| run.remove(SECOND), "00001.json is damaged: it is missing, but 00002.json is there"),
        (&|| run.edit(THIRD, "\"rows\": 2", "\"rows\": 3"), "00002.json is damaged: it says 3 rows"),
        (&|| run.write("rows-00007.csv", &run.text(two)), "rows-00007.csv is damaged: it is not part"),
    ];
    run.assert_refused(&cases, true);
    run.assert_refused(&cases, false);
}

#[test]
fn a_forged_end_is_named() {
    let run = Setting::new();
    let cases: [(&dyn Fn(), &str); 4] = [
        (
            &|| run.edit(END, "\"rows\": 12", "\"rows\": 13"),
            "finished.json is damaged: it says 13 rows, the run has 12",
        ),
        (&|| run.edit(END, "\"damaged\": 1", "\"damaged\": 2"), "finished.json is damaged: its numbers"),
        (&|| run.take(END), "finished.json is damaged: it is not of the run"),
        (&|| run.write(END, "{}"), "finished.json is damaged"),
    ];
    run.assert_refused(&cases, true);
}

#[test]
fn one_file_is_compared_with_what_was_written() {
    let root = tempfile::tempdir().unwrap();
    let inputs = files(root.path(), 12);
    let path = root.path().join("scores.csv");
    let target = Target::File(path.clone());
    let again = || open(&target, settings(Format::Csv, SHARD), &inputs);
    go(&mut again().unwrap());
    let text = fs::read_to_string(&path).unwrap();
    for (changed, expected) in
        [(String::new(), "it has 0 bytes"), (text.replacen("0.5", "0.6", 1), "its SHA-256 is not")]
    {
        fs::write(&path, changed).unwrap();
        let error = again().unwrap_err().to_string();
        assert!(error.contains("scores.csv is damaged") && error.contains(expected), "{error}");
    }
    fs::write(&path, text).unwrap();
    again().unwrap();
}

#[test]
fn a_run_is_replaced_where_nothing_else_is_in_its_directory() {
    let root = tempfile::tempdir().unwrap();
    let inputs = files(root.path(), 12);
    let target = Target::Directory(root.path().join("run"));
    let replace = |inputs: &[PathBuf], told: &mut Option<String>| {
        let mut list = |sink: &mut dyn FnMut(Source) -> io::Result<()>| {
            expand(inputs, &input_options(), &mut io::empty(), sink)
        };
        let settings = settings(Format::Csv, SHARD);
        Run::resume_or_replace(&target, settings, &mut list, |error| {
            *told = Some(error.to_string());
        })
    };
    let mut told = None;
    go(&mut replace(&inputs, &mut told).unwrap());
    assert_eq!(replace(&inputs, &mut told).unwrap().summary().rows, 12);
    assert_eq!(told, None);
    go(&mut replace(&inputs[..7], &mut told).unwrap());
    assert!(told.take().unwrap().contains("it has 12 inputs, but 7 were given"));
    assert_eq!(contents(&target.directory()).len(), 2 + 2 + 3);

    let mine = target.directory().join("mine.txt");
    fs::write(&mine, "mine").unwrap();
    let error = replace(&inputs, &mut told).unwrap_err();
    assert!(chain(&error).contains("mine.txt"), "{}", chain(&error));
    let error = Run::remove(&target.directory()).unwrap_err();
    assert!(chain(&error).contains("mine.txt"));
    assert_eq!(contents(&target.directory()).len(), 2 + 2 + 3 + 1);
    fs::remove_file(mine).unwrap();
    Run::remove(&target.directory()).unwrap();
    assert!(!target.directory().exists());
}
