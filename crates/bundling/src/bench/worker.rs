//! The process that runs one engine on one number of threads.
//!
//! It reads its setting, loads the model, says how long that took, and then answers one line of JSON with another until its input
//! ends; its last line tells its peak memory.

use std::io::{BufRead, Write};
use std::num::NonZeroUsize;
use std::path::Path;
use std::time::Instant;

use medclip_core::precision::TowerKind;
use medclip_phantom::Phantom;
use medclip_runtime::{
    EngineKind, GrayImage, ImageBatch, Model, ModelOptions, Precision, PrecisionChoice, peak_memory_bytes,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::error::{BenchError, ProcessError};

/// What the process is told first.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Setting {
    pub(super) engine: String,
    pub(super) precision: String,
    pub(super) threads: NonZeroUsize,
    /// Whether the text tower is loaded too.
    pub(super) text: bool,
}

/// What it says first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Loaded {
    /// Precision of the image tower.
    pub precision: Precision,
    /// Opening and verifying the bundle and loading the image tower, in milliseconds.
    pub load_ms: f64,
    /// Loading the text tower and embedding one sentence, in milliseconds.
    pub text_load_ms: Option<f64>,
}

/// What it is asked.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Request {
    pub(super) tower: TowerKind,
    pub(super) batch: NonZeroUsize,
    pub(super) runs: usize,
}

/// What it answers.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Reply {
    /// Milliseconds of every run.
    pub(super) ms: Vec<f64>,
}

/// What it says last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finished {
    /// Most memory it has had, where the system tells it.
    pub peak_memory_bytes: Option<u64>,
}

/// Is a measuring process of [`bench`](super::bench()): runs the bundle in `directory` as `input` says and answers on `output`.
///
/// # Errors
/// [`BenchError`] when the model cannot be loaded or run, or the other process is gone.
pub fn bench_worker(
    directory: &Path,
    mut input: impl BufRead,
    mut output: impl Write,
) -> Result<(), BenchError> {
    let setting: Setting = read_line(&mut input)?.ok_or(ProcessError::Ended)?;
    let options = ModelOptions {
        engine: setting.engine.parse::<EngineKind>()?.into(),
        threads: setting.threads,
        precision: setting.precision.parse::<PrecisionChoice>()?,
        ..ModelOptions::default()
    };
    let start = Instant::now();
    let model = Model::open_with(directory, options).map_err(BenchError::Load)?;
    let mut loaded = Loaded { precision: model.precision(), load_ms: elapsed_ms(start), text_load_ms: None };
    if setting.text {
        let start = Instant::now();
        model.embed_texts(&["Clear lungs."])?;
        loaded.text_load_ms = Some(elapsed_ms(start));
    }
    write_line(&mut output, &loaded)?;
    while let Some(request) = read_line(&mut input)? {
        write_line(&mut output, &measure(&model, &request)?)?;
    }
    write_line(&mut output, &Finished { peak_memory_bytes: peak_memory_bytes() })?;
    Ok(())
}

fn measure(model: &Model, request: &Request) -> Result<Reply, BenchError> {
    let time = |run: &dyn Fn() -> Result<(), BenchError>| {
        let times = (0..request.runs).map(|_| {
            let start = Instant::now();
            run()?;
            Ok(elapsed_ms(start))
        });
        Ok(Reply { ms: times.collect::<Result<_, BenchError>>()? })
    };
    match request.tower {
        TowerKind::Image => {
            let images = images(model, request.batch.get())?;
            time(&|| Ok(model.embed_images(&images).map(drop)?))
        }
        TowerKind::Text => {
            let sentences = sentences(model, request.batch.get());
            time(&|| Ok(model.embed_texts(&sentences).map(drop)?))
        }
    }
}

/// Phantoms as the model takes them.
fn images(model: &Model, count: usize) -> Result<ImageBatch, BenchError> {
    let side = u32::try_from(model.bundle().config().preprocess.image_size).unwrap_or(u32::MAX).max(64);
    let render = |seed| Ok(Phantom::random(seed, side)?.render());
    let images = (0..count as u64).map(render).collect::<Result<Vec<GrayImage>, BenchError>>()?;
    Ok(model.preprocessor().batch(&images)?)
}

/// Prompts of the model, over again where it has fewer.
fn sentences(model: &Model, count: usize) -> Vec<&str> {
    let classes = model.bundle().bank().classes();
    classes.iter().flat_map(|class| &class.positive).cycle().take(count).map(String::as_str).collect()
}

fn elapsed_ms(start: Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1e3
}

/// The value of a line; none at the end.
pub(super) fn read_line<T: DeserializeOwned>(input: &mut impl BufRead) -> Result<Option<T>, ProcessError> {
    let mut line = String::new();
    Ok(if input.read_line(&mut line)? == 0 { None } else { Some(serde_json::from_str(&line)?) })
}

/// Writes a value as a line, at once.
pub(super) fn write_line(output: &mut impl Write, value: &impl Serialize) -> Result<(), ProcessError> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    output.write_all(&line)?;
    Ok(output.flush()?)
}
