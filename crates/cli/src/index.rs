//! `medclip index`: the films of an archive, found by image or by sentence.

mod build;
mod query;

use clap::Subcommand;

use crate::Outcome;

/// Search an archive by image or sentence
#[derive(Debug, Subcommand)]
pub(crate) enum IndexArgs {
    Build(build::BuildArgs),
    Query(query::QueryArgs),
}

pub(crate) fn run(args: IndexArgs) -> anyhow::Result<Outcome> {
    match args {
        IndexArgs::Build(args) => build::run(&args),
        IndexArgs::Query(args) => query::run(args),
    }
}
