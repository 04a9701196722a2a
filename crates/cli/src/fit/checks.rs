//! `medclip fit checks`: the learned checks of a bundle.

use anyhow::{Context, ensure};
use clap::Args;
use medclip_core::bundle::Bundle;
use medclip_protocols::{CheckOptions, fit_checks};

use crate::Outcome;
use crate::eval::qc::QcArgs;
use crate::protocol::Bar;

/// Fit the learned checks of a bundle on spoilt films, and keep them in it
///
/// Films are spoilt and measured as by medclip eval qc. The model's id and its scores stay as they are.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(crate) struct FitChecksArgs {
    #[command(flatten)]
    measured: QcArgs,
    /// Share of clean films that each learned check may stop; three times as many for parts of films and pictures that are none
    #[arg(long, value_name = "SHARE", default_value_t = CheckOptions::default().false_alarms)]
    false_alarms: f64,
    /// Inverse strength of the regularization of the learned checks
    #[arg(long, value_name = "C", default_value_t = CheckOptions::default().c)]
    c: f64,
    /// Replace the learned checks that the bundle holds
    #[arg(long)]
    replace: bool,
}

const EXAMPLE: &str = "\
Example:
  medclip fit checks films/manifest.csv --model models/medclip-edge --pictures photographs/ --replace";

pub(crate) fn run(args: FitChecksArgs) -> anyhow::Result<Outcome> {
    let FitChecksArgs { measured, false_alarms, c, replace } = args;
    let (films, options, format) = measured.open()?;
    let directory = films.model().bundle().directory();
    ensure!(
        replace || films.model().bundle().intake().is_none(),
        "{} holds learned checks already; --replace replaces them",
        directory.display()
    );
    let options = CheckOptions { false_alarms, c, ..options };
    let (checks, found) = fit_checks(&films, &options, &mut Bar::new())?;
    let bytes = checks.head().to_bytes()?;
    Bundle::open(directory)?.keep_intake(&bytes).context("cannot keep the checks")?;
    format.print(&found)
}
