//! What a run tells while it is at work.

use crate::evaluate::Evaluation;
use crate::log::{Event, Step};

/// Something that happened in a run.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Progress<'a> {
    /// The loop begins.
    Begin {
        /// Steps of the optimizer that earlier starts have made.
        done: u64,
        /// Steps of the whole run.
        steps: u64,
    },
    /// A step of the optimizer.
    Step(&'a Step),
    /// A zero-shot evaluation.
    Evaluation {
        /// Epochs finished.
        epoch: u64,
        /// Which set, and how well.
        evaluation: &'a Evaluation,
    },
    /// The run ends before its last epoch.
    EarlyStop {
        /// Epochs finished.
        epoch: u64,
        /// Evaluations in a row without an improvement.
        evaluations: usize,
    },
    /// The loop has ended.
    End,
}

/// Is told what happens in a run, in order, by the thread that trains.
///
/// `()` listens to nothing. A run neither prints nor draws: whoever starts it shows what it tells.
pub trait Observer {
    /// Something happened.
    fn tell(&mut self, progress: Progress<'_>);
}

impl Observer for () {
    fn tell(&mut self, _: Progress<'_>) {}
}

impl<'a> Progress<'a> {
    /// What an event of the log tells; `None` for one from before the loop.
    pub(crate) const fn of(event: &'a Event) -> Option<Self> {
        match event {
            // Whoever runs the trainer tells of images: paths may be those of patients.
            Event::Start(_) | Event::BadImage(_) => None,
            Event::Step(step) => Some(Self::Step(step)),
            Event::Evaluation { epoch, evaluation, .. } => {
                Some(Self::Evaluation { epoch: *epoch, evaluation })
            }
            Event::EarlyStop { epoch, evaluations } => {
                Some(Self::EarlyStop { epoch: *epoch, evaluations: *evaluations })
            }
        }
    }
}
