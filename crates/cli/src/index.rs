//! `medclip index`: the films of an archive, found by image or by sentence.

mod build;
mod query;

use clap::{Args, Subcommand};

use crate::Outcome;

/// Search an archive by image or sentence
#[derive(Debug, Args)]
pub(crate) struct IndexArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Build(build::BuildArgs),
    Query(query::QueryArgs),
}

pub(crate) fn run(args: IndexArgs) -> anyhow::Result<Outcome> {
    match args.command {
        Command::Build(args) => build::run(args),
        Command::Query(args) => query::run(args),
    }
}
