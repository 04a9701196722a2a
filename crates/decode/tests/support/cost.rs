//! What a step costs: time, and memory at its peak.

use std::io::{self, Write as _};
use std::process::{Command, exit};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use std::{env, fs};

/// Time and memory of a step.
#[derive(Debug, Clone, Copy)]
pub struct Cost {
    /// Of the processor where the system tells it, so that a busy machine changes little.
    pub time: Duration,
    /// Bytes at the peak beyond those before.
    pub memory: u64,
}

/// Runs a step, alone among the tests that measure. Where the system tells no peak, memory is 0.
pub fn measure<T>(step: impl FnOnce() -> T) -> (T, Cost) {
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    // Sets the peak back to what is in use.
    let can_tell = fs::write("/proc/self/clear_refs", "5").is_ok();
    let before = status("VmRSS:");
    let clock = Clock::start();
    let result = step();
    let time = clock.elapsed();
    let peak = if can_tell { status("VmHWM:") } else { before };
    (result, Cost { time, memory: peak.saturating_sub(before) })
}

/// Runs a step in a process of its own, which runs the test of this name up to here: memory is that of the whole process.
pub fn measure_apart(test: &str, case: &str, step: impl FnOnce()) -> Cost {
    const CASE: &str = "MEDCLIP_COST_OF";
    match env::var(CASE) {
        Ok(chosen) if chosen == case => {
            let clock = Clock::start();
            step();
            let (time, memory) = (clock.elapsed().as_micros(), status("VmHWM:"));
            let line = format!("\ncost {time} {memory}\n");
            io::stdout().write_all(line.as_bytes()).unwrap();
            exit(0);
        }
        // The process of another case, on its way there.
        Ok(_) => return Cost { time: Duration::ZERO, memory: 0 },
        Err(_) => {}
    }
    let program = env::current_exe().unwrap();
    let output =
        Command::new(program).args([test, "--exact", "--nocapture"]).env(CASE, case).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let figures = text.lines().find_map(|line| line.strip_prefix("cost "));
    let Some((time, memory)) = figures.and_then(|figures| figures.split_once(' ')) else {
        panic!("{case}: {}: {text}{}", output.status, String::from_utf8_lossy(&output.stderr));
    };
    Cost { time: Duration::from_micros(time.parse().unwrap()), memory: memory.parse().unwrap() }
}

/// The time of this thread.
struct Clock(Instant, Option<Duration>);

impl Clock {
    fn start() -> Self {
        Self(Instant::now(), Self::processor())
    }

    fn elapsed(&self) -> Duration {
        let processor = self.1.zip(Self::processor()).map(|(start, end)| end.saturating_sub(start));
        processor.unwrap_or_else(|| self.0.elapsed())
    }

    fn processor() -> Option<Duration> {
        let text = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
        text.split(' ').next()?.parse().ok().map(Duration::from_nanos)
    }
}

fn status(key: &str) -> u64 {
    let text = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(key));
    let kibibytes =
        line.and_then(|line| line.trim().strip_suffix(" kB")).and_then(|number| number.parse().ok());
    kibibytes.unwrap_or(0) * 1024
}
