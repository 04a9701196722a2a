//! `medclip runs`: what trainings have come to.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, Subcommand};
use medclip_core::terminal::Escaped;
use medclip_protocols::{Labeled, compare_runs};
use medclip_train::report;

use crate::Outcome;
use crate::output::locked_stdout;
use crate::protocol::FormatArgs;

/// Report on training runs
#[derive(Debug, Subcommand)]
pub(crate) enum RunsArgs {
    Compare(CompareArgs),
    Report(ReportArgs),
}

/// AUROC at the end of training runs, side by side
///
/// Runs under one label share a column, which gives their mean and standard deviation: seeds or folds of one setting.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(crate) struct CompareArgs {
    /// Output directories of medclip train, each with the label of its column
    #[arg(required = true, value_name = "[LABEL=]DIR")]
    runs: Vec<Labeled>,
    /// Set that the runs were evaluated on
    #[arg(long, value_name = "SET", default_value = "val")]
    evaluation: String,
    #[command(flatten)]
    format: FormatArgs,
}

const EXAMPLE: &str = "\
Example:
  medclip runs compare matching=runs/sm-1 matching=runs/sm-2 InfoNCE=runs/nce-1 InfoNCE=runs/nce-2";

/// Write the page of a training run again
///
/// The page is report.html in the directory of the run, made from its log.jsonl: settings, curves, evaluations, skipped images, time and throughput; it opens offline. medclip train
/// writes it at every evaluation; this one also serves a run that is under way or was stopped. Prints where the page is.
#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// Output directory of medclip train
    #[arg(value_name = "DIR")]
    run: PathBuf,
}

pub(crate) fn run(args: RunsArgs) -> anyhow::Result<Outcome> {
    match args {
        RunsArgs::Compare(CompareArgs { runs, evaluation, format }) => {
            format.print(&compare_runs(&runs, &evaluation)?)
        }
        RunsArgs::Report(ReportArgs { run }) => {
            let path = report::write(&run).context("cannot write the report")?;
            writeln!(locked_stdout(), "{}", Escaped(path.display()))?;
            Ok(Outcome::Complete)
        }
    }
}
