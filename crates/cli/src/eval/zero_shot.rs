//! `medclip eval zero-shot`: how well a bundle does on annotated images by prompts alone.

mod prompts;

use anyhow::{Context, bail};
use clap::Args;
use medclip_data::Split;
use medclip_protocols::{ZeroShotError, ZeroShotOptions, zero_shot};

use crate::Outcome;
use crate::protocol::{Bar, FilmArgs, PlotArgs, ReportArgs, split};
use prompts::{BalancedArgs, PromptArgs};

/// AUROC and average precision of every finding from prompts alone, with bootstrap intervals by patient
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ZeroShotArgs {
    #[command(flatten)]
    films: FilmArgs,
    /// Only images of this split; may be repeated
    #[arg(long, value_name = "SPLIT", value_parser = split())]
    split: Vec<Split>,
    #[command(flatten)]
    prompts: PromptArgs,
    #[command(flatten)]
    balanced: BalancedArgs,
    #[command(flatten)]
    plots: PlotArgs,
    #[command(flatten)]
    report: ReportArgs,
}

const EXAMPLES: &str = "\
Examples:
  medclip eval zero-shot films/manifest.csv --split val --view frontal
  medclip eval zero-shot films/manifest.csv --prompts models/prompts/chest-xray-templates.toml --draws 5 --per-class 10
  medclip eval zero-shot films/manifest.csv --balanced 200";

pub(crate) fn run(args: ZeroShotArgs) -> anyhow::Result<Outcome> {
    let ZeroShotArgs { films, split, prompts, balanced, plots, report } = args;
    if prompts.are_drawn() && plots.are_wanted() {
        bail!("--plots shows one ensemble of prompts; leave out --draws");
    }
    plots.prepare()?;
    let options = ZeroShotOptions {
        splits: split,
        prompts: prompts.options(),
        balanced: balanced.options(),
        charts: plots.are_wanted(),
        resampling: report.resampling(),
    };
    let found = match zero_shot(&films.open()?, &options, &mut Bar::new()) {
        Err(error @ ZeroShotError::Balance(_)) => Err(error).context("--balanced"),
        other => Ok(other?),
    }?;
    plots.write(&found)?;
    report.print(&found)
}
