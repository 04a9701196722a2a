//! How fast engines run a model.
//!
//! Every engine and number of threads has a process of its own, so that neither memory nor threads mix. Rounds go through all of
//! them in turn: a disturbance meets all alike, and [`BenchFigures::relative`] compares neighbors within rounds.

mod error;
mod figures;
mod process;
mod table;
mod worker;

use std::io;
use std::num::NonZeroUsize;
use std::process::Command;

use medclip_core::precision::TowerKind;
use medclip_runtime::{Bundle, EngineKind, EngineOptions, Machine, PrecisionChoice};
use serde::Serialize;

use crate::verify::runnable_engines;
use figures::{Measured, figures};
use process::Worker;
use worker::{Request, Setting};

pub use error::{BenchError, ProcessError};
pub use figures::BenchFigures;
pub use process::BenchProcess;
pub use worker::{Finished, Loaded, bench_worker};

/// Runs of every setting before anything is measured.
const WARM_UP: usize = 3;

/// What is measured, and how often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BenchOptions {
    /// Engines, the first of which the others are compared with; none means all that run here.
    pub engines: Vec<EngineKind>,
    /// Precisions of every engine; by default each engine's fastest.
    pub precisions: Vec<PrecisionChoice>,
    /// Images, or sentences, in one call.
    pub batches: Vec<NonZeroUsize>,
    /// Threads one call may use.
    pub threads: Vec<NonZeroUsize>,
    /// Towers; by default the image tower.
    pub towers: Vec<TowerKind>,
    /// Rounds through all settings.
    pub rounds: NonZeroUsize,
    /// Calls of one setting in one round.
    pub runs: NonZeroUsize,
}

impl Default for BenchOptions {
    fn default() -> Self {
        let numbers = |numbers: [usize; 2]| numbers.into_iter().filter_map(NonZeroUsize::new).collect();
        Self {
            engines: Vec::new(),
            precisions: vec![PrecisionChoice::Auto],
            batches: numbers([1, 8]),
            threads: numbers([1, 2]),
            towers: vec![TowerKind::Image],
            rounds: NonZeroUsize::MIN.saturating_add(9),
            runs: NonZeroUsize::MIN.saturating_add(4),
        }
    }
}

/// What was measured; the fields are the keys of its JSON object.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BenchReport {
    /// Name of the model.
    pub model: String,
    /// SHA-256 that names the bundle's content as a whole.
    pub bundle: String,
    /// Where it was measured.
    pub machine: Machine,
    /// Runs of every setting before those measured.
    pub warm_up: usize,
    /// Rounds through all settings.
    pub rounds: usize,
    /// Measured runs of every setting in a round.
    pub runs: usize,
    /// The engine and precision that [`BenchFigures::relative`] divides by.
    pub compared_with: String,
    /// Every setting.
    pub results: Vec<BenchFigures>,
    /// Every process.
    pub processes: Vec<BenchProcess>,
}

/// Measures engines on a bundle. Images are preprocessed before; tokenization counts as part of the text tower.
///
/// `start` makes the command of a process that calls [`bench_worker`] with the same bundle. `round` is called after every round.
///
/// # Errors
/// [`BenchError`] when an engine cannot run, or a process ends early.
pub fn bench(
    bundle: &Bundle,
    options: &BenchOptions,
    start: impl Fn() -> io::Result<Command>,
    mut round: impl FnMut(),
) -> Result<BenchReport, BenchError> {
    let engines = if options.engines.is_empty() { runnable_engines() } else { options.engines.clone() };
    for &engine in &engines {
        EngineOptions::from(engine).check().map_err(BenchError::Engine)?;
    }
    let text = options.towers.contains(&TowerKind::Text);
    let mut workers = Vec::new();
    for &threads in &options.threads {
        for &engine in &engines {
            for precision in &options.precisions {
                let setting = Setting {
                    engine: engine.name().to_owned(),
                    precision: precision.to_string(),
                    threads,
                    text,
                };
                workers.push(Worker::start(start().map_err(BenchError::Start)?, engine, &setting)?);
            }
        }
    }
    let first = workers.first().ok_or(BenchError::Nothing)?.setting();
    let mut measured = Vec::new();
    for &tower in &options.towers {
        for &batch in &options.batches {
            for (index, worker) in workers.iter_mut().enumerate() {
                worker.measure(&Request { tower, batch, runs: WARM_UP })?;
                measured.push((index, Measured::new(worker, tower, batch)));
            }
        }
    }
    for _ in 0..options.rounds.get() {
        for (index, each) in &mut measured {
            let request = Request { tower: each.tower, batch: each.batch, runs: options.runs.get() };
            if let Some(worker) = workers.get_mut(*index) {
                each.rounds.push(worker.measure(&request)?);
            }
        }
        round();
    }
    let measured: Vec<Measured> = measured.into_iter().map(|(_, each)| each).collect();
    Ok(BenchReport {
        model: bundle.config().name.clone(),
        bundle: bundle.id().to_owned(),
        machine: Machine::this(),
        warm_up: WARM_UP,
        rounds: options.rounds.get(),
        runs: options.runs.get(),
        results: figures(&measured, &first),
        compared_with: first.1.on(first.0),
        processes: workers.into_iter().map(Worker::finish).collect::<Result<_, _>>()?,
    })
}
