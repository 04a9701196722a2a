//! The bar of a training on a terminal.

use indicatif::ProgressBar;
use medclip_core::terminal::escape;
use medclip_train::{Observer, Progress};

use crate::output::bar;

/// Form of the bar.
const TEMPLATE: &str = "{elapsed_precise} {wide_bar} {pos}/{len} steps, {eta} left {msg}";

/// Shows on standard error how a run goes, when that is a terminal.
pub(super) struct Bar(ProgressBar);

impl Bar {
    pub(super) fn new() -> Self {
        Self(ProgressBar::hidden())
    }
}

impl Observer for Bar {
    fn tell(&mut self, progress: Progress<'_>) {
        match progress {
            Progress::Begin { done, steps } => self.0 = bar(steps, TEMPLATE).with_position(done),
            Progress::Step(step) => {
                self.0.inc(1);
                self.0.set_message(format!("loss {:.4}, {:.1} images/s", step.loss, step.images_per_second));
            }
            Progress::Evaluation { epoch, evaluation } => {
                let line = format!("epoch {epoch}: {evaluation}");
                self.0.println(escape(&line));
            }
            Progress::EarlyStop { epoch, evaluations } => {
                self.0.println(format!("epoch {epoch}: no better for {evaluations} evaluations, stopping"));
            }
            _ => {}
        }
    }
}
