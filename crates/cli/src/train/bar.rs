//! The bar of a training on a terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use medclip_core::terminal::escape;
use medclip_train::{Observer, Progress};

use crate::log::draws_bars;

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
            Progress::Begin { done, steps } => self.0 = bar(done, steps),
            Progress::Step(step) => {
                self.0.inc(1);
                self.0.set_message(format!("loss {:.4}, {:.1} images/s", step.loss, step.images_per_second));
            }
            Progress::Evaluation { epoch, evaluation } => {
                let score =
                    evaluation.macro_auroc.map_or_else(|| "undefined".to_owned(), |a| format!("{a:.4}"));
                let without = match evaluation.left_out.as_slice() {
                    [] => String::new(),
                    names => format!(", without {}", names.join(", ")),
                };
                let line = format!("epoch {epoch}: {} macro-AUROC {score}{without}", evaluation.set);
                self.0.println(escape(&line));
            }
            Progress::EarlyStop { epoch, evaluations } => {
                self.0.println(format!("epoch {epoch}: no better for {evaluations} evaluations, stopping"));
            }
            _ => {}
        }
    }
}

fn bar(done: u64, steps: u64) -> ProgressBar {
    let target = if draws_bars() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(Some(steps), target).with_position(done);
    if let Ok(style) =
        ProgressStyle::with_template("{elapsed_precise} {wide_bar} {pos}/{len} steps, {eta} left {msg}")
    {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(500));
    bar
}
