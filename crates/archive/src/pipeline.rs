//! Inputs to reports, side by side and in order: threads that decode, threads that score, one that hands on.

mod again;
mod flow;
mod reports;

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use medclip_core::budget::Budget;
use medclip_scorer::Report;

use crate::run::{Run, RunError, Watched};
use crate::source::Source;
use crate::stages::Stages;
use flow::{Plan, flow};

/// How many threads do what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PipelineOptions {
    /// Threads that decode.
    pub decode_threads: NonZeroUsize,
    /// Threads that score, each a batch at a time.
    pub score_threads: NonZeroUsize,
    /// Images of a batch. Always those of the same inputs, however the work was interrupted.
    pub batch: NonZeroUsize,
    /// Bytes of memory that inputs, their decoding and batches share. An input waits for its share; one that alone needs more
    /// gets a report of kind [`Failure::TOO_MUCH_MEMORY`](medclip_scorer::Failure::TOO_MUCH_MEMORY).
    pub memory: u64,
}

/// How many inputs there are, and how they go through the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// So many, each as soon as it can be.
    AtOnce(usize),
    /// Any number, so many in a batch; where nobody says, as many as suit the engine.
    Batches(Option<NonZeroUsize>),
}

impl Flow {
    /// Options for it on so many threads, with so much memory and an engine that batches of `suits` suit. Also gives the threads
    /// of the model.
    pub fn options(
        self,
        threads: NonZeroUsize,
        suits: NonZeroUsize,
        memory: u64,
    ) -> (PipelineOptions, NonZeroUsize) {
        match self {
            Self::AtOnce(inputs) => PipelineOptions::at_once(threads, inputs, memory),
            Self::Batches(batch) => PipelineOptions::in_batches(threads, batch.unwrap_or(suits), memory),
        }
    }
}

impl PipelineOptions {
    /// For few inputs that are wanted soon: side by side first, and what threads are left over go into each of them. Also gives
    /// the threads of the model.
    pub fn at_once(threads: NonZeroUsize, inputs: usize, memory: u64) -> (Self, NonZeroUsize) {
        let workers = NonZeroUsize::new(inputs).map_or(NonZeroUsize::MIN, |inputs| inputs.min(threads));
        let each = NonZeroUsize::new(threads.get() / workers).unwrap_or(NonZeroUsize::MIN);
        let batch = NonZeroUsize::MIN;
        (Self { decode_threads: workers, score_threads: workers, batch, memory }, each)
    }

    /// For any number of inputs, in batches. Batches of one are scored side by side; otherwise all threads share a batch. Also
    /// gives the threads of the model.
    pub fn in_batches(threads: NonZeroUsize, batch: NonZeroUsize, memory: u64) -> (Self, NonZeroUsize) {
        let one = NonZeroUsize::MIN;
        let (score_threads, each) = if batch == one { (threads, one) } else { (one, threads) };
        (Self { decode_threads: threads, score_threads, batch, memory }, each)
    }
}

/// How far the work is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Inputs with a report, those of earlier processes too.
    pub done: u64,
    /// Inputs in all.
    pub total: u64,
    /// Of those done, how many have no scores.
    pub failed: u64,
}

/// How the work ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Every input has a report.
    Complete,
    /// It was asked to stop, and did.
    Stopped,
}

/// Scores what has no row yet and puts every row on disk, in order. What is to be scored again comes first. `observe` is told
/// of every report, in order, before its row counts.
///
/// When `stop` becomes true, inputs of the file of rows at hand are finished and no others begun. At most
/// `2 · (decode_threads + score_threads · batch)` inputs, and the rows of one file, are in memory at any time; of these
/// inputs at most `2 · decode_threads` are undecoded members of archives. All together take no more than
/// [`PipelineOptions::memory`], of which prepared images have their part set aside.
///
/// # Errors
/// [`RunError`] when rows cannot be written, the list of inputs cannot be read, or `observe` fails. What was committed stays, and
/// of the file of rows at hand nothing counts: going on tells `observe` of its reports again.
pub fn work<S: Stages>(
    run: &mut Run,
    stages: &S,
    options: &PipelineOptions,
    stop: &AtomicBool,
    mut observe: impl FnMut(&Report, Progress) -> Result<(), Watched>,
) -> Result<End, RunError> {
    if run.is_finished() {
        return Ok(End::Complete);
    }
    if !run.redo().is_empty() {
        let budget = Budget::with_aside(options.memory, stages.prepared_bytes());
        if !again::score_again(run, stages, &budget, stop, &mut observe)? {
            return Ok(End::Stopped);
        }
    }
    let rows_of_file = u64::from(run.settings().shard_size.get());
    let plan = Plan {
        first: run.summary().rows,
        total: run.inputs(),
        unit: rows_of_file,
        batch: (options.batch.get() as u64).min(rows_of_file),
        stop_at: rows_of_file,
    };
    let inputs = run.remaining()?;
    let mut progress =
        Progress { done: plan.first, total: plan.total, failed: run.summary().failures.values().sum() };
    let mut file = Vec::new();
    flow(stages, inputs, &[], plan, options, stop, |report: Report| {
        progress.done += 1;
        progress.failed += u64::from(report.outcome.is_err());
        observe(&report, progress).map_err(RunError::Observed)?;
        file.push(report);
        if progress.done.is_multiple_of(rows_of_file) || progress.done == progress.total {
            run.commit(&file)?;
            file.clear();
        }
        Ok(())
    })?;
    if run.summary().rows < run.inputs() {
        return Ok(End::Stopped);
    }
    run.finish()?;
    Ok(End::Complete)
}

/// Scores inputs and hands each report to `sink`, in order, as soon as it and all before it are there. `pipes` are inputs that
/// somebody writes into while they are read.
///
/// When `stop` becomes true, the batches at hand are finished and no others begun. Memory is bounded as by [`work`].
///
/// # Errors
/// The first error of `sink`.
pub fn stream<S: Stages, E: Send>(
    inputs: &[Source],
    pipes: &[PathBuf],
    stages: &S,
    options: &PipelineOptions,
    stop: &AtomicBool,
    mut sink: impl FnMut(Report, Progress) -> Result<(), E>,
) -> Result<End, E> {
    let batch = options.batch.get() as u64;
    let plan = Plan { first: 0, total: inputs.len() as u64, unit: u64::MAX, batch, stop_at: batch };
    let mut progress = Progress { done: 0, total: plan.total, failed: 0 };
    flow(stages, inputs.iter().cloned().map(Ok), pipes, plan, options, stop, |report: Report| {
        progress.done += 1;
        progress.failed += u64::from(report.outcome.is_err());
        sink(report, progress)
    })?;
    Ok(if progress.done < progress.total { End::Stopped } else { End::Complete })
}
