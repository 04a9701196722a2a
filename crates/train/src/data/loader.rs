//! Batches made ahead of time by background threads.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::JoinHandle;

use crate::data::images::ImagesError;
use crate::data::train_set::{Batch, TrainSet};

/// What a thread makes of a plan.
type Made = Result<Batch, ImagesError>;

/// Iterates over the batches of one epoch, in order, while threads make the next ones. A batch whose images cannot be read is an
/// error in its place.
///
/// Each thread holds at most two finished batches. Dropping the loader ends its threads.
#[derive(Debug)]
pub struct Loader {
    /// One a thread; thread `i` of `n` makes the steps `first + i`, `first + i + n`, …
    workers: Vec<(Option<Receiver<Made>>, JoinHandle<()>)>,
    next: usize,
}

impl Loader {
    /// Starts `threads` threads (at least one) on the batches of `epoch` from `first_step` on.
    pub fn start(set: &Arc<TrainSet>, epoch: u64, first_step: usize, threads: usize) -> Self {
        let threads = threads.max(1);
        let order: Arc<[usize]> = set.order(epoch).into();
        let workers = (0..threads)
            .map(|worker| {
                let (set, order) = (Arc::clone(set), Arc::clone(&order));
                let (sender, receiver) = sync_channel(1);
                let thread = std::thread::spawn(move || {
                    for step in (first_step + worker..).step_by(threads) {
                        let Some(plan) = set.plan(epoch, step, &order) else { return };
                        if sender.send(set.batch(plan)).is_err() {
                            return;
                        }
                    }
                });
                (Some(receiver), thread)
            })
            .collect();
        Self { workers, next: 0 }
    }
}

impl Iterator for Loader {
    type Item = Made;

    fn next(&mut self) -> Option<Made> {
        let count = self.workers.len();
        let (receiver, _) = self.workers.get(self.next % count)?;
        self.next += 1;
        receiver.as_ref()?.recv().ok()
    }
}

impl Drop for Loader {
    fn drop(&mut self) {
        for (receiver, _) in &mut self.workers {
            receiver.take();
        }
        for (_, thread) in self.workers.drain(..) {
            // A worker that panicked has already reported itself; there is nothing to add while dropping.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::fixture::train_set;

    #[test]
    fn order_does_not_depend_on_threads_or_on_where_it_starts() {
        let (_directory, set) = train_set();
        let batches = |epoch, first, threads| -> Vec<Batch> {
            Loader::start(&set, epoch, first, threads).collect::<Result<_, _>>().unwrap()
        };
        let one = batches(2, 0, 1);
        assert_eq!(one.len(), set.steps());
        assert!(one.len() >= 4);
        for threads in [2, 3] {
            assert_eq!(batches(2, 0, threads), one);
        }
        assert_eq!(batches(2, 3, 2), one[3..]);
        assert_ne!(batches(3, 0, 1).first(), one.first());
    }

    #[test]
    fn dropping_early_ends_the_threads() {
        let (_directory, set) = train_set();
        let mut loader = Loader::start(&set, 0, 0, 2);
        assert!(loader.next().is_some());
        drop(loader);
        assert_eq!(Arc::strong_count(&set), 1);
    }
}
