//! Work on several threads, results in the order of the items.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;

/// Items taken but not yet handed on, per thread: enough that a slow item does not idle the others for long.
const WINDOW_PER_THREAD: usize = 4;

/// Runs `work` on every item on `threads` threads and hands each result to `sink` in the order of the items, as soon as
/// it and all before it are there. A panic in `work` is that item's result.
///
/// At most `4 · threads` items are between `items` and `sink` at any time.
///
/// # Errors
/// The first error of `sink`; remaining items are left alone.
pub(crate) fn for_each_ordered<T, R, E>(
    items: impl IntoIterator<Item = T>,
    threads: usize,
    work: impl Fn(T) -> R + Sync,
    mut sink: impl FnMut(thread::Result<R>) -> Result<(), E>,
) -> Result<(), E>
where
    T: Send,
    R: Send,
{
    let threads = threads.max(1);
    let mut items = items.into_iter().enumerate();
    let (job_sender, job_receiver) = mpsc::channel::<(usize, T)>();
    let (result_sender, result_receiver) = mpsc::channel();
    let job_receiver = Mutex::new(job_receiver);
    thread::scope(|scope| {
        // Moved in, so that returning early hangs up on the workers.
        let job_sender = job_sender;
        let result_receiver = result_receiver;
        for _ in 0..threads {
            let result_sender = result_sender.clone();
            let (jobs, work) = (&job_receiver, &work);
            scope.spawn(move || {
                let next = || jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
                while let Ok((index, item)) = next() {
                    let result = catch_unwind(AssertUnwindSafe(|| work(item)));
                    if result_sender.send((index, result)).is_err() {
                        break;
                    }
                }
            });
        }
        let mut waiting = BTreeMap::new();
        let (mut taken, mut handed_on) = (0, 0);
        loop {
            while taken - handed_on < threads * WINDOW_PER_THREAD {
                let Some(job) = items.next() else { break };
                if job_sender.send(job).is_err() {
                    break;
                }
                taken += 1;
            }
            if taken == handed_on {
                return Ok(());
            }
            let Ok((index, result)) = result_receiver.recv() else { return Ok(()) };
            waiting.insert(index, result);
            while let Some(result) = waiting.remove(&handed_on) {
                sink(result)?;
                handed_on += 1;
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::*;

    #[test]
    fn results_keep_the_order_and_the_window_is_bounded() {
        let (begun, ended) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let mut seen = Vec::new();
        let items = (0..100).inspect(|_| {
            begun.fetch_add(1, Ordering::SeqCst);
        });
        let work = |item: u64| {
            thread::sleep(Duration::from_micros(if item.is_multiple_of(7) { 500 } else { 10 }));
            item
        };
        let sink = |result: thread::Result<u64>| {
            let open = begun.load(Ordering::SeqCst) - ended.fetch_add(1, Ordering::SeqCst);
            assert!(open <= 3 * WINDOW_PER_THREAD, "{open} items open");
            seen.push(result.expect("no panic"));
            Ok::<_, ()>(())
        };
        for_each_ordered(items, 3, work, sink).unwrap();
        assert_eq!(seen, (0..100).collect::<Vec<_>>());
    }

    #[test]
    fn a_panic_is_one_result_and_a_sink_error_ends_it() {
        let mut failed = Vec::new();
        let work = |item: usize| assert!(item != 2, "item two");
        for_each_ordered(0..5, 2, work, |result| {
            failed.push(result.is_err());
            Ok::<_, ()>(())
        })
        .unwrap();
        assert_eq!(failed, [false, false, true, false, false]);
        assert_eq!(for_each_ordered(0..1000, 2, |item| item, |_| Err("enough")), Err("enough"));
    }
}
