//! What fine-tuning and prompt tuning share: films to fit on, films to evaluate on, and the figures.

mod error;
mod finetune;
mod prompts;
mod save;
mod sheet;

use std::path::Path;

use medclip_core::stop::Stopped;
use medclip_data::{Record, Split};
use medclip_files::sha256_of_file;
use medclip_stats::grouped_share;
use medclip_train::checkpoint::StoredModel;
use medclip_train::data::BadImage;
use medclip_train::tuning::{Films, LeftOut, Targets};
use serde::{Deserialize, Serialize};

use crate::embed::distinct_patients;
use crate::error::FilmError;
use crate::films::FilmSet;
use crate::observer::{Observer, Progress};
use crate::ranking::{Figures, Ranking};
use crate::resampling::Resampling;

pub use error::{ExportError, SaveError, TuningError};
pub use finetune::{FinetuneOptions, Finetuned, finetune};
pub use prompts::{PromptTuningOptions, TunedPrompts, tune_prompts};

/// Tells that so many more films are done, and fails once the work is to end.
fn done(observer: &mut dyn Observer, count: usize) -> Result<(), Stopped> {
    observer.tell(Progress::Done(count));
    if observer.is_stopped() { Err(Stopped) } else { Ok(()) }
}

/// Films that a checkpoint is fitted to and tried on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TuningOptions {
    /// Fit on films of these splits; an empty list takes all.
    pub fit_splits: Vec<Split>,
    /// Evaluate on films of these splits; an empty list takes all.
    pub splits: Vec<Split>,
    /// Shares of the patients to fit on, each above 0 and at most 1, drawn with the seed; larger shares contain the smaller ones.
    /// Every share starts from the checkpoint.
    pub fractions: Vec<f64>,
    /// Leave out findings with fewer films of either outcome than this among those fitted on.
    pub least: usize,
    /// How intervals are made.
    pub resampling: Resampling,
}

impl Default for TuningOptions {
    fn default() -> Self {
        Self {
            fit_splits: vec![Split::Train],
            splits: vec![Split::Val],
            fractions: vec![1.0],
            least: 5,
            resampling: Resampling::default(),
        }
    }
}

/// How well a checkpoint does once it is fitted.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Tuning {
    /// Name of the model.
    pub model: String,
    /// SHA-256 of the checkpoint's weights.
    pub weights: String,
    /// Films evaluated.
    pub images: usize,
    /// Patients they are of.
    pub patients: usize,
    /// Films to evaluate on that could not be read.
    pub failed: usize,
    /// Films to fit on that could not be read.
    pub failed_to_fit: usize,
    /// How often patients were drawn for the 95 % intervals.
    pub resamples: usize,
    /// Seed of everything that was drawn.
    pub seed: u64,
    /// One for every share of the patients.
    pub shares: Vec<TuningShare>,
    /// Largest difference between the scores evaluated and those of what was saved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub saved_difference: Option<f32>,
}

/// What the fit on one share of the patients does.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TuningShare {
    /// Share of the patients.
    pub fraction: f64,
    /// Films fitted on.
    pub fitted_images: usize,
    /// Patients they are of.
    pub fitted_patients: usize,
    /// Findings that were not fitted.
    pub not_fitted: Vec<TooFewFilms>,
    /// Mean loss of each epoch, in nats.
    pub losses: Vec<f64>,
    /// How well scores rank the films evaluated.
    #[serde(flatten)]
    pub figures: Figures,
}

/// A finding with too few films to fit on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TooFewFilms {
    /// The finding.
    pub name: &'static str,
    /// Films that have it.
    pub positives: usize,
    /// Films that do not.
    pub negatives: usize,
}

impl TuningOptions {
    /// Films to fit on and films to evaluate on, which share no patient.
    fn chosen<'a>(&self, films: &'a FilmSet) -> Result<[Vec<&'a Record>; 2], TuningError> {
        let fit = films.chosen("fit", &self.fit_splits)?;
        let evaluation = films.chosen("evaluation", &self.splits)?;
        films.check_apart(&fit, &evaluation)?;
        Ok([fit, evaluation])
    }

    /// Rows of a share of the patients, and what they say.
    fn targets(&self, fit: &Films, fraction: f64) -> Result<(Targets, Vec<LeftOut>), TuningError> {
        let patients: Vec<&str> = fit.records().iter().map(|record| record.patient_group.as_str()).collect();
        let rows = grouped_share(&patients, fraction, self.resampling.seed);
        let (targets, left_out) = Targets::new(fit.records(), &rows, self.least);
        if targets.findings().is_empty() {
            return Err(TuningError::NoFinding { fraction, least: self.least.max(1) });
        }
        Ok((targets, left_out))
    }
}

/// Opens a checkpoint, and sums its weights.
fn open(checkpoint: &Path) -> Result<(StoredModel, String), TuningError> {
    let start = StoredModel::open(checkpoint).map_err(TuningError::Checkpoint)?;
    let path = start.weights_path();
    let sum = sha256_of_file(&path).map_err(|source| TuningError::Weights { path, source })?;
    Ok((start, sum))
}

/// One share's fit.
struct Fit<'a> {
    fraction: f64,
    targets: &'a Targets,
    left_out: Vec<LeftOut>,
    losses: Vec<f64>,
    /// `[findings][films]` of the evaluation.
    scores: Vec<Vec<f32>>,
}

impl Tuning {
    /// Figures without shares; films that could not be read are told to `observer`.
    fn new(
        start: &StoredModel,
        weights: String,
        fit: &Films,
        evaluation: &Films,
        resampling: Resampling,
        observer: &mut dyn Observer,
    ) -> Self {
        for BadImage { path, reason } in fit.bad().iter().chain(evaluation.bad()) {
            let error = FilmError::Unreadable { path: path.clone(), problem: reason.clone() };
            observer.tell(Progress::Failed(&error));
        }
        Self {
            model: start.config().name.clone(),
            weights,
            images: evaluation.records().len(),
            patients: distinct_patients(evaluation.records()),
            failed: evaluation.bad().len(),
            failed_to_fit: fit.bad().len(),
            resamples: resampling.resamples,
            seed: resampling.seed,
            shares: Vec::new(),
            saved_difference: None,
        }
    }

    /// Adds what one share's fit does on the films of `evaluation`.
    fn add(
        &mut self,
        fit: Fit<'_>,
        films: &Films,
        evaluation: &Films,
        resampling: Resampling,
    ) -> Result<(), TuningError> {
        let Fit { fraction, targets, left_out, losses, scores } = fit;
        let records: Vec<&Record> = evaluation.records().iter().collect();
        let ranking = Ranking::new(targets.findings().to_vec(), scores, &records);
        let not_fitted = left_out.into_iter().map(|LeftOut { finding, positives, negatives }| TooFewFilms {
            name: finding.name(),
            positives,
            negatives,
        });
        self.shares.push(TuningShare {
            fraction,
            fitted_images: targets.rows().len(),
            fitted_patients: distinct_patients(targets.rows().iter().map(|row| &films.records()[*row])),
            not_fitted: not_fitted.collect(),
            losses,
            figures: ranking.figures(resampling)?,
        });
        Ok(())
    }
}
