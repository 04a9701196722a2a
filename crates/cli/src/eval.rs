//! `medclip eval`: how well models do, one file a protocol.

mod cells;
mod compare;
mod exclusive;
mod films;
mod labelled;
mod logits;
mod members;
mod probe;
mod ranking;
mod retrieval;
mod runs;
mod zero_shot;

use clap::{Args, Subcommand};

use crate::Outcome;

/// Evaluate bundles on annotated images, or compare training runs
#[derive(Debug, Args)]
pub(crate) struct EvalArgs {
    #[command(subcommand)]
    protocol: Protocol,
}

#[derive(Debug, Subcommand)]
enum Protocol {
    ZeroShot(zero_shot::ZeroShotArgs),
    Probe(probe::ProbeArgs),
    Retrieval(retrieval::RetrievalArgs),
    Runs(runs::RunsArgs),
    Compare(compare::CompareArgs),
}

pub(crate) fn run(args: EvalArgs) -> anyhow::Result<Outcome> {
    match args.protocol {
        Protocol::ZeroShot(args) => zero_shot::run(args),
        Protocol::Probe(args) => probe::run(args),
        Protocol::Retrieval(args) => retrieval::run(args),
        Protocol::Runs(args) => runs::run(&args),
        Protocol::Compare(args) => compare::run(args),
    }
}
