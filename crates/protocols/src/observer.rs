//! What an evaluation reports while it works.

pub use medclip_core::stop::Stoppable;
use medclip_core::stop::Stopped;

use crate::error::{EvaluationError, FilmError};

/// Something that happened in an evaluation.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Progress<'a> {
    /// A part of the work begins.
    Begin {
        /// What it consists of.
        unit: Unit,
        /// How many there are.
        count: usize,
    },
    /// So many more are done, failed ones among them.
    Done(usize),
    /// A film could not be used. The evaluation continues without it.
    Failed(&'a FilmError),
    /// The part has ended.
    End,
}

/// What a part of the work consists of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Unit {
    /// Films and other images.
    Images,
    /// Sentences to embed.
    Sentences,
    /// Linear classifiers to fit.
    Classifiers,
}

impl Unit {
    /// Its plural, for people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Images => "images",
            Self::Sentences => "sentences",
            Self::Classifiers => "classifiers",
        }
    }
}

/// Is told what happens in an evaluation, in order, by the thread that called it.
///
/// `()` listens to nothing. An evaluation neither prints nor draws: the caller shows what it reports.
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

/// Fails once the work is to end.
pub(crate) fn go_on(observer: &dyn Observer) -> Result<(), EvaluationError> {
    if observer.is_stopped() { Err(Stopped.into()) } else { Ok(()) }
}
