//! `medclip data`: public data sets as manifests.

mod choices;
mod prepare;
mod summary;

use clap::{Args, Subcommand};

use crate::Outcome;

/// Make manifests of public data sets
#[derive(Debug, Args)]
pub(crate) struct DataArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Prepare(prepare::PrepareArgs),
}

pub(crate) fn run(args: DataArgs) -> anyhow::Result<Outcome> {
    match args.command {
        Command::Prepare(args) => prepare::run(&args),
    }
}
