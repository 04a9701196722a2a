//! `medclip bench`: how fast engines run a model.

mod process;
mod report;
mod worker;

use std::io::Write;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Args;
use medclip_bundling::runnable_engines;
use medclip_runtime::{Bundle, EngineKind, EngineOptions, PrecisionChoice};

use crate::doctor::Machine;
use crate::output::{ReportFormat, locked_stdout, progress, write_json_report};
use crate::{Outcome, models};
use process::Worker;
use report::{Measured, Report};
use worker::Request;
pub(crate) use worker::{Tower, WorkerArgs, work};

/// Runs of every setting before anything is measured.
const WARM_UP: usize = 3;

/// Measure engines on a model: latency, throughput, load time, peak memory
///
/// Every engine and number of threads gets a process of its own, so that neither memory nor threads mix. Rounds go
/// through all of them in turn: a disturbance meets all alike, and the last column compares neighbours within rounds.
/// Images are preprocessed before; tokenization counts as part of the text tower.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct BenchArgs {
    /// Bundle directory [default: the shipped model]
    bundle: Option<PathBuf>,
    /// Engine to measure; may be repeated, the first is what the others are compared with [default: all that run here]
    #[arg(long, value_name = "ENGINE")]
    engine: Vec<EngineKind>,
    /// Precision to measure every engine in, as far as the bundle holds it: fp32, fp16, int8, or auto for each engine's
    /// fastest; the first is what the others are compared with
    #[arg(long, value_name = "P,…", value_delimiter = ',', default_value = "auto")]
    precision: Vec<PrecisionChoice>,
    /// Images, or sentences, in one call
    #[arg(long, value_name = "N,…", value_delimiter = ',', default_value = "1,8")]
    batch: Vec<NonZeroUsize>,
    /// Threads one call may use
    #[arg(long, value_name = "N,…", value_delimiter = ',', default_value = "1,2")]
    threads: Vec<NonZeroUsize>,
    /// Measure the text tower as well
    #[arg(long)]
    text: bool,
    /// Rounds through all settings
    #[arg(long, value_name = "N", default_value = "10")]
    rounds: NonZeroUsize,
    /// Calls of one setting in one round
    #[arg(long, value_name = "N", default_value = "5")]
    runs: NonZeroUsize,
    /// Output format
    #[arg(long, value_enum, default_value_t)]
    format: ReportFormat,
}

const EXAMPLES: &str = "\
Examples:
  medclip bench
  medclip bench edge-int8 --engine ort-cpu --precision fp32,int8
  medclip bench models/medclip-edge --engine tract --engine ort-cpu --threads 1,2 --text --format json";

pub(crate) fn run(args: BenchArgs) -> anyhow::Result<Outcome> {
    let dir = args.bundle.map_or_else(models::shipped, Ok)?;
    // Read once before anyone's load time is taken, so that all find the files in the system's cache.
    let bundle = Bundle::open(&dir).context("cannot load the model")?;
    let engines = if args.engine.is_empty() { runnable_engines() } else { args.engine };
    for &engine in &engines {
        EngineOptions::from(engine).check()?;
    }
    if engines.is_empty() {
        bail!("no engine of this build can run here");
    }

    let mut workers = Vec::new();
    for &threads in &args.threads {
        for &engine in &engines {
            for &precision in &args.precision {
                workers.push(Worker::start(&dir, engine, precision, threads, args.text)?);
            }
        }
    }
    let first = workers.first().context("something is measured")?.setting();
    let towers: &[Tower] = if args.text { &[Tower::Image, Tower::Text] } else { &[Tower::Image] };
    let mut measured = Vec::new();
    for &tower in towers {
        for &batch in &args.batch {
            for (index, worker) in workers.iter_mut().enumerate() {
                worker.measure(&Request { tower, batch: batch.get(), runs: WARM_UP })?;
                measured.push(Measured::new(index, worker, tower, batch.get()));
            }
        }
    }
    let bar = progress(args.rounds.get(), "rounds");
    for _ in 0..args.rounds.get() {
        for each in &mut measured {
            let request = Request { tower: each.tower, batch: each.batch, runs: args.runs.get() };
            let worker = workers.get_mut(each.worker).context("every setting has its process")?;
            each.rounds.push(worker.measure(&request)?);
        }
        bar.inc(1);
    }
    bar.finish_and_clear();

    let report = Report {
        model: bundle.config().name.clone(),
        bundle: bundle.id().to_owned(),
        machine: Machine::this(),
        warm_up: WARM_UP,
        rounds: args.rounds.get(),
        runs: args.runs.get(),
        results: report::results(&measured, &first),
        compared_with: first.1.on(first.0),
        processes: workers.into_iter().map(Worker::finish).collect::<anyhow::Result<_>>()?,
    };
    let mut out = locked_stdout();
    match args.format {
        ReportFormat::Json => write_json_report(&mut out, &report)?,
        ReportFormat::Text => report.write_text(&mut out)?,
    }
    out.flush()?;
    Ok(Outcome::Complete)
}
