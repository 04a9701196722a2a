//! What the commands that write bundles share.

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use clap::Args;
use indicatif::ProgressBar;
use medclip_bundling::{Observer, Progress, TargetError, Work, check_target};
use medclip_export::ImportNote;

use crate::doubts::say_doubts;
use crate::{one_line, output, say};

#[cfg(feature = "train")]
pub(crate) use medclip_bundling::read_text as read;

/// Where a bundle or a checkpoint is written.
#[derive(Debug, Args)]
pub(crate) struct TargetArgs {
    /// Directory to write
    #[arg(short, long, value_name = "PATH")]
    pub(crate) output: PathBuf,
    /// Replace what is there, if it is of the same kind
    #[arg(long)]
    pub(crate) replace: bool,
}

impl TargetArgs {
    /// The directory, if nothing would be overwritten unasked.
    pub(crate) fn check(&self) -> anyhow::Result<&Path> {
        check_target(&self.output, self.replace).map_err(|error| exists(&error))?;
        Ok(&self.output)
    }
}

/// Something is where a bundle is to be, and what to do about it.
pub(crate) fn exists(error: &TargetError) -> anyhow::Error {
    anyhow!("{error}; --replace replaces it")
}

/// Says on standard error what an operation tells, and shows how far it is when that is a terminal.
#[derive(Default)]
pub(crate) struct Bar(Option<ProgressBar>);

impl Observer for Bar {
    fn tell(&mut self, progress: Progress<'_>) {
        match progress {
            Progress::Begin { work, steps } => self.0 = Some(output::progress(steps, unit(work))),
            Progress::Step => self.0.iter().for_each(|bar| bar.inc(1)),
            Progress::End => self.0.take().iter().for_each(ProgressBar::finish_and_clear),
            Progress::Note(note) => say(&format!("note: {note}{}", advice(note))),
            Progress::Doubts { count, of, prompt, doubt } => say_doubts(count, of, prompt, doubt),
            _ => {}
        }
    }
}

const fn unit(work: Work) -> &'static str {
    match work {
        Work::ReadFilms => "films",
        Work::MeasureFilms => "films measured",
        Work::RunEngines => "engines",
        _ => "graphs",
    }
}

/// An error with the options that may help.
pub(crate) fn hint(error: impl Into<anyhow::Error>) -> anyhow::Error {
    let text = one_line(&error.into());
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
