//! The process that runs one engine on one number of threads.
//!
//! It loads the model, says how long that took, and then answers one line of JSON on standard input with one on standard
//! output until the input ends; the last line tells its peak memory.

use std::io::{BufRead, Write, stdin};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::Context;
use clap::Args;
use medclip_phantom::Phantom;
use medclip_runtime::{EngineKind, GrayImage, ImageBatch, Model, ModelOptions, Precision, PrecisionChoice};
use serde::{Deserialize, Serialize};

use crate::Outcome;
use crate::doctor::kibibytes;
use crate::output::{locked_stdout, write_json_line};

/// Run one engine for `medclip bench`
#[derive(Debug, Args)]
pub(crate) struct WorkerArgs {
    bundle: PathBuf,
    #[arg(long)]
    engine: EngineKind,
    #[arg(long)]
    precision: PrecisionChoice,
    #[arg(long)]
    threads: NonZeroUsize,
    #[arg(long)]
    text: bool,
}

/// A tower of the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Tower {
    Image,
    Text,
}

/// What the process says first.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Loaded {
    /// Precision of the image tower.
    pub(super) precision: Precision,
    /// Opening and verifying the bundle and loading the image tower.
    pub(super) load_ms: f64,
    /// Loading the text tower and embedding one sentence.
    pub(super) text_load_ms: Option<f64>,
}

/// What it is asked.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Request {
    pub(super) tower: Tower,
    pub(super) batch: usize,
    pub(super) runs: usize,
}

/// What it answers: the time of every run.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Reply {
    pub(super) ms: Vec<f64>,
}

/// What it says last.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Finished {
    /// Where the system tells it.
    pub(super) peak_memory_bytes: Option<u64>,
}

pub(crate) fn work(args: &WorkerArgs) -> anyhow::Result<Outcome> {
    let options = ModelOptions {
        engine: args.engine.into(),
        threads: args.threads,
        precision: args.precision,
        ..ModelOptions::default()
    };
    let start = Instant::now();
    let model = Model::open_with(&args.bundle, options).context("cannot load the model")?;
    let mut loaded = Loaded { precision: model.precision(), load_ms: elapsed_ms(start), text_load_ms: None };
    if args.text {
        let start = Instant::now();
        model.embed_texts(&["Clear lungs."])?;
        loaded.text_load_ms = Some(elapsed_ms(start));
    }
    let mut out = locked_stdout();
    write_json_line(&mut out, &loaded)?;
    out.flush()?;
    for line in stdin().lock().lines() {
        let request: Request = serde_json::from_str(&line?)?;
        write_json_line(&mut out, &measure(&model, &request)?)?;
        out.flush()?;
    }
    let peak_memory_bytes = kibibytes("/proc/self/status", "VmHWM:");
    write_json_line(&mut out, &Finished { peak_memory_bytes })?;
    out.flush()?;
    Ok(Outcome::Complete)
}

fn measure(model: &Model, request: &Request) -> anyhow::Result<Reply> {
    let time = |run: &dyn Fn() -> anyhow::Result<()>| {
        let times = (0..request.runs).map(|_| {
            let start = Instant::now();
            run()?;
            Ok(elapsed_ms(start))
        });
        anyhow::Ok(Reply { ms: times.collect::<anyhow::Result<_>>()? })
    };
    match request.tower {
        Tower::Image => {
            let images = images(model, request.batch)?;
            time(&|| Ok(model.embed_images(&images).map(drop)?))
        }
        Tower::Text => {
            let sentences = sentences(model, request.batch);
            time(&|| Ok(model.embed_texts(&sentences).map(drop)?))
        }
    }
}

/// Phantoms as the model takes them.
fn images(model: &Model, count: usize) -> anyhow::Result<ImageBatch> {
    let side = u32::try_from(model.bundle().config().preprocess.image_size)?.max(64);
    let render = |seed| Ok(Phantom::random(seed, side)?.render());
    let images = (0..count as u64).map(render).collect::<anyhow::Result<Vec<GrayImage>>>()?;
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
