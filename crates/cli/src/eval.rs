//! `medclip eval`: how well models do, one file a protocol. Nothing that is measured changes a bundle.

mod benchmark;
mod compare;
#[cfg(feature = "train")]
pub(crate) mod finetune;
mod maps;
mod negation;
pub(crate) mod probe;
#[cfg(feature = "train")]
pub(crate) mod prompt_tuning;
pub(crate) mod qc;
mod retrieval;
mod zero_shot;

use clap::{Args, Subcommand};

use crate::Outcome;
#[cfg(not(feature = "train"))]
use crate::missing::{eval_finetune as finetune, eval_prompt_tuning as prompt_tuning};

/// Measure models on annotated images, as they are or fitted to them; nothing is kept
#[derive(Debug, Args)]
pub(crate) struct EvalArgs {
    #[command(subcommand)]
    protocol: Protocol,
}

#[derive(Debug, Subcommand)]
enum Protocol {
    ZeroShot(zero_shot::ZeroShotArgs),
    Benchmark(benchmark::BenchmarkArgs),
    Negation(negation::NegationArgs),
    Maps(maps::MapsArgs),
    Retrieval(retrieval::RetrievalArgs),
    Probe(probe::ProbeArgs),
    Finetune(finetune::FinetuneArgs),
    PromptTuning(prompt_tuning::PromptTuningArgs),
    Qc(qc::QcArgs),
    Compare(compare::CompareArgs),
}

pub(crate) fn run(args: EvalArgs) -> anyhow::Result<Outcome> {
    match args.protocol {
        Protocol::ZeroShot(args) => zero_shot::run(args),
        Protocol::Benchmark(args) => benchmark::run(args),
        Protocol::Negation(args) => negation::run(args),
        Protocol::Maps(args) => maps::run(args),
        Protocol::Retrieval(args) => retrieval::run(args),
        Protocol::Probe(args) => probe::run(args),
        Protocol::Finetune(args) => finetune::run(args),
        Protocol::PromptTuning(args) => prompt_tuning::run(args),
        Protocol::Qc(args) => qc::run(args),
        Protocol::Compare(args) => compare::run(args),
    }
}
