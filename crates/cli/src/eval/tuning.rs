//! What fine-tuning and prompt tuning share: films to fit on, films to evaluate on, and the report.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Args;
use medclip_core::bundle::sha256_of_file;
use medclip_data::{Record, Split};
use medclip_stats::grouped_share;
use medclip_train::checkpoint::StoredModel;
use medclip_train::data::BadImage;
use medclip_train::tuning::{Films, LeftOut, Targets};
use serde::Serialize;

use super::films::{Manifest, ManifestArgs, ReportArgs, parse_split};
use super::probe::parse_fraction;
use super::ranking::{Figures, Ranking};
use crate::{Outcome, report_error};

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
    pub(super) fraction: Vec<f64>,
    /// Leave out findings with fewer images of either outcome than this among those fitted on
    #[arg(long, value_name = "IMAGES", default_value_t = 5)]
    least: usize,
}

/// The same, read.
pub(super) struct Tuning {
    pub(super) start: StoredModel,
    pub(super) manifest: Manifest,
    weights_sha256: String,
    fit_split: Vec<Split>,
    split: Vec<Split>,
    least: usize,
}

/// What is printed as JSON.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    model: String,
    /// SHA-256 of the checkpoint's weights.
    weights: String,
    images: usize,
    patients: usize,
    failed: usize,
    /// Films to fit on that could not be read.
    failed_to_fit: usize,
    resamples: usize,
    seed: u64,
    shares: Vec<Share>,
    /// Largest difference between the scores evaluated and those of what was saved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) saved_difference: Option<f32>,
}

/// What the fit on one share of the patients does.
#[derive(Debug, Serialize)]
struct Share {
    fraction: f64,
    fitted_images: usize,
    fitted_patients: usize,
    not_fitted: Vec<NotFitted>,
    /// Mean loss of each epoch, in nats.
    losses: Vec<f64>,
    #[serde(flatten)]
    figures: Figures,
}

#[derive(Debug, Serialize)]
struct NotFitted {
    name: &'static str,
    positives: usize,
    negatives: usize,
}

impl TuningArgs {
    /// Reads the checkpoint and the manifest.
    pub(super) fn open(self) -> anyhow::Result<(Tuning, Vec<f64>)> {
        let start = StoredModel::open(&self.checkpoint).context("cannot use the checkpoint")?;
        let path = start.weights_path();
        let weights_sha256 = sha256_of_file(&path).with_context(|| path.display().to_string())?;
        let manifest = self.manifest.open()?;
        let Self { fit_split, split, least, fraction, .. } = self;
        Ok((Tuning { start, manifest, weights_sha256, fit_split, split, least }, fraction))
    }
}

impl Tuning {
    /// Films to fit on and films to evaluate on, which share no patient.
    pub(super) fn chosen(&self) -> anyhow::Result<[Vec<&Record>; 2]> {
        let fit = self.manifest.chosen("fit", &self.fit_split)?;
        let evaluation = self.manifest.chosen("evaluation", &self.split)?;
        self.manifest.check_apart(&fit, &evaluation)?;
        Ok([fit, evaluation])
    }

    /// Rows of a share of the patients, and what they say.
    pub(super) fn targets(
        &self,
        fit: &Films,
        fraction: f64,
        seed: u64,
    ) -> anyhow::Result<(Targets, Vec<LeftOut>)> {
        let patients: Vec<&str> = fit.records().iter().map(|record| record.patient_group.as_str()).collect();
        let rows = grouped_share(&patients, fraction, seed);
        let (targets, left_out) = Targets::new(fit.records(), &rows, self.least);
        if targets.findings().is_empty() {
            bail!(
                "with {fraction} of the patients no finding has {} images of both outcomes to fit on",
                self.least.max(1)
            );
        }
        Ok((targets, left_out))
    }

    /// A report without shares; films that could not be read go to standard error.
    pub(super) fn report(&self, fit: &Films, evaluation: &Films, args: &ReportArgs) -> Report {
        for BadImage { path, reason } in fit.bad().iter().chain(evaluation.bad()) {
            report_error(&format!("{}: {reason}", path.display()));
        }
        Report {
            model: self.start.config().name.clone(),
            weights: self.weights_sha256.clone(),
            images: evaluation.records().len(),
            patients: distinct_patients(evaluation.records().iter()),
            failed: evaluation.bad().len(),
            failed_to_fit: fit.bad().len(),
            resamples: args.resamples,
            seed: args.seed,
            shares: Vec::new(),
            saved_difference: None,
        }
    }
}

/// One share's fit.
pub(super) struct Fit<'a> {
    pub(super) fraction: f64,
    pub(super) targets: &'a Targets,
    pub(super) left_out: Vec<LeftOut>,
    pub(super) losses: Vec<f64>,
    /// `[findings][films]` of the evaluation.
    pub(super) scores: Vec<Vec<f32>>,
}

impl Report {
    /// Adds what one share's fit does on the films of `evaluation`.
    pub(super) fn add(
        &mut self,
        fit: Fit<'_>,
        films: &Films,
        evaluation: &Films,
        args: &ReportArgs,
    ) -> anyhow::Result<()> {
        let Fit { fraction, targets, left_out, losses, scores } = fit;
        let records: Vec<&Record> = evaluation.records().iter().collect();
        let ranking = Ranking::new(targets.findings().to_vec(), scores, &records);
        let not_fitted = left_out.into_iter().map(|LeftOut { finding, positives, negatives }| NotFitted {
            name: finding.name(),
            positives,
            negatives,
        });
        self.shares.push(Share {
            fraction,
            fitted_images: targets.rows().len(),
            fitted_patients: distinct_patients(targets.rows().iter().map(|row| &films.records()[*row])),
            not_fitted: not_fitted.collect(),
            losses,
            figures: ranking.figures(args)?,
        });
        Ok(())
    }

    /// Complete unless a film could not be read.
    pub(super) fn outcome(&self) -> Outcome {
        if self.failed + self.failed_to_fit == 0 { Outcome::Complete } else { Outcome::SomeFailed }
    }

    /// A table a share; `protocol` says what was done.
    pub(super) fn write_markdown(&self, protocol: &str, out: &mut impl Write) -> io::Result<()> {
        let Self { model, images, patients, resamples, seed, .. } = self;
        writeln!(
            out,
            "{model}: {images} images of {patients} patients, {protocol}; 95 % intervals from {resamples}"
        )?;
        writeln!(out, "resamples of patients (seed {seed}).")?;
        for share in &self.shares {
            let Share { fraction, fitted_images, fitted_patients, not_fitted, losses, figures } = share;
            writeln!(
                out,
                "\nFitted on {fitted_images} images of {fitted_patients} patients (share {fraction}):\n"
            )?;
            figures.write_markdown(out)?;
            let losses: Vec<String> = losses.iter().map(|loss| format!("{loss:.3}")).collect();
            writeln!(out, "\nLoss by epoch: {}.", losses.join(", "))?;
            for NotFitted { name, positives, negatives } in not_fitted {
                writeln!(out, "{name} left out: {positives} present, {negatives} absent.")?;
            }
        }
        if let Some(difference) = self.saved_difference {
            writeln!(out, "\nSaved; largest difference from the scores evaluated {difference:.1e}.")?;
        }
        Ok(())
    }
}

fn distinct_patients<'a>(records: impl Iterator<Item = &'a Record>) -> usize {
    records.map(|record| record.patient_group.as_str()).collect::<BTreeSet<_>>().len()
}
