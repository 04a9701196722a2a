//! One number of bytes that all films of a run share.
//!
//! Films wait for memory in the order in which they stood in line, whatever thread they are on. The first in line may take its
//! share in parts, as it learns what it needs; all others hold nothing while they wait. So a film that waits always waits for
//! films that have all they need, no two wait for each other, and none is overtaken for ever. What a film gets, and whether it
//! gets it, does not depend on time or threads.
//!
//! ```
//! use medclip_core::budget::Budget;
//!
//! let budget = Budget::new(100);
//! let (mut first, second) = (budget.turn(), budget.turn());
//! first.hold(30)?;
//! first.hold(40)?;
//! let first = first.done();
//! assert!(second.take(101).is_err());
//! drop(first);
//! let third = budget.turn().take(100)?;
//! assert_eq!(third.bytes(), 100);
//! # Ok::<(), medclip_core::budget::TooMuchMemory>(())
//! ```

mod default;
mod file;
mod machine;
mod size;

use std::collections::BTreeSet;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use thiserror::Error;

pub use default::{beside, beside_files};
pub use file::{Claim, Claimed};
pub use machine::{address_space_left, limit as machine_limit};
pub use size::{SizeError, parse_size, written};

/// Bytes that films share.
#[derive(Debug, Clone)]
pub struct Budget {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    bytes: u64,
    /// Bytes that no film gets.
    aside: u64,
    line: Mutex<Line>,
    moved: Condvar,
}

#[derive(Debug)]
struct Line {
    /// Bytes that nobody holds.
    free: u64,
    /// The number that the next turn gets.
    next: u64,
    /// Turns that wait, by number.
    waiting: BTreeSet<u64>,
}

/// A film that alone needs more than there is for all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("needs {} of memory, the budget of the run is {} ({budget} bytes)", written(*needed), written(*budget))]
pub struct TooMuchMemory {
    /// Bytes it needs, or as many as are known of.
    pub needed: u64,
    /// Bytes of the whole budget.
    pub budget: u64,
}

impl Budget {
    /// A budget of so many bytes.
    pub fn new(bytes: u64) -> Self {
        Self::with_aside(bytes, 0)
    }

    /// A budget of so many bytes, some of which are set aside for what is no film's: at most a quarter. A film that needs all
    /// bytes still gets a share, and then shares with nobody but that.
    pub fn with_aside(bytes: u64, aside: u64) -> Self {
        let aside = aside.min(bytes / 4);
        let line = Mutex::new(Line { free: bytes - aside, next: 0, waiting: BTreeSet::new() });
        Self { shared: Arc::new(Shared { bytes, aside, line, moved: Condvar::new() }) }
    }

    /// All bytes, free or not.
    pub fn bytes(&self) -> u64 {
        self.shared.bytes
    }

    /// A place at the end of the line.
    ///
    /// Whoever stands in line must take its share or step out ([`Turn::done`], or by being dropped) without waiting for anyone
    /// behind it.
    pub fn turn(&self) -> Turn {
        let mut line = self.shared.line();
        let number = line.next;
        line.next += 1;
        line.waiting.insert(number);
        Turn { shared: Arc::clone(&self.shared), number, held: 0, asked: 0 }
    }
}

impl Shared {
    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn give_back(&self, bytes: u64) {
        self.line().free += bytes;
        self.moved.notify_all();
    }

    fn step_out(&self, number: u64) {
        self.line().waiting.remove(&number);
        self.moved.notify_all();
    }
}

/// A place in line, and what was taken so far.
#[derive(Debug)]
pub struct Turn {
    shared: Arc<Shared>,
    number: u64,
    /// All that was asked for, and what of it is taken from the line: no more than is not set aside.
    asked: u64,
    held: u64,
}

impl Turn {
    /// Waits to be first in line and for so many bytes, beside those held already. Stays first: nobody behind gets anything
    /// before [`Turn::done`].
    ///
    /// # Errors
    /// [`TooMuchMemory`] at once where all that is held would be more than the whole budget.
    pub fn hold(&mut self, bytes: u64) -> Result<(), TooMuchMemory> {
        let (needed, budget) = (self.asked.saturating_add(bytes), self.shared.bytes);
        if needed > budget {
            return Err(TooMuchMemory { needed, budget });
        }
        let bytes = needed.min(budget - self.shared.aside) - self.held;
        let line = self.shared.line();
        let waits = |line: &mut Line| line.waiting.first() != Some(&self.number) || line.free < bytes;
        let line = self.shared.moved.wait_while(line, waits);
        line.unwrap_or_else(PoisonError::into_inner).free -= bytes;
        self.held += bytes;
        self.asked = needed;
        Ok(())
    }

    /// Steps out of the line with what is held.
    pub fn done(mut self) -> Share {
        // What is dropped with the turn holds nothing.
        Share { shared: Arc::clone(&self.shared), bytes: std::mem::take(&mut self.held) }
    }

