//! `medclip eval`: how well models do, one file a protocol.

mod args;
mod bar;
mod cells;
mod compare;
mod figures;
#[cfg(feature = "train")]
mod finetune;
mod probe;
#[cfg(feature = "train")]
mod prompt_tuning;
mod qc;
#[cfg(feature = "train")]
mod report;
mod retrieval;
#[cfg(feature = "train")]
mod runs;
#[cfg(feature = "train")]
mod tuning;
mod zero_shot;

use clap::{Args, Subcommand};

use crate::Outcome;
#[cfg(not(feature = "train"))]
use crate::missing::{MissingArgs, refuse};

/// Evaluate models on annotated images, as they are or fitted to them, or compare training runs
#[derive(Debug, Args)]
pub(crate) struct EvalArgs {
    #[command(subcommand)]
    protocol: Protocol,
}

#[derive(Debug, Subcommand)]
enum Protocol {
    ZeroShot(zero_shot::ZeroShotArgs),
    Probe(probe::ProbeArgs),
    #[cfg(feature = "train")]
    Finetune(finetune::FinetuneArgs),
    #[cfg(feature = "train")]
    PromptTuning(prompt_tuning::PromptTuningArgs),
    Qc(qc::QcArgs),
    Retrieval(retrieval::RetrievalArgs),
    #[cfg(feature = "train")]
    Runs(runs::RunsArgs),
    #[cfg(feature = "train")]
    Report(report::RunReportArgs),
    Compare(compare::CompareArgs),
    /// Fine-tune the image tower on annotated films (not in this program: feature train)
    #[cfg(not(feature = "train"))]
    Finetune(MissingArgs),
    /// Learn vectors in front of the prompts (not in this program: feature train)
    #[cfg(not(feature = "train"))]
    PromptTuning(MissingArgs),
    /// Compare training runs (not in this program: feature train)
    #[cfg(not(feature = "train"))]
    Runs(MissingArgs),
    /// Write the report of a training run again (not in this program: feature train)
    #[cfg(not(feature = "train"))]
    Report(MissingArgs),
}

pub(crate) fn run(args: EvalArgs) -> anyhow::Result<Outcome> {
    match args.protocol {
        Protocol::ZeroShot(args) => zero_shot::run(args),
        Protocol::Probe(args) => probe::run(args),
        #[cfg(feature = "train")]
        Protocol::Finetune(args) => finetune::run(args),
        #[cfg(feature = "train")]
        Protocol::PromptTuning(args) => prompt_tuning::run(args),
        Protocol::Qc(args) => qc::run(args),
        Protocol::Retrieval(args) => retrieval::run(args),
        #[cfg(feature = "train")]
        Protocol::Runs(args) => runs::run(&args),
        #[cfg(feature = "train")]
        Protocol::Report(args) => report::run(&args),
        Protocol::Compare(args) => compare::run(args),
        #[cfg(not(feature = "train"))]
        Protocol::Finetune(_) => refuse("eval finetune", "train"),
        #[cfg(not(feature = "train"))]
        Protocol::PromptTuning(_) => refuse("eval prompt-tuning", "train"),
        #[cfg(not(feature = "train"))]
        Protocol::Runs(_) => refuse("eval runs", "train"),
        #[cfg(not(feature = "train"))]
        Protocol::Report(_) => refuse("eval report", "train"),
    }
}
