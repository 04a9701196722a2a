//! `medclip eval qc`: the checks of a bundle, measured on spoilt films.

use std::path::PathBuf;

use anyhow::anyhow;
use clap::Args;
use medclip_data::Split;
use medclip_protocols::{CheckOptions, ChecksError, Evaluator, measure_checks};

use crate::Outcome;
use crate::protocol::{Bar, FilmArgs, FormatArgs, split};

/// How many clean films the checks of a bundle stop, and how many spoilt ones
///
/// Films are spoilt in every way the suite knows: inverted, turned, cropped, and replaced by blanks, noise, drawings and
/// axial slices; lateral films of the manifest join them. medclip fit checks fits what is measured here.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(crate) struct QcArgs {
    #[command(flatten)]
    films: FilmArgs,
    /// Split that the learned checks are fitted on: no patient of it may be measured on; may be repeated
    #[arg(long, value_name = "SPLIT", value_parser = split(), default_value = "train")]
    fit_split: Vec<Split>,
    /// Measure on images of this split; may be repeated
    #[arg(long, value_name = "SPLIT", value_parser = split(), default_value = "val")]
    split: Vec<Split>,
    /// Pictures that are no chest films, to measure on: files, or directories to search
    #[arg(long, value_name = "PATH")]
    pictures: Vec<PathBuf>,
    /// Films to spoil in every way, at most, of each split: four windows are cropped of each, and no more than 1,000 give their
    /// place to a picture of each kind
    #[arg(long, value_name = "N", default_value_t = CheckOptions::default().spoil)]
    spoil: usize,
    /// Seed of everything drawn
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    #[command(flatten)]
    format: FormatArgs,
}

const EXAMPLE: &str = "\
Example:
  medclip eval qc films/manifest.csv --model models/medclip-edge --pictures photographs/";

pub(crate) fn run(args: QcArgs) -> anyhow::Result<Outcome> {
    let (films, options, format) = args.open()?;
    let found = measure_checks(&films, &options, &mut Bar::new()).map_err(|error| match error {
        ChecksError::NoChecks { .. } => anyhow!("{error}: `medclip fit checks` fits them"),
        other => other.into(),
    })?;
    format.print(&found)
}

impl QcArgs {
    /// The model with its films, how to measure, and how to print what was found.
    pub(crate) fn open(self) -> anyhow::Result<(Evaluator, CheckOptions, FormatArgs)> {
        let options = CheckOptions {
            fit_splits: self.fit_split,
            splits: self.split,
            pictures: self.pictures,
            spoil: self.spoil,
            seed: self.seed,
            ..CheckOptions::default()
        };
        Ok((self.films.open()?, options, self.format))
    }
}
