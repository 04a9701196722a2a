//! Inputs to rows on disk: threads that decode, threads that score, one that writes.

mod again;

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender, SyncSender};
use std::sync::{Mutex, PoisonError};
use std::thread;

use medclip_core::budget::Budget;

use crate::failure::Failure;
use crate::intake::ArchiveReader;
use crate::memory::{self, Loaded};
use crate::row::{Row, Verdict};
use crate::run::{Run, RunError};
use crate::scorer::{Content, Prepared, Scorer};
use crate::source::Source;

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
    /// gets a row of kind [`Failure::TOO_MUCH_MEMORY`].
    pub memory: u64,
}

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Inputs with a row, those of earlier processes too.
    pub done: u64,
    /// Inputs in all.
    pub total: u64,
    /// Of those done, how many have no scores.
    pub failed: u64,
}

/// How the work ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Every input has a row.
    Complete,
    /// It was asked to stop, and did after a whole file of rows.
    Stopped,
}

/// Scores what has no row yet and puts every row on disk, in order. What is to be scored again comes first.
///
/// When `stop` becomes true, inputs of the file of rows at hand are finished and no others begun. At most
/// `2 · (decode_threads + score_threads · batch)` inputs, and the rows of one file, are in memory at any time; of these
/// inputs at most `2 · decode_threads` are undecoded members of archives. All together take no more than
/// [`PipelineOptions::memory`], of which prepared images have their part set aside.
///
/// # Errors
/// [`RunError`] when rows cannot be written or the list of inputs cannot be read. What was committed stays.
pub fn work<S: Scorer>(
    run: &mut Run,
    scorer: &S,
    options: &PipelineOptions,
    stop: &AtomicBool,
    mut progress: impl FnMut(Progress),
) -> Result<End, RunError> {
    if run.is_finished() {
        return Ok(End::Complete);
    }
    if !run.redo().is_empty() {
        let budget = Budget::with_aside(options.memory, scorer.image_bytes());
        if !again::score_again(run, scorer, &budget, stop, &mut progress)? {
            return Ok(End::Stopped);
        }
    }
    let plan = Plan::new(run, options);
    let inputs = run.remaining()?;
    let (decoders, scorers) = (options.decode_threads.get(), options.score_threads.get());
    let (job_sender, job_receiver) = mpsc::sync_channel(decoders);
    let (prepared_sender, prepared_receiver) = mpsc::channel();
    let (row_sender, row_receiver) = mpsc::channel();
    // A token for every input between the list and its row: all other queues hold no more than there are tokens.
    let window = 2 * (decoders + scorers * plan.batch as usize);
    let (token_sender, token_receiver) = mpsc::sync_channel(window);
    let budget = Budget::with_aside(options.memory, scorer.image_bytes().saturating_mul(window as u64));
    let job_receiver = Mutex::new(job_receiver);
    let groups = Mutex::new(Groups { prepared: prepared_receiver, waiting: BTreeMap::new() });
    thread::scope(|scope| {
        // Moved in, so that returning early hangs up on the others.
        let (row_receiver, token_receiver) = (row_receiver, token_receiver);
        let feeder =
            scope.spawn(move || feed(scorer, inputs, plan, stop, &budget, &token_sender, &job_sender));
        for _ in 0..decoders {
            let (jobs, sender) = (&job_receiver, prepared_sender.clone());
            scope.spawn(move || decode(scorer, jobs, &sender));
        }
        drop(prepared_sender);
        for _ in 0..scorers {
            let (groups, sender) = (&groups, row_sender.clone());
            scope.spawn(move || score(scorer, plan, groups, &sender));
        }
        drop(row_sender);
        write(run, scorer, &row_receiver, &token_receiver, &mut progress)?;
        // Its only panic would be that of a thread that could not be spawned.
        feeder.join().unwrap_or(Ok(()))
    })?;
    if run.summary().rows < run.inputs() {
        return Ok(End::Stopped);
    }
    run.finish()?;
    Ok(End::Complete)
}

