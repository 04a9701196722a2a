//! The threads and the queues between them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender, SyncSender};
use std::sync::{Mutex, PoisonError};
use std::thread;

use medclip_core::budget::Budget;
use medclip_scorer::Report;

use super::PipelineOptions;
use super::reports::{Ready, prepare, reports_of};
use crate::inputs::ArchiveReader;
use crate::memory::Loaded;
use crate::source::Source;
use crate::stages::Stages;

/// Where batches begin and end, and where the work may stop.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    /// Position of the first input.
    pub(super) first: u64,
    /// Position behind the last.
    pub(super) total: u64,
    /// A batch is of inputs of one unit of so many.
    pub(super) unit: u64,
    pub(super) batch: u64,
    /// It stops at multiples of this position.
    pub(super) stop_at: u64,
}

impl Plan {
    /// The first position of the batch that `position` belongs to, and how many positions it has.
    fn group(self, position: u64) -> (u64, usize) {
        let unit = position / self.unit * self.unit;
        let first = unit + (position - unit) / self.batch * self.batch;
        let end = (first + self.batch).min(unit.saturating_add(self.unit)).min(self.total);
        (first, (end - first) as usize)
    }
}

struct Job {
    position: u64,
    source: Source,
    loaded: Loaded,
}

/// Takes inputs in order, and gives reports in order.
pub(super) fn flow<S: Stages, E: Send>(
    stages: &S,
    inputs: impl Iterator<Item = Result<Source, E>> + Send,
    pipes: &[PathBuf],
    plan: Plan,
    options: &PipelineOptions,
    stop: &AtomicBool,
    sink: impl FnMut(Report) -> Result<(), E>,
) -> Result<(), E> {
    let (decoders, scorers) = (options.decode_threads.get(), options.score_threads.get());
    let (job_sender, job_receiver) = mpsc::sync_channel(decoders);
    let (prepared_sender, prepared_receiver) = mpsc::channel();
    let (report_sender, report_receiver) = mpsc::channel();
    // A token for every input between the list and its report: all other queues hold no more than there are tokens.
    let window = 2 * (decoders + scorers * plan.batch as usize);
    let (token_sender, token_receiver) = mpsc::sync_channel(window);
    let budget = Budget::with_aside(options.memory, stages.prepared_bytes().saturating_mul(window as u64));
    let job_receiver = Mutex::new(job_receiver);
    let groups = Mutex::new(Groups { prepared: prepared_receiver, waiting: BTreeMap::new() });
    thread::scope(|scope| {
        // Moved in, so that returning early hangs up on the others.
        let (report_receiver, token_receiver) = (report_receiver, token_receiver);
        let feeder = scope.spawn(move || {
            let feed = Feed { stages, pipes, plan, stop, budget: &budget };
            feed.run(inputs, &token_sender, &job_sender)
        });
        for _ in 0..decoders {
            let (jobs, sender) = (&job_receiver, prepared_sender.clone());
            scope.spawn(move || decode(stages, jobs, &sender));
        }
        drop(prepared_sender);
        for _ in 0..scorers {
            let (groups, sender) = (&groups, report_sender.clone());
            scope.spawn(move || score(stages, plan, groups, &sender));
        }
        drop(report_sender);
        hand_on(plan.first, &report_receiver, &token_receiver, sink)?;
        // Its only panic would be that of a thread that could not be spawned.
        feeder.join().unwrap_or(Ok(()))
    })
}

/// Members of archives are read here, in order: that is one pass over each archive.
struct Feed<'a, S> {
    stages: &'a S,
    pipes: &'a [PathBuf],
    plan: Plan,
    stop: &'a AtomicBool,
    budget: &'a Budget,
}

impl<S: Stages> Feed<'_, S> {
    fn run<E>(
        &self,
        inputs: impl Iterator<Item = Result<Source, E>>,
        tokens: &SyncSender<()>,
        jobs: &SyncSender<Job>,
    ) -> Result<(), E> {
        let mut archives = ArchiveReader::default();
        for (position, source) in (self.plan.first..).zip(inputs) {
            let source = source?;
            if position.is_multiple_of(self.plan.stop_at) && self.stop.load(Ordering::Relaxed) {
                break;
            }
            if tokens.send(()).is_err() {
                break;
            }
            let turn = self.budget.turn();
            let loaded = if source.member.is_none() && self.pipes.contains(&source.path) {
                Loaded::of_pipe(self.stages, &source.path, turn)
            } else {
                Loaded::of(self.stages, &mut archives, &source, turn)
            };
            if jobs.send(Job { position, source, loaded }).is_err() {
                break;
            }
        }
        Ok(())
    }
}

fn decode<S: Stages>(stages: &S, jobs: &Mutex<Receiver<Job>>, ready: &Sender<(u64, Ready<S::Prepared>)>) {
    let next = || jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
    while let Ok(Job { position, source, loaded }) = next() {
        if ready.send((position, prepare(stages, &source, loaded))).is_err() {
            break;
        }
    }
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

fn score<S: Stages>(
    stages: &S,
    plan: Plan,
    groups: &Mutex<Groups<S::Prepared>>,
    reports: &Sender<(u64, Report)>,
) {
    let next = || groups.lock().unwrap_or_else(PoisonError::into_inner).next(plan);
    while let Some(group) = next() {
        let (positions, batch): (Vec<u64>, Vec<_>) = group.into_iter().unzip();
        for report in positions.into_iter().zip(reports_of(stages, batch)) {
            if reports.send(report).is_err() {
                return;
            }
        }
    }
}

/// Reports in order.
fn hand_on<E>(
    mut next: u64,
    reports: &Receiver<(u64, Report)>,
    tokens: &Receiver<()>,
    mut sink: impl FnMut(Report) -> Result<(), E>,
) -> Result<(), E> {
    let mut waiting = BTreeMap::new();
    while let Ok((position, report)) = reports.recv() {
        waiting.insert(position, report);
        while let Some(report) = waiting.remove(&next) {
            // Every report that comes had its token sent before.
            let _ = tokens.recv();
            sink(report)?;
            next += 1;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::Plan;

    #[test]
    fn batches_end_with_their_unit_and_with_the_inputs() {
        let plan = Plan { first: 0, total: 23, unit: 10, batch: 4, stop_at: 10 };
        let groups: Vec<_> = (0..23).map(|position| plan.group(position)).collect();
        assert_eq!([groups[0], groups[7], groups[9]], [(0, 4), (4, 4), (8, 2)]);
        assert_eq!([groups[10], groups[19], groups[22]], [(10, 4), (18, 2), (20, 3)]);
        let endless = Plan { unit: u64::MAX, ..plan };
        assert_eq!([endless.group(9), endless.group(22)], [(8, 4), (20, 3)]);
    }
}
