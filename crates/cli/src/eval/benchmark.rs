//! `medclip eval benchmark`: the zero-shot benchmarks of the MedCLIP paper on a copy of each data set.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Args;
use medclip_core::PromptPooling;
use medclip_data::Split;
use medclip_protocols::{Benchmark, BenchmarkOptions, DrawOptions, benchmark};

use crate::Outcome;
use crate::protocol::{Bar, FilmArgs, ReportArgs, split};
use crate::values::{named, one_of};

/// Accuracy and AUROC of the MedCLIP paper's zero-shot benchmarks, on your copy of the data set
///
/// Films are drawn with the seed, equally many of each class: for the two 5x200 frontal films that show one of five findings and
/// nothing else, for rsna pneumonia and none, for covid COVID-19 and normal. The class whose prompts are nearest is chosen.
/// Figures are means over five draws of ten sentences a class, with intervals by patient.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct BenchmarkArgs {
    /// Benchmark
    #[arg(value_name = "NAME", value_parser = named::<Benchmark>(&Benchmark::ALL.map(Benchmark::name)))]
    benchmark: Benchmark,
    #[command(flatten)]
    films: FilmArgs,
    /// Only images of this split; may be repeated
    #[arg(long, value_name = "SPLIT", value_parser = split())]
    split: Vec<Split>,
    /// Films of each class [default: 200 of the two 5x200, 1769 of rsna, 1500 of covid]
    #[arg(long, value_name = "N")]
    films_per_class: Option<NonZeroUsize>,
    /// Prompts in place of those that come with the benchmarks, embedded by the bundle's text tower
    #[arg(long, value_name = "FILE")]
    prompts: Option<PathBuf>,
    /// Draw the prompts this many times
    #[arg(long, value_name = "N", default_value = "5")]
    draws: NonZeroUsize,
    /// Sentences of each class in a draw; all of them where there are fewer
    #[arg(long, value_name = "N", default_value = "10")]
    per_class: NonZeroUsize,
    /// How a class's prompts become one logit: mean (the paper's) or max (the reference's) [default: the bundle's]
    #[arg(long, value_name = "HOW", value_parser = one_of(&PromptPooling::ALL, PromptPooling::name))]
    pooling: Option<PromptPooling>,
    #[command(flatten)]
    report: ReportArgs,
}

const EXAMPLES: &str = "\
Examples:
  medclip data prepare chexpert CheXpert -o chexpert.csv --uncertain uncertain
  medclip eval benchmark chexpert-5x200 chexpert.csv --images CheXpert";

pub(crate) fn run(args: BenchmarkArgs) -> anyhow::Result<Outcome> {
    let options = BenchmarkOptions {
        per_class: args.films_per_class,
        splits: args.split,
        prompts: args.prompts,
        pooling: args.pooling,
        draws: DrawOptions { count: args.draws, per_class: args.per_class },
        resampling: args.report.resampling(),
    };
    let found = benchmark(&args.films.open()?, args.benchmark, &options, &mut Bar::new())?;
    args.report.print(&found)
}
