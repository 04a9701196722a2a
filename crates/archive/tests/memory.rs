//! Inputs share a budget of memory, and rows do not depend on how they come by it.

#![allow(clippy::unwrap_used, reason = "a test whose setting is broken fails")]

mod support;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use medclip_archive::{Content, End, Format, PipelineOptions, Stages, Target, work};
use medclip_scorer::{Failure, Report, Schema, Scores};
use support::{open, settings, threads};
use zip::write::SimpleFileOptions;

/// Scores texts of digits, which say what they need: the first three, or where those are letters the last three.
struct Needy {
    schema: Arc<Schema>,
    held: AtomicU64,
    most: AtomicU64,
}

fn told(start: &[u8], bytes: u64) -> Option<u64> {
    let number = |digits: &[u8]| str::from_utf8(digits).ok()?.parse().ok();
    let last = || {
        let whole = start.len() as u64 == bytes;
        whole.then(|| start.last_chunk::<3>().and_then(|digits| number(digits)).unwrap_or(0))
    };
    start.first_chunk::<3>().and_then(|digits| number(digits)).or_else(last)
}

impl Stages for Needy {
    type Prepared = u64;

    fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    fn prepare(&self, content: Content<'_>) -> u64 {
        let bytes = match content {
            Content::File(path) => fs::read(path).unwrap(),
            Content::Bytes(bytes) => bytes.to_vec(),
        };
        let bytes_held = bytes.len() as u64 + told(&bytes, bytes.len() as u64).unwrap();
        let now = self.held.fetch_add(bytes_held, Ordering::SeqCst) + bytes_held;
        self.most.fetch_max(now, Ordering::SeqCst);
        thread::sleep(Duration::from_micros(bytes_held % 7 * 100));
        self.held.fetch_sub(bytes_held, Ordering::SeqCst);
        bytes.iter().map(|&byte| u64::from(byte)).sum()
    }

    fn score(&self, films: &[u64]) -> Vec<Report> {
        let report = |&film: &u64| {
            let scores = Scores { findings: vec![(film as f32, 0.5); 2], embedding: None, maps: None };
            let unscored = Report::failed(Arc::clone(&self.schema), Failure::new("none", ""));
            Report { outcome: Ok(scores), ..unscored }
        };
        films.iter().map(report).collect()
    }

    fn need_bytes(&self) -> u64 {
        4
    }

    fn need(&self, start: &[u8], bytes: u64) -> Option<u64> {
        told(start, bytes)
    }

    fn prepared_bytes(&self) -> u64 {
        8
    }
}

/// Files and members of archives, in turn, of all sizes and needs.
fn inputs(directory: &Path) -> Vec<PathBuf> {
    let text = |number: usize| {
        let need = number * 37 % 400;
        let filling = "x".repeat(number * 53 % 200);
        if number.is_multiple_of(3) {
            format!("abc{filling}{need:03}")
        } else {
            format!("{need:03}{filling}")
        }
    };
    let mut inputs = Vec::new();
    for group in 0..8 {
        for number in 0..5 {
            let path = directory.join(format!("{group}-{number}.png"));
            fs::write(&path, text(group * 11 + number)).unwrap();
            inputs.push(path);
        }
        let path = directory.join(format!("{group}.zip"));
        let mut zip = zip::ZipWriter::new(File::create(&path).unwrap());
        for number in 5..11 {
            zip.start_file(format!("{number}.png"), SimpleFileOptions::default()).unwrap();
            zip.write_all(text(group * 11 + number).as_bytes()).unwrap();
        }
        zip.finish().unwrap();
        inputs.push(path);
    }
    inputs
}

/// The rows of a run, its failures, and how much was held at most. Fails where the run does not come to its end.
fn rows(inputs: &[PathBuf], options: PipelineOptions) -> (String, BTreeMap<String, u64>, u64) {
    let (sender, done) = mpsc::channel();
    let inputs = inputs.to_vec();
    thread::spawn(move || {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("rows.jsonl");
        let mut run = open(&Target::File(file.clone()), settings(Format::Jsonl, 7), &inputs).unwrap();
        let schema = Arc::new(run.settings().schema.clone());
        let stages = Needy { schema, held: AtomicU64::new(0), most: AtomicU64::new(0) };
        assert_eq!(
            work(&mut run, &stages, &options, &AtomicBool::new(false), |_, _| Ok(())).unwrap(),
            End::Complete
        );
        let failures = run.summary().failures.clone();
        let most = stages.most.load(Ordering::SeqCst);
        sender.send((fs::read_to_string(file).unwrap(), failures, most)).unwrap();
    });
    done.recv_timeout(Duration::from_mins(1)).expect("a run that ends")
}

#[test]
fn rows_are_the_same_whatever_the_budget_and_the_threads() {
    let directory = tempfile::tempdir().unwrap();
    let inputs = inputs(directory.path());
    let (plenty, failures, _) = rows(&inputs, PipelineOptions { memory: 1 << 30, ..threads(4, 2, 3) });
    assert_eq!(failures, BTreeMap::new());
    // The largest input needs 583.
    for memory in [600, 700, 1500] {
        for (decode, score, batch) in [(1, 1, 1), (2, 1, 5), (8, 3, 2)] {
            let (tight, failures, most) =
                rows(&inputs, PipelineOptions { memory, ..threads(decode, score, batch) });
            assert_eq!(failures, BTreeMap::new(), "{memory}, {decode} threads");
            assert_eq!(tight, plenty, "{memory}, {decode} threads");
            assert!(most <= memory, "{most} of {memory}");
        }
    }
}

#[test]
fn an_input_that_alone_needs_too_much_has_a_row_that_says_so() {
    let directory = tempfile::tempdir().unwrap();
    let inputs = inputs(directory.path());
    let mut told = None;
    for (decode, score, batch) in [(1, 1, 1), (6, 2, 4)] {
        let (rows, failures, most) =
            rows(&inputs, PipelineOptions { memory: 300, ..threads(decode, score, batch) });
        let count = failures[Failure::TOO_MUCH_MEMORY];
        assert_eq!(failures.len(), 1);
        assert!((20..60).contains(&count), "{count} of 88");
        assert!(most <= 300);
        let refused =
            rows.lines().filter(|row| row.contains("the budget of the run is 300 bytes (300 bytes)"));
        assert_eq!(refused.count() as u64, count);
        // The same rows again.
        assert_eq!(told.get_or_insert_with(|| rows.clone()), &rows);
    }
    let (_, failures, _) = rows(&inputs, PipelineOptions { memory: 600, ..threads(2, 1, 1) });
    assert_eq!(failures, BTreeMap::new());
}

#[test]
fn a_member_that_is_longer_than_it_says_takes_no_more_than_its_share() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.zip");
    let mut zip = zip::ZipWriter::new(File::create(&path).unwrap());
    zip.start_file("a.png", SimpleFileOptions::default()).unwrap();
    zip.write_all(&vec![b'0'; 100_000]).unwrap();
    zip.finish().unwrap();
    // In the directory at the end, where members are listed from.
    let mut bytes = fs::read(&path).unwrap();
    let entry = bytes.windows(4).rposition(|four| four == b"PK\x01\x02").unwrap();
    bytes[entry + 24..entry + 28].copy_from_slice(&100_u32.to_le_bytes());
    fs::write(&path, bytes).unwrap();
    let (rows, failures, _) = rows(&[path], PipelineOptions { memory: 1000, ..threads(1, 1, 1) });
    assert_eq!(failures, BTreeMap::from([("archive".to_owned(), 1)]), "{rows}");
}
