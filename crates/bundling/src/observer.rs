//! What an operation tells while it is at work.

use medclip_core::tokenize::TextDoubt;
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
}

/// Is told what happens, in order, by the thread that works.
///
/// `()` listens to nothing. Nothing here prints or draws: whoever starts an operation shows what it tells.
pub trait Observer {
    /// Something happened.
    fn tell(&mut self, progress: Progress<'_>);
}

impl Observer for () {
    fn tell(&mut self, _: Progress<'_>) {}
}