    /// Waits for the whole share at once.
    ///
    /// # Errors
    /// As [`Turn::hold`].
    pub fn take(mut self, bytes: u64) -> Result<Share, TooMuchMemory> {
        self.hold(bytes)?;
        Ok(self.done())
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if self.held > 0 {
            self.shared.give_back(self.held);
        }
        self.shared.step_out(self.number);
    }
}

/// Bytes that a film has, until it is dropped.
#[derive(Debug)]
pub struct Share {
    shared: Arc<Shared>,
    bytes: u64,
}

impl Share {
    /// How many.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.shared.give_back(self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::sync::mpsc;
    use std::thread;
    use std::time::Duration;

    use super::*;

    #[test]
    fn no_more_is_held_than_there_is_and_all_is_given_back() {
        let budget = Budget::new(1000);
        let (held, most) = (AtomicU64::new(0), AtomicU64::new(0));
        thread::scope(|scope| {
            for number in 0..8_u64 {
                let (budget, held, most) = (&budget, &held, &most);
                scope.spawn(move || {
                    for step in 0..200 {
                        let bytes = (number * 131 + step * 71) % 1000;
                        let share = budget.turn().take(bytes).unwrap();
                        let now = held.fetch_add(bytes, Ordering::SeqCst) + bytes;
                        most.fetch_max(now, Ordering::SeqCst);
                        thread::yield_now();
                        held.fetch_sub(bytes, Ordering::SeqCst);
                        drop(share);
                    }
                });
            }
        });
        assert!(most.load(Ordering::SeqCst) <= 1000);
        assert_eq!(budget.turn().take(1000).unwrap().bytes(), 1000);
    }

    #[test]
    fn a_large_share_is_not_overtaken_by_small_ones() {
        let budget = Budget::new(10);
        let small = budget.turn().take(1).unwrap();
        let (large, late) = (budget.turn(), budget.turn());
        let (sender, order) = mpsc::channel();
        thread::scope(|scope| {
            for (name, turn, bytes) in [("late", late, 1), ("large", large, 10)] {
                let sender = sender.clone();
                scope.spawn(move || {
                    let share = turn.take(bytes).unwrap();
                    sender.send(name).unwrap();
                    drop(share);
                });
            }
            // There is room for the late one all the time.
            assert!(order.recv_timeout(Duration::from_millis(50)).is_err());
            drop(small);
            assert_eq!((order.recv().unwrap(), order.recv().unwrap()), ("large", "late"));
        });
    }

    #[test]
    fn the_first_in_line_may_take_its_share_in_parts() {
        let budget = Budget::new(10);
        let running = budget.turn().take(4).unwrap();
        let (mut first, second) = (budget.turn(), budget.turn());
        first.hold(5).unwrap();
        thread::scope(|scope| {
            let second = scope.spawn(move || second.take(3).unwrap().bytes());
            let first = scope.spawn(move || {
                first.hold(5).unwrap();
                first.done().bytes()
            });
            drop(running);
            assert_eq!((first.join().unwrap(), second.join().unwrap()), (10, 3));
        });
    }

    #[test]
    fn a_share_beyond_the_budget_is_refused_at_once_and_holds_nobody_up() {
        let budget = Budget::new(10);
        let _running = budget.turn().take(9).unwrap();
        let mut turn = budget.turn();
        turn.hold(1).unwrap();
        assert_eq!(turn.hold(10), Err(TooMuchMemory { needed: 11, budget: 10 }));
        assert_eq!(turn.hold(u64::MAX), Err(TooMuchMemory { needed: u64::MAX, budget: 10 }));
        let next = budget.turn();
        drop(turn);
        assert_eq!(next.take(1).unwrap().bytes(), 1);
        // A turn that nobody uses.
        let unused = budget.turn();
        let next = budget.turn();
        drop(unused);
        assert_eq!(next.take(1).unwrap().bytes(), 1);
    }

    #[test]
    fn what_is_set_aside_moves_no_limit() {
        let budget = Budget::with_aside(100, 10);
        let mut turn = budget.turn();
        turn.hold(60).unwrap();
        turn.hold(40).unwrap();
        assert_eq!(turn.hold(1), Err(TooMuchMemory { needed: 101, budget: 100 }));
        drop(turn);
        // Nothing was lost, and one beside the other has what is not set aside.
        let one = budget.turn().take(80).unwrap();
        let other = budget.turn().take(10).unwrap();
        assert_eq!((one.bytes(), other.bytes()), (80, 10));
        drop((one, other));
        assert_eq!(Budget::with_aside(100, 99).turn().take(100).unwrap().bytes(), 75);
    }

    #[test]
    fn a_refusal_names_both_figures() {
        let error = TooMuchMemory { needed: 3 << 30, budget: 512 << 20 };
        assert_eq!(
            error.to_string(),
            "needs 3 GiB of memory, the budget of the run is 512 MiB (536870912 bytes)"
        );
    }
}
