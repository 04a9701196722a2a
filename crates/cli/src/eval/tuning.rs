//! What fine-tuning and prompt tuning share: arguments, and the table of a share.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;
use medclip_data::Split;
use medclip_protocols::{FilmSet, TooFewFilms, Tuning, TuningOptions, TuningShare};

use super::args::{ManifestArgs, ReportArgs, outcome, parse_fraction, parse_split};
use super::figures;
use crate::Outcome;

/// A checkpoint, and the films it is fitted to and tried on.
#[derive(Debug, Args)]
pub(super) struct TuningArgs {
    /// Checkpoint directory: weights.safetensors, model.toml, tokenizer.json
    checkpoint: PathBuf,
    #[command(flatten)]
    manifest: ManifestArgs,
    /// Fit on images of this split; may be repeated
    #[arg(long, value_parser = parse_split, default_value = "train")]
    fit_split: Vec<Split>,
    /// Evaluate on images of this split; may be repeated
    #[arg(long, value_parser = parse_split, default_value = "val")]
    split: Vec<Split>,
    /// Fit on this share of the patients, drawn with the seed; may be repeated for a data-efficiency curve, in which
    /// larger shares contain the smaller ones. Every share starts from the checkpoint
    #[arg(long, value_parser = parse_fraction, default_value = "1")]
    fraction: Vec<f64>,
    /// Leave out findings with fewer images of either outcome than this among those fitted on
    #[arg(long, value_name = "IMAGES", default_value_t = TuningOptions::default().least)]
    least: usize,
}

impl TuningArgs {
    /// The checkpoint's directory, the films and how to fit.
    pub(super) fn open(self, report: &ReportArgs) -> anyhow::Result<(PathBuf, FilmSet, TuningOptions)> {
        let options = TuningOptions {
            fit_splits: self.fit_split,
            splits: self.split,
            fractions: self.fraction,
            least: self.least,
            resampling: report.resampling(),
        };
        Ok((self.checkpoint, self.manifest.open()?, options))
    }
}

/// Prints the figures; `protocol` says what was done.
pub(super) fn print(found: &Tuning, protocol: &str, report: &ReportArgs) -> anyhow::Result<Outcome> {
    report.print(found, |out| write_markdown(found, protocol, out))?;
    Ok(outcome(found.failed + found.failed_to_fit))
}

/// A table a share.
fn write_markdown(found: &Tuning, protocol: &str, out: &mut impl Write) -> io::Result<()> {
    let Tuning { model, images, patients, resamples, seed, .. } = found;
    writeln!(
        out,
        "{model}: {images} images of {patients} patients, {protocol}; 95 % intervals from {resamples}"
    )?;
    writeln!(out, "resamples of patients (seed {seed}).")?;
    for share in &found.shares {
        let TuningShare { fraction, fitted_images, fitted_patients, not_fitted, losses, figures } = share;
        writeln!(
            out,
            "\nFitted on {fitted_images} images of {fitted_patients} patients (share {fraction}):\n"
        )?;
        figures::write(figures, out)?;
        let losses: Vec<String> = losses.iter().map(|loss| format!("{loss:.3}")).collect();
        writeln!(out, "\nLoss by epoch: {}.", losses.join(", "))?;
        for TooFewFilms { name, positives, negatives } in not_fitted {
            writeln!(out, "{name} left out: {positives} present, {negatives} absent.")?;
        }
    }
    if let Some(difference) = found.saved_difference {
        writeln!(out, "\nSaved; largest difference from the scores evaluated {difference:.1e}.")?;
    }
    Ok(())
}