/// Where files of rows and batches begin and end.
#[derive(Debug, Clone, Copy)]
struct Plan {
    first: u64,
    total: u64,
    shard: u64,
    batch: u64,
}

impl Plan {
    fn new(run: &Run, options: &PipelineOptions) -> Self {
        let shard = u64::from(run.settings().shard_size.get());
        let batch = (options.batch.get() as u64).min(shard);
        Self { first: run.summary().rows, total: run.inputs(), shard, batch }
    }

    /// The first position of the batch that `position` belongs to, and how many positions it has.
    fn group(self, position: u64) -> (u64, usize) {
        let shard = position / self.shard * self.shard;
        let first = shard + (position - shard) / self.batch * self.batch;
        let end = (first + self.batch).min(shard + self.shard).min(self.total);
        (first, (end - first) as usize)
    }
}

struct Job {
    position: u64,
    source: Source,
    loaded: Loaded,
}

/// An input on its way to a row.
struct Ready<T> {
    path: String,
    prepared: Prepared<T>,
}

/// Members of archives are read here, in order: that is one pass over each archive.
fn feed<S: Scorer>(
    scorer: &S,
    inputs: impl Iterator<Item = Result<Source, RunError>>,
    plan: Plan,
    stop: &AtomicBool,
    budget: &Budget,
    tokens: &SyncSender<()>,
    jobs: &SyncSender<Job>,
) -> Result<(), RunError> {
    let mut archives = ArchiveReader::default();
    for (position, source) in (plan.first..).zip(inputs) {
        let source = source?;
        if position.is_multiple_of(plan.shard) && stop.load(Ordering::Relaxed) {
            break;
        }
        if tokens.send(()).is_err() {
            break;
        }
        let loaded = Loaded::of(scorer, &mut archives, &source, budget.turn());
        if jobs.send(Job { position, source, loaded }).is_err() {
            break;
        }
    }
    Ok(())
}

fn decode<S: Scorer>(scorer: &S, jobs: &Mutex<Receiver<Job>>, ready: &Sender<(u64, Ready<S::Image>)>) {
    let next = || jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
    while let Ok(Job { position, source, loaded }) = next() {
        let path = source.id();
        let prepared = prepare(scorer, &source, loaded);
        if ready.send((position, Ready { path, prepared })).is_err() {
            break;
        }
    }
}

/// Decodes an input; a panic is a failure of that input.
fn prepare<S: Scorer>(scorer: &S, source: &Source, loaded: Loaded) -> Prepared<S::Image> {
    let prepare = || match loaded {
        Loaded::Failed(failure) => Prepared::failed(failure),
        Loaded::Member(bytes, _share) => scorer.prepare(Content::Bytes(&bytes)),
        Loaded::File(turn) => {
            memory::prepare_file(scorer, &source.path, turn).unwrap_or_else(Prepared::failed)
        }
    };
    catch_unwind(AssertUnwindSafe(prepare))
        .unwrap_or_else(|payload| Prepared::failed(Failure::panic(&*payload)))
}

/// Inputs that are decoded, until all of their batch are.
struct Groups<T> {
    prepared: Receiver<(u64, Ready<T>)>,
    waiting: BTreeMap<u64, Vec<(u64, Ready<T>)>>,
}

impl<T> Groups<T> {
    /// A whole batch in order; none when there is no more to come.
    fn next(&mut self, plan: Plan) -> Option<Vec<(u64, Ready<T>)>> {
        loop {
            let (position, ready) = self.prepared.recv().ok()?;
            let (first, size) = plan.group(position);
            let group = self.waiting.entry(first).or_default();
            group.push((position, ready));
            if group.len() == size {
                let mut group = self.waiting.remove(&first)?;
                group.sort_unstable_by_key(|(position, _)| *position);
                return Some(group);
            }
        }
    }
}

