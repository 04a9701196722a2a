//! What an operation tells while it is at work.

use medclip_core::prompt::PromptDoubts;
pub use medclip_core::stop::Stoppable;

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
    Doubts(&'a PromptDoubts<'a>),
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

impl Work {
    /// What its steps are, in the plural and for people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ReadFilms => "films",
            Self::MeasureFilms => "films measured",
            Self::CompareGraphs => "graphs",
            Self::RunEngines => "engines",
        }
    }
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

impl<O: Observer + ?Sized> Observer for Stoppable<'_, O> {
    fn tell(&mut self, progress: Progress<'_>) {
        self.observer_mut().tell(progress);
    }

    fn is_stopped(&self) -> bool {
        self.is_set() || self.observer().is_stopped()
    }
}
