//! A stop flag beside whoever is told of a piece of work.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

use thiserror::Error;

/// The cause of every error that says that work was stopped, as was asked, whichever library had it at hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a stop flag was set")]
pub struct Stopped;

/// An observer and a stop flag: once the flag is true, the work ends with an error that says so, and nothing is written.
///
/// A library with an observer of its own makes this one too, which passes on what it is told.
pub struct Stoppable<'a, O: ?Sized> {
    observer: &'a mut O,
    stop: &'a AtomicBool,
}

impl<'a, O: ?Sized> Stoppable<'a, O> {
    /// `observer` is told what happens until `stop` is true.
    pub const fn new(observer: &'a mut O, stop: &'a AtomicBool) -> Self {
        Self { observer, stop }
    }

    /// Who is told.
    pub const fn observer(&self) -> &O {
        self.observer
    }

    /// Who is told, to tell it.
    pub const fn observer_mut(&mut self) -> &mut O {
        self.observer
    }

    /// Whether the flag is true.
    pub fn is_set(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

impl<O: ?Sized> fmt::Debug for Stoppable<'_, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stoppable").field("stop", self.stop).finish_non_exhaustive()
    }
}
