//! A scorer of texts, and runs of it.

#![allow(dead_code, reason = "no test file uses all of it")]

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use medclip_archive::{
    Columns, Content, End, Failure, Format, Identity, IntakeOptions, PipelineOptions, Prepared, Run,
    RunError, Scorer, Scores, Settings, Target, Verdict, expand, work,
};

/// Scores a file by its bytes. `broken…` is refused, `panic…` panics in the decoder, `fault…` in the model, and `odd…` gets
/// scores of a wrong width; `large N` takes N bytes.
pub(crate) struct Texts {
    pub(crate) embeddings: bool,
    /// More than these bytes are too many.
    pub(crate) memory: u64,
}

impl Scorer for Texts {
    type Image = Vec<u8>;

    fn prepare(&self, content: Content<'_>) -> Prepared<Vec<u8>> {
        let bytes = match content {
            Content::File(path) => fs::read(path).map_err(|error| Failure::new("io", error)),
            Content::Bytes(bytes) => Ok(bytes.to_vec()),
        };
        let image = bytes.and_then(|bytes| {
            assert!(!bytes.starts_with(b"panic"), "a fault of the decoder");
            let text = String::from_utf8_lossy(&bytes);
            let needed = text.strip_prefix("large ").map_or(0, |bytes| bytes.parse().unwrap());
            if needed > self.memory {
                let limit = self.memory;
                return Err(Failure::new(
                    Failure::TOO_MUCH_MEMORY,
                    format!("takes {needed} bytes, {limit} are allowed"),
                ));
            }
            if bytes.starts_with(b"broken") { Err(Failure::new("damaged", "is\nbroken")) } else { Ok(bytes) }
        });
        let identity = match &image {
            Ok(bytes) if bytes.starts_with(b"dicom") => Identity {
                sop_instance_uid: Some("1.2.3".to_owned()),
                study_instance_uid: Some("1.2".to_owned()),
                patient_id: Some("P 1".to_owned()),
            },
            _ => Identity::default(),
        };
        let codes = |codes: [&str; 2]| {
            let codes = codes.map(str::to_owned).to_vec();
            if identity.patient_id.is_some() { codes } else { Vec::new() }
        };
        let (qc, notes) = (codes(["lateral", "dark"]), codes(["no_preamble", "odd_window"]));
        Prepared { identity, qc, notes, image }
    }

    fn score(&self, images: &[Vec<u8>]) -> Result<Vec<Verdict>, Failure> {
        assert!(!images.iter().any(|image| image.starts_with(b"fault")), "a fault of the model");
        let scores = |image: &Vec<u8>| {
            let sum = image.iter().map(|byte| f32::from(*byte)).sum::<f32>() / 7.0;
            let width = if image.starts_with(b"odd") { 1 } else { 2 };
            let embedding = self.embeddings.then(|| vec![sum, 1.0 / sum, -0.25]);
            let scores = Scores { findings: vec![(sum, 0.5); width], embedding };
            if image.starts_with(b"strange") {
                let failure = Failure::new("withheld", "strange");
                return Verdict { qc: vec!["strange".to_owned()], scores: Err(failure) };
            }
            scores.into()
        };
        Ok(images.iter().map(scores).collect())
    }
}

pub(crate) fn settings(format: Format, shard_size: u32) -> Settings {
    let columns = Columns {
        model: "texts".to_owned(),
        model_id: "0f".repeat(32),
        engine: "none".to_owned(),
        classes: vec!["Cardiomegaly".to_owned(), "Pleural Effusion".to_owned()],
        embedding_dim: None,
        patient: false,
    };
    let shard_size = NonZeroU32::new(shard_size).unwrap();
    Settings { columns, options: BTreeMap::new(), format, shard_size, portion: None, memory: None }
}

pub(crate) fn intake() -> IntakeOptions {
    IntakeOptions { extensions: vec!["png".to_owned()], by_start: None, portion: None }
}

/// Begins or goes on with a run of `inputs`.
pub(crate) fn open(target: &Target, settings: Settings, inputs: &[PathBuf]) -> Result<Run, RunError> {
    Run::resume(target, settings, &mut |sink| expand(inputs, &intake(), &mut io::empty(), sink))
}

pub(crate) fn go(run: &mut Run) -> End {
    let memory = run.settings().memory.unwrap_or(u64::MAX);
    let scorer = Texts { embeddings: run.settings().columns.embedding_dim.is_some(), memory };
    work(run, &scorer, &threads(3, 2, 4), &AtomicBool::new(false), |_| {}).unwrap()
}

pub(crate) fn threads(decode: usize, score: usize, batch: usize) -> PipelineOptions {
    let [decode_threads, score_threads, batch] =
        [decode, score, batch].map(|n| NonZeroUsize::new(n).unwrap());
    PipelineOptions { decode_threads, score_threads, batch, memory: 1 << 30 }
}

/// `count` files below `directory`, every seventh broken in one way or another.
pub(crate) fn files(directory: &Path, count: usize) -> Vec<PathBuf> {
    let broken = ["broken", "panic", "fault", "odd"];
    let make = |number: usize| {
        let path = directory.join(format!("{number:03}.png"));
        let kind = if number % 7 == 3 { broken[number / 7 % broken.len()] } else { "film" };
        fs::write(&path, format!("{kind} {number}")).unwrap();
        path
    };
    (0..count).map(make).collect()
}

/// An error with all that caused it.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let source = error.source().map(|source| format!(": {}", chain(source)));
    format!("{error}{}", source.unwrap_or_default())
}

/// Every file below `directory` with its content, but the lock.
pub(crate) fn contents(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in walkdir::WalkDir::new(directory) {
        let entry = entry.unwrap();
        if entry.file_type().is_file() && entry.file_name() != "lock" {
            let path = entry.path().strip_prefix(directory).unwrap().to_owned();
            found.insert(path, fs::read(entry.path()).unwrap());
        }
    }
    found
}
