//! How results are printed, and where charts go.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use medclip_protocols::{Measured, Resampling};

use crate::Outcome;
use crate::output::{ReportFormat, locked_stdout, write_json_line};

/// How results are printed.
#[derive(Debug, Args)]
pub(crate) struct FormatArgs {
    /// Output format
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: ReportFormat,
}

impl FormatArgs {
    /// Prints what was found: one JSON object, or Markdown.
    ///
    /// # Errors
    /// When standard output cannot be written.
    pub(crate) fn print(&self, found: &impl Measured) -> anyhow::Result<Outcome> {
        let mut out = locked_stdout();
        if matches!(self.format, ReportFormat::Json) {
            write_json_line(&mut out, found)?;
        } else {
            write!(out, "{}", found.sheet())?;
        }
        Ok(Outcome::failed_if(found.failed() > 0))
    }
}

/// How intervals are made and results printed.
#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// Patients drawn this many times for the 95 % intervals
    #[arg(long, value_name = "N", default_value_t = Resampling::default().resamples)]
    resamples: usize,
    /// Seed of everything drawn
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) seed: u64,
    #[command(flatten)]
    format: FormatArgs,
}

impl ReportArgs {
    pub(crate) const fn resampling(&self) -> Resampling {
        Resampling { resamples: self.resamples, seed: self.seed }
    }

    /// Prints what was found.
    ///
    /// # Errors
    /// As [`FormatArgs::print`].
    pub(crate) fn print(&self, found: &impl Measured) -> anyhow::Result<Outcome> {
        self.format.print(found)
    }
}

/// Where charts go.
#[derive(Debug, Args)]
pub(crate) struct PlotArgs {
    /// Draw charts into this directory, as SVG files
    #[arg(long, value_name = "DIR")]
    plots: Option<PathBuf>,
}

impl PlotArgs {
    /// Whether charts were asked for.
    pub(crate) const fn are_wanted(&self) -> bool {
        self.plots.is_some()
    }

    /// Makes the directory, so that a place that cannot be written to is refused before any work.
    pub(crate) fn prepare(&self) -> anyhow::Result<()> {
        let Some(directory) = &self.plots else { return Ok(()) };
        fs::create_dir_all(directory).with_context(|| format!("cannot make {}", directory.display()))
    }

    /// Writes the charts into it.
    pub(crate) fn write(&self, found: &impl Measured) -> anyhow::Result<()> {
        let Some(directory) = &self.plots else { return Ok(()) };
        found.charts().iter().try_for_each(|chart| chart.write(directory)).context("cannot write a chart")
    }
}
