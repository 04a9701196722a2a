//! `medclip fit`: what is fitted to films, measured and kept, one file a kind.

mod checks;
#[cfg(feature = "train")]
mod finetune;
mod probe;
#[cfg(feature = "train")]
mod prompts;

use clap::{Args, Subcommand};

use crate::Outcome;
#[cfg(not(feature = "train"))]
use crate::missing::{fit_finetune as finetune, fit_prompts as prompts};

/// Fit a part of a model to annotated images, keep it, and measure what was kept
#[derive(Debug, Args)]
pub(crate) struct FitArgs {
    #[command(subcommand)]
    kind: Kind,
}

#[derive(Debug, Subcommand)]
enum Kind {
    Probe(probe::FitProbeArgs),
    Finetune(finetune::FitFinetuneArgs),
    Prompts(prompts::FitPromptsArgs),
    Checks(checks::FitChecksArgs),
}

pub(crate) fn run(args: FitArgs) -> anyhow::Result<Outcome> {
    match args.kind {
        Kind::Probe(args) => probe::run(args),
        Kind::Finetune(args) => finetune::run(args),
        Kind::Prompts(args) => prompts::run(args),
        Kind::Checks(args) => checks::run(args),
    }
}
