//! Ctrl-C and the system's request to end.

use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;

use crate::say;

/// Exit status after a second Ctrl-C, as a shell has it.
const INTERRUPTED: i32 = 130;

/// True once the user or the system has asked the program to end, which `words` then confirm; asked again, it ends at once.
pub(crate) fn stop_on_interrupt(words: &'static str) -> anyhow::Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&stop);
    ctrlc::set_handler(move || {
        if asked.swap(true, Ordering::Relaxed) {
            process::exit(INTERRUPTED);
        }
        say(words);
    })
    .context("cannot listen for Ctrl-C")?;
    Ok(stop)
}
