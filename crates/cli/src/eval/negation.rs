//! `medclip eval negation`: whether sentences that deny a finding are understood.

use clap::Args;
use medclip_data::Split;
use medclip_protocols::{NegationOptions, negation};

use crate::Outcome;
use crate::protocol::{Bar, FilmArgs, PromptSourceArgs, ReportArgs, split};

/// AUROC of every finding by the sentences that affirm it, by those that deny it, and by both
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(crate) struct NegationArgs {
    #[command(flatten)]
    films: FilmArgs,
    /// Only images of this split; may be repeated
    #[arg(long, value_name = "SPLIT", value_parser = split())]
    split: Vec<Split>,
    #[command(flatten)]
    prompts: PromptSourceArgs,
    #[command(flatten)]
    report: ReportArgs,
}

const EXAMPLE: &str = "\
Example:
  medclip eval negation films/manifest.csv --split val --view frontal";

pub(crate) fn run(args: NegationArgs) -> anyhow::Result<Outcome> {
    let NegationArgs { films, split, prompts, report } = args;
    let (prompts, resampling) = (prompts.options(), report.resampling());
    let options = NegationOptions { splits: split, prompts, resampling };
    report.print(&negation(&films.open()?, &options, &mut Bar::new())?)
}
