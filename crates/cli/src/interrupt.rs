//! Ctrl-C and the system's request to end.

use std::error::Error;
use std::process;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;
use medclip_core::stop::Stopped;

use crate::say;

/// Exit status after a second Ctrl-C, as a shell has it.
const INTERRUPTED: i32 = 130;

/// Whether the user or the system has asked the program to end.
static IS_ASKED: AtomicBool = AtomicBool::new(false);

/// True once the user or the system has asked the program to end, which `words` then confirm; asked again, it ends at once.
pub(crate) fn stop_on_interrupt(words: &'static str) -> anyhow::Result<&'static AtomicBool> {
    ctrlc::set_handler(move || {
        if IS_ASKED.swap(true, Ordering::Relaxed) {
            process::exit(INTERRUPTED);
        }
        say(words);
    })
    .context("cannot listen for Ctrl-C")?;
    Ok(&IS_ASKED)
}

/// As [`stop_on_interrupt`], for work of which nothing is kept before its end. Where nobody can listen for Ctrl-C, or somebody
/// does already, that goes on as it was.
pub(crate) fn stop_or_nothing() -> &'static AtomicBool {
    let _ = stop_on_interrupt("stopping; Ctrl-C once more stops at once");
    &IS_ASKED
}

/// Whether an error says that work has stopped, as was asked.
pub(crate) fn is_stop(error: &anyhow::Error) -> bool {
    error.chain().any(<dyn Error>::is::<Stopped>)
}