fn score<S: Scorer>(scorer: &S, plan: Plan, groups: &Mutex<Groups<S::Image>>, rows: &Sender<(u64, Row)>) {
    let next = || groups.lock().unwrap_or_else(PoisonError::into_inner).next(plan);
    while let Some(group) = next() {
        for row in rows_of(scorer, group) {
            if rows.send(row).is_err() {
                return;
            }
        }
    }
}

/// Scores a batch, and gives every input of it a row.
fn rows_of<S: Scorer>(scorer: &S, batch: Vec<(u64, Ready<S::Image>)>) -> Vec<(u64, Row)> {
    let mut images = Vec::with_capacity(batch.len());
    let mut scored = Vec::with_capacity(batch.len());
    for (position, Ready { path, prepared: Prepared { identity, qc, notes, image } }) in batch {
        // Filled in below where there is an image.
        let scores = match image {
            Ok(image) => {
                images.push(image);
                None
            }
            Err(failure) => Some(failure),
        };
        scored.push((position, path, (identity, notes), qc, scores));
    }
    let mut scores = score_batch(scorer, &images).into_iter();
    let row =
        |(position, path, (identity, notes), mut qc, failure): (_, _, _, Vec<String>, Option<Failure>)| {
            let missing = || Err(Failure::new("engine", "the model gave no scores"));
            let verdict = failure.map_or_else(|| scores.next().unwrap_or_else(missing), Err);
            let scores = verdict.and_then(|verdict| {
                let added: Vec<String> = verdict.qc.into_iter().filter(|code| !qc.contains(code)).collect();
                qc.extend(added);
                verdict.scores
            });
            (position, Row { path, identity, qc, notes, scores })
        };
    scored.into_iter().map(row).collect()
}

/// Refuses scores of another width than the run's, and tells of a row without any.
fn check<S: Scorer>(run: &Run, scorer: &S, row: &mut Row) {
    if row.scores.as_ref().is_ok_and(|scores| !run.settings().columns.fit(scores)) {
        row.scores = Err(Failure::new("engine", "the model gave scores of another width"));
    }
    if let Err(failure) = &row.scores {
        scorer.failed(&row.path, failure);
    }
}

fn score_batch<S: Scorer>(scorer: &S, images: &[S::Image]) -> Vec<Result<Verdict, Failure>> {
    let run = |images: &[S::Image]| {
        let scores = catch_unwind(AssertUnwindSafe(|| scorer.score(images)))
            .unwrap_or_else(|payload| Err(Failure::panic(&*payload)))?;
        if scores.len() == images.len() {
            Ok(scores)
        } else {
            Err(Failure::new("engine", format!("{} scores of {} images", scores.len(), images.len())))
        }
    };
    if images.is_empty() {
        return Vec::new();
    }
    match run(images) {
        Ok(scores) => scores.into_iter().map(Ok).collect(),
        Err(failure) if images.len() == 1 => vec![Err(failure)],
        Err(_) => images.iter().flat_map(|image| score_batch(scorer, std::slice::from_ref(image))).collect(),
    }
}

/// Rows in order, a file of them at a time.
fn write<S: Scorer>(
    run: &mut Run,
    scorer: &S,
    rows: &Receiver<(u64, Row)>,
    tokens: &Receiver<()>,
    progress: &mut impl FnMut(Progress),
) -> Result<(), RunError> {
    let mut next = run.summary().rows;
    let mut failed: u64 = run.summary().failures.values().sum();
    let mut waiting = BTreeMap::new();
    let mut file = Vec::new();
    while let Ok((position, row)) = rows.recv() {
        waiting.insert(position, row);
        while let Some(mut row) = waiting.remove(&next) {
            // Every row that comes had its token sent before.
            let _ = tokens.recv();
            check(run, scorer, &mut row);
            failed += u64::from(row.scores.is_err());
            file.push(row);
            next += 1;
            if next.is_multiple_of(u64::from(run.settings().shard_size.get())) || next == run.inputs() {
                run.commit(&file)?;
                file.clear();
            }
            progress(Progress { done: next, total: run.inputs(), failed });
        }
    }
    Ok(())
}
