//! `medclip eval maps`: whether maps point at what radiologists marked.

use std::path::PathBuf;

use clap::Args;
use medclip_data::Split;
use medclip_protocols::{MapsOptions, maps};

use crate::Outcome;
use crate::protocol::{Bar, FilmArgs, ReportArgs, split};

/// The pointing game of class-activation maps, compared with the best point that sees no image
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(crate) struct MapsArgs {
    #[command(flatten)]
    films: FilmArgs,
    /// Boxes (CSV or Parquet): path as in the manifest, label, x, y, w, h in pixels of the file, perhaps annotator
    #[arg(long, value_name = "FILE")]
    boxes: PathBuf,
    /// Only boxes of this annotator; may be repeated
    #[arg(long, value_name = "NAME")]
    annotator: Vec<String>,
    /// Only images of this split; may be repeated
    #[arg(long, value_name = "SPLIT", value_parser = split())]
    split: Vec<Split>,
    /// Also make maps by covering parts of each image: slow, and independent of how the model is built
    #[arg(long)]
    occlusion: bool,
    #[command(flatten)]
    report: ReportArgs,
}

const EXAMPLE: &str = "\
Example:
  medclip eval maps films/manifest.csv --boxes films/boxes.csv --annotator rsna";

pub(crate) fn run(args: MapsArgs) -> anyhow::Result<Outcome> {
    let MapsArgs { films, boxes, annotator, split, occlusion, report } = args;
    let resampling = report.resampling();
    let options = MapsOptions { boxes, annotators: annotator, splits: split, occlusion, resampling };
    report.print(&maps(&films.open()?, &options, &mut Bar::new())?)
}
