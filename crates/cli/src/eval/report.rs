//! `medclip eval report`: the page of a training run.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use medclip_core::terminal::Escaped;
use medclip_train::report;

use crate::Outcome;
use crate::output::locked_stdout;

/// Write the report of a training run again: `DIR/report.html`, from `DIR/log.jsonl`
///
/// Settings, curves, evaluations, skipped images, time and throughput on one page that opens offline. `medclip train`
/// writes it at every evaluation; this one also serves a run that is under way or was stopped. Prints where the page is.
#[derive(Debug, Args)]
pub(crate) struct RunReportArgs {
    /// Output directory of `medclip train`
    #[arg(value_name = "DIR")]
    run: PathBuf,
}

pub(crate) fn run(args: &RunReportArgs) -> anyhow::Result<Outcome> {
    let path = report::write(&args.run).context("cannot write the report")?;
    writeln!(locked_stdout(), "{}", Escaped(path.display()))?;
    Ok(Outcome::Complete)
}
