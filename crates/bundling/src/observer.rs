//! What an operation tells while it is at work.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

use medclip_core::tokenize::TextDoubt;
#[cfg(feature = "make")]
use medclip_export::ImportNote;

/// Something that happened.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Progress<'a> {
    /// A part of the work begins.
    Begin {
        /// Which part.
        work: Work,
        /// Steps it has, at most.
        steps: usize,
    },
    /// A step of that part is done.
    Step,
    /// That part has ended.
    End,
    /// Weights left something open, and this was chosen.
    #[cfg(feature = "make")]
    Note(&'a ImportNote),
    /// Some prompts may not mean what they say.
    Doubts {
        /// Prompts that lose something.
        count: usize,
        /// Prompts in all.
        of: usize,
        /// The first of them.
        prompt: &'a str,
        /// What it loses.
        doubt: &'a TextDoubt,
    },
}

/// Part of an operation, of steps that can be counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Work {
    /// Films are decoded; a step is a film.
    ReadFilms,
    /// Ranges of activations are measured; a step is a film, and each is met twice.
    MeasureFilms,
    /// Layers are chosen; a step is a graph that is compared with the model's own.
    CompareGraphs,
    /// A bundle is verified; a step is an engine.
    RunEngines,
}

/// Is told what happens, in order, by the thread that works.
///
/// `()` listens to nothing. Nothing here prints or draws: whoever starts an operation shows what it tells.
pub trait Observer {
    /// Something happened.
    fn tell(&mut self, progress: Progress<'_>);

    /// Whether the work is to end at the next occasion; it never is unless an implementation says so. See [`Stoppable`].
    fn is_stopped(&self) -> bool {
        false
    }
}

impl Observer for () {
    fn tell(&mut self, _: Progress<'_>) {}
}

/// An observer and a stop flag: once the flag is true, the work ends with an error that says so, and nothing is written.
pub struct Stoppable<'a> {
    observer: &'a mut dyn Observer,
    stop: &'a AtomicBool,
}

impl<'a> Stoppable<'a> {
    /// `observer` is told what happens until `stop` is true.
    pub const fn new(observer: &'a mut dyn Observer, stop: &'a AtomicBool) -> Self {
        Self { observer, stop }
    }
}

impl Observer for Stoppable<'_> {
    fn tell(&mut self, progress: Progress<'_>) {
        self.observer.tell(progress);
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed) || self.observer.is_stopped()
    }
}

impl fmt::Debug for Stoppable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stoppable").field("stop", self.stop).finish_non_exhaustive()
    }
}
