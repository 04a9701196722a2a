//! How fast a run goes.

use std::time::{Duration, Instant};

use crate::pipeline::Progress;

/// When a process took up a run, and how far the run was then.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    begun: Instant,
    /// Rows of earlier processes.
    before: u64,
}

impl Pace {
    /// Of a process that takes up a run of so many rows now.
    pub fn start(before: u64) -> Self {
        Self { begun: Instant::now(), before }
    }

    /// How far the run is, on one line: `1200 of 10000 inputs, 40.0 per s, 220 s left, 36 failed`.
    pub fn describe(&self, progress: Progress) -> String {
        line(progress, self.before, self.begun.elapsed())
    }
}

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
