//! A scorer of texts, and runs of it.

#![allow(dead_code, reason = "no test file uses all of it")]

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use medclip_archive::{
    Content, End, Format, InputOptions, PipelineOptions, Run, RunError, Settings, Stages, Target, expand,
    work,
};
use medclip_decode::PatientFields;
use medclip_qc::Code;
use medclip_scorer::{Failure, Remark, Report, Schema, Scores};

/// Scores a file by its bytes. `broken…` is refused, `panic…` panics in the decoder, `fault…` in the model, and `odd…` gets
/// scores of a wrong width; `large N` takes N bytes.
pub(crate) struct Texts {
    pub(crate) schema: Arc<Schema>,
    /// More than these bytes are too many.
    pub(crate) memory: u64,
}

impl Texts {
    pub(crate) fn new(settings: &Settings, memory: u64) -> Self {
        Self { schema: Arc::new(settings.schema.clone()), memory }
    }
}

impl Stages for Texts {
    type Prepared = Result<Vec<u8>, Failure>;

    fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    fn prepare(&self, content: Content<'_>) -> Self::Prepared {
        let bytes = match content {
            Content::File(path) => fs::read(path).map_err(|error| Failure::new("io", error))?,
            Content::Bytes(bytes) => bytes.to_vec(),
        };
        assert!(!bytes.starts_with(b"panic"), "a fault of the decoder");
        let text = String::from_utf8_lossy(&bytes);
        let needed = text.strip_prefix("large ").map_or(0, |bytes| bytes.parse().unwrap());
        if needed > self.memory {
            let limit = self.memory;
            let message = format!("takes {needed} bytes, {limit} are allowed");
            return Err(Failure::new(Failure::TOO_MUCH_MEMORY, message));
        }
        if bytes.starts_with(b"broken") { Err(Failure::new("damaged", "is\nbroken")) } else { Ok(bytes) }
    }

    fn score(&self, films: &[Self::Prepared]) -> Vec<Report> {
        let is_fault = |film: &Self::Prepared| film.as_ref().is_ok_and(|bytes| bytes.starts_with(b"fault"));
        assert!(!films.iter().any(is_fault), "a fault of the model");
        films.iter().map(|film| self.report(film)).collect()
    }
}

impl Texts {
    fn report(&self, film: &Result<Vec<u8>, Failure>) -> Report {
        let schema = Arc::clone(&self.schema);
        let bytes = match film {
            Ok(bytes) => bytes,
            Err(failure) => return Report::failed(schema, failure.clone()),
        };
        let sum = bytes.iter().map(|byte| f32::from(*byte)).sum::<f32>() / 7.0;
        let width = if bytes.starts_with(b"odd") { 1 } else { 2 };
        let embedding = schema.embedding_dim.map(|_| vec![sum, 1.0 / sum, -0.25]);
        let scores = Scores { findings: vec![(sum, 0.5); width], embedding, maps: None };
        let mut report = Report::failed(schema, Failure::new(Failure::WITHHELD, "strange"));
        if bytes.starts_with(b"strange") {
            report.qc.push(Code::Inverted);
        } else {
            report.outcome = Ok(scores);
        }
        if bytes.starts_with(b"dicom") {
            let identity = &mut report.identity;
            [identity.sop_instance_uid, identity.study_instance_uid, identity.view_position] =
                ["1.2.3", "1.2", "PA"].map(|text| Some(text.to_owned()));
            [identity.patient_id, identity.study_date, identity.sex, identity.age] =
                ["P 1", "20240229", "F", "045Y"].map(|text| Some(text.to_owned()));
            report.qc.extend([Code::Lateral, Code::Border]);
            report.notes.extend(["no_preamble", "odd_window"].map(Remark::of_code));
        }
        report
    }
}

/// Every personal column.
pub(crate) const PATIENT: PatientFields = PatientFields { id: true, study_date: true, sex: true, age: true };

pub(crate) fn settings(format: Format, shard_size: u32) -> Settings {
    let schema = Schema {
        model: "texts".to_owned(),
        model_id: "0f".repeat(32),
        engine: "none".to_owned(),
        classes: vec!["Cardiomegaly".to_owned(), "Pleural Effusion".to_owned()],
        embedding_dim: None,
        patient: PatientFields::default(),
    };
    let shard_size = NonZeroU32::new(shard_size).unwrap();
    Settings { schema, options: BTreeMap::new(), format, shard_size, portion: None, memory: None }
}

pub(crate) fn input_options() -> InputOptions {
    InputOptions { extensions: vec!["png".to_owned()], by_start: None, portion: None }
}

/// Begins or goes on with a run of `inputs`.
pub(crate) fn open(target: &Target, settings: Settings, inputs: &[PathBuf]) -> Result<Run, RunError> {
    Run::resume(target, settings, &mut |sink| expand(inputs, &input_options(), &mut io::empty(), sink))
}

pub(crate) fn go(run: &mut Run) -> End {
    let memory = run.settings().memory.unwrap_or(u64::MAX);
    let stages = Texts::new(run.settings(), memory);
    work(run, &stages, &threads(3, 2, 4), &AtomicBool::new(false), |_, _| Ok(())).unwrap()
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
