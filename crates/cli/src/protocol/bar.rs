//! The bar of an evaluation on a terminal.

use std::sync::atomic::{AtomicBool, Ordering};

use indicatif::ProgressBar;
use medclip_core::causes::with_causes;
use medclip_protocols::{Observer, Progress};

use crate::interrupt::stop_or_nothing;
use crate::output::progress as bar;
use crate::report_error;

/// Shows on standard error how an evaluation goes, and which films it leaves out. The evaluation stops on Ctrl-C.
pub(crate) struct Bar {
    bar: ProgressBar,
    stop: &'static AtomicBool,
}

impl Bar {
    pub(crate) fn new() -> Self {
        Self { bar: ProgressBar::hidden(), stop: stop_or_nothing() }
    }
}

impl Observer for Bar {
    fn tell(&mut self, progress: Progress<'_>) {
        match progress {
            Progress::Begin { unit, count } => self.bar = bar(count, unit.name()),
            Progress::Done(count) => self.bar.inc(count as u64),
            Progress::Failed(error) => self.bar.suspend(|| report_error(&with_causes(error))),
            Progress::End => self.bar.finish_and_clear(),
            _ => {}
        }
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}
