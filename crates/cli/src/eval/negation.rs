//! `medclip eval negation`: whether sentences that deny a finding are understood.

use std::path::PathBuf;

use clap::Args;
use medclip_core::PromptPooling;
use medclip_data::Split;
use medclip_protocols::{NegationOptions, PromptOptions, negation};

use crate::Outcome;
use crate::protocol::{Bar, FilmArgs, ReportArgs, pooling, split};

/// AUROC of every finding by the sentences that affirm it, by those that deny it, and by both
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(crate) struct NegationArgs {
    #[command(flatten)]
    films: FilmArgs,
    /// Only images of this split; may be repeated
    #[arg(long, value_name = "SPLIT", value_parser = split())]
    split: Vec<Split>,
    /// Prompts to evaluate in place of the bundle's, embedded by its text tower, each sentence alone
    #[arg(long, value_name = "FILE")]
    prompts: Option<PathBuf>,
    /// How a class's prompts become one logit: mean (the paper's) or max (the reference's) [default: the bundle's]
    #[arg(long, value_name = "HOW", value_parser = pooling())]
    pooling: Option<PromptPooling>,
    #[command(flatten)]
    report: ReportArgs,
}

const EXAMPLE: &str = "\
Example:
  medclip eval negation films/manifest.csv --split val --view frontal";

pub(crate) fn run(args: NegationArgs) -> anyhow::Result<Outcome> {
    let NegationArgs { films, split, prompts, pooling, report } = args;
    let prompts = PromptOptions { file: prompts, draws: None, pooling };
    let options = NegationOptions { splits: split, prompts, resampling: report.resampling() };
    report.print(&negation(&films.open()?, &options, &mut Bar::new())?)
}
