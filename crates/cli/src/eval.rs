//! `medclip eval`: how well models do, one file a protocol.

mod cells;
mod compare;
mod exclusive;
mod films;
mod finetune;
mod labelled;
mod logits;
mod members;
mod plots;
mod probe;
mod prompt_tuning;
mod qc;
mod ranking;
mod report;
mod retrieval;
mod runs;
mod tuning;
mod zero_shot;

use clap::{Args, Subcommand};

use crate::Outcome;

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
    Finetune(finetune::FinetuneArgs),
    PromptTuning(prompt_tuning::PromptTuningArgs),
    Qc(qc::QcArgs),
    Retrieval(retrieval::RetrievalArgs),
    Runs(runs::RunsArgs),
    Report(report::RunReportArgs),
    Compare(compare::CompareArgs),
}

pub(crate) fn run(args: EvalArgs) -> anyhow::Result<Outcome> {
    match args.protocol {
        Protocol::ZeroShot(args) => zero_shot::run(args),
        Protocol::Probe(args) => probe::run(args),
        Protocol::Finetune(args) => finetune::run(args),
        Protocol::PromptTuning(args) => prompt_tuning::run(args),
        Protocol::Qc(args) => qc::run(args),
        Protocol::Retrieval(args) => retrieval::run(args),
        Protocol::Runs(args) => runs::run(&args),
        Protocol::Report(args) => report::run(&args),
        Protocol::Compare(args) => compare::run(args),
    }
}
