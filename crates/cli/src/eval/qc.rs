//! `medclip eval qc`: the intake checks of a bundle, fitted and measured on spoilt films.

use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::{Context, anyhow};
use clap::Args;
use medclip_core::bundle::Bundle;
use medclip_data::Split;
use medclip_protocols::{
    CheckFigures, CheckOptions, ChecksError, CleanFigures, SpoiltFigures, fit_checks, measure_checks,
};
use medclip_qc::LearnedChecks;

use super::args::{FilmArgs, outcome, parse_split, print};
use super::bar::Bar;
use crate::Outcome;
use crate::markdown::MarkdownTable;

/// How many clean films the intake checks stop, and how many spoilt ones
///
/// Films are spoilt in every way the suite knows: inverted, turned, cropped, and replaced by blanks, noise, drawings and
/// axial slices; lateral films of the manifest join them. `--keep` fits the learned checks of the bundle on the films of
/// `--fit-split` first and leaves them in it; without it those that the bundle holds are measured.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(crate) struct QcArgs {
    #[command(flatten)]
    films: FilmArgs,
    /// Fit the learned checks and keep them in the bundle, in place of earlier ones
    #[arg(long)]
    keep: bool,
    /// Fit on images of this split; may be repeated
    #[arg(long, value_parser = parse_split, default_value = "train")]
    fit_split: Vec<Split>,
    /// Measure on images of this split; may be repeated
    #[arg(long, value_parser = parse_split, default_value = "val")]
    split: Vec<Split>,
    /// Pictures that are no chest films, to measure on: files, or directories to search
    #[arg(long, value_name = "PATH")]
    pictures: Vec<PathBuf>,
    /// Films to spoil in every way, at most, of each split: four windows are cropped of each, and no more than 1,000 give their
    /// place to a picture of each kind
    #[arg(long, default_value_t = CheckOptions::default().spoil)]
    spoil: usize,
    /// Share of clean films that each learned check may stop; three times as many for parts of films and pictures that are none
    #[arg(long, default_value_t = CheckOptions::default().false_alarms)]
    false_alarms: f64,
    /// Inverse strength of the regularisation of the learned checks
    #[arg(long, default_value_t = CheckOptions::default().c)]
    c: f64,
    /// Seed of everything drawn
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Print one JSON object instead of a Markdown table
    #[arg(long)]
    json: bool,
}

const EXAMPLE: &str = "\
Example:
  medclip eval qc films/manifest.csv --model models/medclip-edge --keep --pictures photographs/";

pub(crate) fn run(args: QcArgs) -> anyhow::Result<Outcome> {
    let options = CheckOptions {
        fit_splits: args.fit_split,
        splits: args.split,
        pictures: args.pictures,
        spoil: args.spoil,
        false_alarms: args.false_alarms,
        c: args.c,
        seed: args.seed,
    };
    let (evaluator, mut bar) = (args.films.open()?, Bar::new());
    let found = if args.keep {
        let (checks, found) = fit_checks(&evaluator, &options, &mut bar)?;
        keep(evaluator.model().bundle(), &checks)?;
        found
    } else {
        measure_checks(&evaluator, &options, &mut bar).map_err(|error| match error {
            ChecksError::NoChecks { .. } => anyhow!("{error}: --keep fits them"),
            other => other.into(),
        })?
    };
    print(args.json, &found, |out| write_markdown(&found, out))?;
    Ok(outcome(found.failed))
}

/// Leaves the checks in the bundle.
fn keep(bundle: &Bundle, checks: &LearnedChecks) -> anyhow::Result<()> {
    let bytes = checks.head().to_bytes()?;
    let mut bundle = Bundle::open(bundle.directory())?;
    bundle.keep_intake(&bytes).context("cannot keep the checks")
}

fn write_markdown(found: &CheckFigures, out: &mut impl Write) -> io::Result<()> {
    let CleanFigures { images, patients, stopped, by_code } = &found.clean;
    let share = |part: usize, of: usize| part as f64 / of.max(1) as f64;
    writeln!(
        out,
        "{}: of {images} clean frontal films of {patients} patients {stopped} are stopped ({:.2} %).",
        found.model,
        100.0 * share(*stopped, *images)
    )?;
    if !by_code.is_empty() {
        let alarms: Vec<_> =
            by_code.iter().map(|alarm| format!("{} {}", alarm.code, alarm.stopped)).collect();
        writeln!(out, "By code: {}.", alarms.join(", "))?;
    }
    writeln!(out)?;
    let mut table = MarkdownTable::new(&["films", "code", "images", "found", "named"], 2);
    for SpoiltFigures { name, code, images, found, named } in &found.groups {
        let [found, named] = [found, named].map(|part| format!("{:.3}", share(*part, *images)));
        table.row(&[name.clone(), format!("`{code}`"), images.to_string(), found, named]);
    }
    table.write(out)?;
    writeln!(out, "\nFound: any code; named: the code of the row among them.")
}
