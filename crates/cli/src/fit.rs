//! `medclip fit`: what is fitted to films, measured and kept, one file a kind.

mod checks;
#[cfg(feature = "train")]
mod finetune;
mod probe;
#[cfg(feature = "train")]
mod prompts;

use std::path::Path;

use anyhow::Context;
use clap::Subcommand;
use medclip_core::Head;
use medclip_files::replace_file;

use crate::Outcome;
#[cfg(not(feature = "train"))]
use crate::missing::{fit_finetune as finetune, fit_prompts as prompts};

/// Fit a part of a model to annotated images, keep it, and measure what was kept
#[derive(Debug, Subcommand)]
pub(crate) enum FitArgs {
    Probe(probe::FitProbeArgs),
    Finetune(finetune::FitFinetuneArgs),
    Prompts(prompts::FitPromptsArgs),
    Checks(checks::FitChecksArgs),
}

pub(crate) fn run(args: FitArgs) -> anyhow::Result<Outcome> {
    match args {
        FitArgs::Probe(args) => probe::run(args),
        FitArgs::Finetune(args) => finetune::run(args),
        FitArgs::Prompts(args) => prompts::run(args),
        FitArgs::Checks(args) => checks::run(args),
    }
}

/// Keeps a head.
fn write_head(output: &Path, head: &Head) -> anyhow::Result<()> {
    replace_file(output, &head.to_bytes()?).context("cannot write the head")
}
