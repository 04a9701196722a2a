//! `medclip eval probe`: how much a linear classifier finds in the embeddings of a frozen image tower.

use clap::Args;
use medclip_protocols::{Probe, ProbeOptions, probe};

use crate::Outcome;
use crate::protocol::{Bar, FilmArgs, PlotArgs, ReportArgs, ShareArgs};

/// AUROC and average precision of logistic regressions fitted on the frozen image tower's embeddings
///
/// One classifier a finding, on the films where that finding is annotated; a blank or uncertain one is left out, never
/// read as absent. Features are standardized on the films fitted on. C is the one of 1e-5, 1e-4, …, 1 with the least
/// held-out log-loss over five folds of the fitted patients. A finding with too few patients for that has no classifier
/// and is named.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(crate) struct ProbeArgs {
    #[command(flatten)]
    films: FilmArgs,
    #[command(flatten)]
    shares: ShareArgs,
    #[command(flatten)]
    plots: PlotArgs,
    #[command(flatten)]
    report: ReportArgs,
}

const EXAMPLE: &str = "\
Example:
  medclip eval probe films/manifest.csv --view frontal --fraction 0.1 --fraction 1 --plots charts";

pub(crate) fn run(args: ProbeArgs) -> anyhow::Result<Outcome> {
    args.run(|_| Ok(()))
}

impl ProbeArgs {
    /// Fits and measures; `keep` takes what was fitted before anything is printed.
    pub(crate) fn run(self, keep: impl FnOnce(&Probe) -> anyhow::Result<()>) -> anyhow::Result<Outcome> {
        self.plots.prepare()?;
        let options = ProbeOptions {
            fit_splits: self.shares.fit_split,
            splits: self.shares.split,
            fractions: self.shares.fraction,
            charts: self.plots.are_wanted(),
            resampling: self.report.resampling(),
        };
        let found = probe(&self.films.open()?, &options, &mut Bar::new())?;
        keep(&found)?;
        self.plots.write(&found)?;
        self.report.print(&found)
    }
}
