//! The bar of an evaluation on a terminal.

use indicatif::ProgressBar;
use medclip_core::causes::with_causes;
use medclip_protocols::{Observer, Progress};

use crate::output::progress as bar;
use crate::report_error;

/// Shows on standard error how an evaluation goes, and which films it leaves out.
pub(crate) struct Bar(ProgressBar);

impl Bar {
    pub(crate) fn new() -> Self {
        Self(ProgressBar::hidden())
    }
}

impl Observer for Bar {
    fn tell(&mut self, progress: Progress<'_>) {
        match progress {
            Progress::Begin { unit, count } => self.0 = bar(count, unit.name()),
            Progress::Done(count) => self.0.inc(count as u64),
            Progress::Failed(error) => self.0.suspend(|| report_error(&with_causes(error))),
            Progress::End => self.0.finish_and_clear(),
            _ => {}
        }
    }
}
