//! How far a run is, on standard error, without a name.

use std::io::{self, IsTerminal};
use std::path::Path;
use std::time::{Duration, Instant};

use indicatif::ProgressBar;
use medclip_archive::{Job, Pace, Progress};

use crate::{output, say};

/// Time between two lines where there is no terminal.
const INTERVAL: Duration = Duration::from_secs(30);

/// A bar on a terminal, a line now and then otherwise.
pub(crate) struct Reporter {
    bar: ProgressBar,
    pace: Pace,
    told: Instant,
    has_lines: bool,
}

impl Reporter {
    pub(crate) fn new(job: &Job<'_>) -> Self {
        let before = job.summary().rows;
        let bar = output::progress(job.inputs() as usize, "inputs");
        bar.set_position(before);
        bar.reset_eta();
        let has_lines = !io::stderr().is_terminal();
        Self { bar, pace: Pace::start(before), told: Instant::now(), has_lines }
    }

    pub(crate) fn update(&mut self, progress: Progress) {
        self.bar.set_position(progress.done);
        if progress.failed > 0 {
            self.bar.set_message(format!(", {} failed", progress.failed));
        }
        if self.has_lines && self.told.elapsed() >= INTERVAL {
            self.told = Instant::now();
            say(&self.pace.describe(progress));
        }
    }

    /// Runs what prints a line of its own.
    pub(crate) fn suspend(&self, print: impl FnOnce()) {
        self.bar.suspend(print);
    }

    pub(crate) fn end(&self, output: &Path, job: &Job<'_>) {
        self.bar.finish_and_clear();
        say(&format!("{}: {}", output.display(), job.describe()));
    }
}
