//! What the commands that write bundles share.

use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::anyhow;
use indicatif::ProgressBar;
use medclip_bundling::{Observer, Progress};
use medclip_core::causes::with_causes;
use medclip_export::ImportNote;

use crate::interrupt::stop_or_nothing;
use crate::{output, say};

#[cfg(feature = "train")]
pub(crate) use medclip_bundling::read_text as read;

/// Says on standard error what an operation tells, and shows how far it is when that is a terminal. The operation stops on
/// Ctrl-C.
pub(crate) struct Bar {
    bar: Option<ProgressBar>,
    stop: &'static AtomicBool,
}

impl Bar {
    pub(crate) fn new() -> Self {
        Self { bar: None, stop: stop_or_nothing() }
    }
}

impl Observer for Bar {
    fn tell(&mut self, progress: Progress<'_>) {
        match progress {
            Progress::Begin { work, steps } => self.bar = Some(output::progress(steps, work.name())),
            Progress::Step => self.bar.iter().for_each(|bar| bar.inc(1)),
            Progress::End => self.bar.take().iter().for_each(ProgressBar::finish_and_clear),
            Progress::Note(note) => say(&format!("note: {note}{}", advice(note))),
            Progress::Doubts(doubts) => say(&format!("warning: {doubts}")),
            _ => {}
        }
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

/// An error with the options that may help.
pub(crate) fn hint(error: impl Into<anyhow::Error>) -> anyhow::Error {
    let text = with_causes(error.into().as_ref());
    for (sign, option) in [
        ("number of attention heads", "--heads N states it"),
        ("has no word with a capital", "--lowercase, or --lowercase=false"),
        ("say which part to take", "--part NAME takes one"),
        ("name the part to take", "--part NAME takes one"),
        ("leaves out what is beside it", "--part NAME names it"),
        ("or all of the shards", "--also FILE names another"),
    ] {
        if text.contains(sign) {
            return anyhow!("{text} ({option})");
        }
    }
    anyhow!(text)
}

/// What to do where a note is not what was meant.
fn advice(note: &ImportNote) -> &'static str {
    match note {
        ImportNote::Weights(_) => "; --part NAME takes others",
        ImportNote::Heads { .. } => "; --heads N states another number",
        _ => "",
    }
}
