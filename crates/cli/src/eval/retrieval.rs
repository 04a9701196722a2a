//! `medclip eval retrieval`: which sentences and reports an image finds.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Args;
use medclip_core::Finding;
use medclip_data::Split;
use medclip_protocols::{Pool, RetrievalOptions, retrieval};

use crate::Outcome;
use crate::protocol::{Bar, FilmArgs, ReportArgs, split};
use crate::values::one_of;

/// Precision of the sentences an image retrieves, and the rank of its own report
///
/// Sentences: queries are the images with exactly one of the classes present and every other annotated absent; a blank
/// or uncertain one leaves the image out. Candidates are equally many sentences of each class, so that chance is 1 in the
/// number of classes. A sentence is right when its class is the image's. The mean is over classes, each weighing the
/// same.
///
/// Own report: where the manifest or `--reports` has texts, every image with one is a query and the distinct
/// reports of the chosen images are the candidates, each by the mean embedding of its sentences.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(crate) struct RetrievalArgs {
    #[command(flatten)]
    films: FilmArgs,
    /// Only images of this split, and their reports; may be repeated
    #[arg(long, value_name = "SPLIT", value_parser = split())]
    split: Vec<Split>,
    /// Reports (CSV): `id`, which is the manifest's `patient_id`, and `text`; for images whose row has no text
    #[arg(long, value_name = "FILE")]
    reports: Option<PathBuf>,
    /// Where the sentences come from [default: reports where any image has one, else prompts]
    #[arg(long, value_name = "POOL", value_parser = one_of(&Pool::ALL, Pool::name))]
    pool: Option<Pool>,
    /// A class; may be repeated [default: the five of CheXpert-5x200]
    #[arg(long, value_name = "FINDING")]
    class: Vec<Finding>,
    /// Sentences of each class, drawn with the seed; a class that has fewer is left out [default: as many as the class
    /// with the fewest has]
    #[arg(long, value_name = "N")]
    sentences_per_class: Option<NonZeroUsize>,
    #[command(flatten)]
    report: ReportArgs,
}

const EXAMPLE: &str = "\
Example:
  medclip eval retrieval films/manifest.csv --split val --view frontal --reports films/reports.csv";

pub(crate) fn run(args: RetrievalArgs) -> anyhow::Result<Outcome> {
    let options = RetrievalOptions {
        splits: args.split,
        reports: args.reports,
        pool: args.pool,
        classes: args.class,
        sentences_per_class: args.sentences_per_class,
        resampling: args.report.resampling(),
    };
    let found = retrieval(&args.films.open()?, &options, &mut Bar::new())?;
    args.report.print(&found)
}
