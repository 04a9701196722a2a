//! `medclip data`: public data sets as manifests.

mod choices;
mod prepare;

use clap::Subcommand;

use crate::Outcome;

/// Make manifests of public data sets
#[derive(Debug, Subcommand)]
pub(crate) enum DataArgs {
    Prepare(prepare::PrepareArgs),
}

pub(crate) fn run(DataArgs::Prepare(args): &DataArgs) -> anyhow::Result<Outcome> {
    prepare::run(args)
}
