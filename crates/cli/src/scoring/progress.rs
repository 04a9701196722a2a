//! How far a run is, on standard error, without a name.

use std::io::{self, IsTerminal};
use std::path::Path;
use std::time::{Duration, Instant};

use indicatif::ProgressBar;
use medclip_archive::{Job, Progress};

use crate::{output, say};

/// Time between two lines where there is no terminal.
const INTERVAL: Duration = Duration::from_secs(30);

/// A bar on a terminal, a line now and then otherwise.
pub(crate) struct Reporter {
    bar: ProgressBar,
    /// Rows of earlier processes.
    before: u64,
    begun: Instant,
    told: Instant,
    has_lines: bool,
}

impl Reporter {
    pub(crate) fn new(job: &Job<'_>) -> Self {
        let before = job.summary().rows;
        let bar = output::progress(job.inputs() as usize, "inputs");
        bar.set_position(before);
        bar.reset_eta();
        let now = Instant::now();
        Self { bar, before, begun: now, told: now, has_lines: !io::stderr().is_terminal() }
    }

    pub(crate) fn update(&mut self, progress: Progress) {
        self.bar.set_position(progress.done);
        if progress.failed > 0 {
            self.bar.set_message(format!(", {} failed", progress.failed));
        }
        if self.has_lines && self.told.elapsed() >= INTERVAL {
            self.told = Instant::now();
            say(&line(progress, self.before, self.begun.elapsed()));
        }
    }

    /// Runs what prints a line of its own.
    pub(crate) fn suspend(&self, print: impl FnOnce()) {
        self.bar.suspend(print);
    }

    pub(crate) fn end(&self, output: &Path, job: &Job<'_>) {
        let (summary, inputs, skipped) = (job.summary(), job.inputs(), job.skipped());
        self.bar.finish_and_clear();
        let counts: Vec<_> = summary.failures.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
        let failed: u64 = summary.failures.values().sum();
        let kinds = if failed == 0 { String::new() } else { format!(" ({})", counts.join(", ")) };
        let rows = summary.rows;
        let skipped = if skipped.is_empty() { String::new() } else { format!("; {skipped}") };
        say(&format!(
            "{}: {rows} of {inputs} rows, {failed} without scores{kinds}{skipped}",
            output.display()
        ));
    }
}

/// `1200 of 10000 inputs, 40.0 per s, 220 s left, 36 failed`.
fn line(progress: Progress, before: u64, elapsed: Duration) -> String {
    let Progress { done, total, failed } = progress;
    let rate = (done - before) as f64 / elapsed.as_secs_f64().max(1e-9);
    let left = if rate > 0.0 { (total - done) as f64 / rate } else { 0.0 };
    format!("{done} of {total} inputs, {rate:.1} per s, {left:.0} s left, {failed} failed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rate_and_rest_are_of_this_process() {
        let progress = Progress { done: 300, total: 1000, failed: 9 };
        assert_eq!(
            line(progress, 200, Duration::from_secs(50)),
            "300 of 1000 inputs, 2.0 per s, 350 s left, 9 failed"
        );
    }
}
