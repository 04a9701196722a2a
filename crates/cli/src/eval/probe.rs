//! `medclip eval probe`: how much a linear classifier finds in the embeddings of a frozen image tower.

use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use medclip_data::Split;
use medclip_files::replace_file;
use medclip_protocols::{ChosenC, NotFitted, Probe, ProbeOptions, ProbeShare, Subject, probe};

use super::args::{FilmArgs, PlotArgs, ReportArgs, outcome, parse_fraction, parse_split, refuse_existing};
use super::bar::Bar;
use super::figures;
use crate::Outcome;

/// AUROC and average precision of logistic regressions fitted on the frozen image tower's embeddings
///
/// One classifier a finding, on the films where that finding is annotated; a blank or uncertain one is left out, never
/// read as absent. Features are standardised on the films fitted on. C is the one of 1e-5, 1e-4, …, 1 with the least
/// held-out log-loss over five folds of the fitted patients. A finding with too few patients for that has no classifier
/// and is named.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(crate) struct ProbeArgs {
    #[command(flatten)]
    films: FilmArgs,
    /// Fit on images of this split; may be repeated
    #[arg(long, value_parser = parse_split, default_value = "train")]
    fit_split: Vec<Split>,
    /// Evaluate on images of this split; may be repeated
    #[arg(long, value_parser = parse_split, default_value = "val")]
    split: Vec<Split>,
    /// Fit on this share of the patients, drawn with the seed; may be repeated for a data-efficiency curve, in which
    /// larger shares contain the smaller ones
    #[arg(long, value_parser = parse_fraction, default_value = "1")]
    fraction: Vec<f64>,
    /// Write the classifiers of the last share here, for `medclip score --head`
    #[arg(long, value_name = "HEAD.safetensors")]
    save: Option<PathBuf>,
    #[command(flatten)]
    plots: PlotArgs,
    #[command(flatten)]
    report: ReportArgs,
}

const EXAMPLE: &str = "\
Example:
  medclip eval probe films/manifest.csv --view frontal --fraction 0.1 --fraction 1 --save head.safetensors";

pub(crate) fn run(args: ProbeArgs) -> anyhow::Result<Outcome> {
    refuse_existing(args.save.as_deref())?;
    args.plots.prepare()?;
    let options = ProbeOptions {
        fit_splits: args.fit_split,
        splits: args.split,
        fractions: args.fraction,
        charts: args.plots.are_wanted(),
        resampling: args.report.resampling(),
    };
    let found = probe(&args.films.open()?, &options, &mut Bar::new())?;
    if let Some(file) = &args.save {
        replace_file(file, &found.head.to_bytes()?).context("cannot write the head")?;
    }
    args.plots.write(&found.charts)?;
    args.report.print(&found, |out| write_markdown(&found, out))?;
    Ok(outcome(found.subject.failed + found.failed_to_fit))
}

fn write_markdown(found: &Probe, out: &mut impl Write) -> io::Result<()> {
    let Subject { model, images, patients, resamples, seed, .. } = &found.subject;
    writeln!(
        out,
        "{model}: {images} images of {patients} patients, linear probe; 95 % intervals from {resamples}"
    )?;
    writeln!(out, "resamples of patients (seed {seed}).")?;
    for share in &found.shares {
        let ProbeShare { fraction, fitted_images, fitted_patients, regularisation, not_fitted, figures } =
            share;
        writeln!(
            out,
            "\nFitted on {fitted_images} images of {fitted_patients} patients (share {fraction}):\n"
        )?;
        figures::write(figures, out)?;
        let chosen: Vec<String> =
            regularisation.iter().map(|ChosenC { name, c }| format!("{name} {c:e}")).collect();
        writeln!(out, "\nC: {}.", chosen.join(", "))?;
        for NotFitted { name, reason } in not_fitted {
            writeln!(out, "No classifier of {name}: {reason}.")?;
        }
    }
    Ok(())
}
