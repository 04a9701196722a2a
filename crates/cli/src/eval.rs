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

use clap::Subcommand;

use crate::Outcome;
#[cfg(not(feature = "train"))]
use crate::missing::{eval_finetune as finetune, eval_prompt_tuning as prompt_tuning};

/// Measure models on annotated images, as they are or fitted to them; nothing is kept
#[derive(Debug, Subcommand)]
pub(crate) enum EvalArgs {
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
    match args {
        EvalArgs::ZeroShot(args) => zero_shot::run(args),
        EvalArgs::Benchmark(args) => benchmark::run(args),
        EvalArgs::Negation(args) => negation::run(args),
        EvalArgs::Maps(args) => maps::run(args),
        EvalArgs::Retrieval(args) => retrieval::run(args),
        EvalArgs::Probe(args) => probe::run(args),
        EvalArgs::Finetune(args) => finetune::run(args),
        EvalArgs::PromptTuning(args) => prompt_tuning::run(args),
        EvalArgs::Qc(args) => qc::run(args),
        EvalArgs::Compare(args) => compare::run(args),
    }
}
