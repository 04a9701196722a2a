//! How well the image tower does once it is fitted to annotated films as a whole.

use std::fmt;
use std::path::{Path, PathBuf};

use medclip_train::checkpoint::StoredModel;
use medclip_train::data::AugmentConfig;
use medclip_train::tuning::{Films, FinetuneConfig, TrainingFilms, finetune as fit_tower};
use serde::Serialize;
use tracing::info_span;

use super::save::{Evaluated, save};
use super::{ExportError, Fit, SaveError, Tuning, TuningError, TuningOptions, done, open};
use crate::films::FilmSet;
use crate::observer::{Observer, Progress, Unit, go_on};

/// How [`finetune`] fits and evaluates.
#[derive(Debug, Clone, Default)]
pub struct FinetuneOptions {
    /// Films to fit on and to evaluate on.
    pub tuning: TuningOptions,
    /// How image tower and head are fitted.
    pub config: FinetuneConfig,
    /// Random variants of the films, as in training; `None` fits to the films as they are.
    pub augment: Option<AugmentConfig>,
}

/// A fine-tuned model and how well it does. It serializes as its figures.
#[derive(Serialize)]
#[serde(transparent)]
pub struct Finetuned {
    /// Its figures.
    pub tuning: Tuning,
    #[serde(skip)]
    start: StoredModel,
    #[serde(skip)]
    last: Option<Evaluated>,
}

/// AUROC and average precision of the image tower fine-tuned with a linear head.
///
/// Fits image tower and head to the films where a finding is annotated, by binary cross-entropy; a blank or uncertain annotation has
/// no part in it and is never read as absent. The head starts as logistic regressions of the unchanged tower's embeddings.
///
/// # Errors
/// [`TuningError`] when the checkpoint, films or settings cannot be used, or the fit fails.
pub fn finetune(
    checkpoint: &Path,
    films: &FilmSet,
    options: &FinetuneOptions,
    observer: &mut dyn Observer,
) -> Result<Finetuned, TuningError> {
    let FinetuneOptions { tuning, config, augment } = options;
    let (start, weights) = open(checkpoint)?;
    let model = start.config();
    config.validate(&model.architecture.image).map_err(TuningError::Setting)?;
    let [fit, evaluation] = tuning.chosen(films)?;
    let augment = augment.unwrap_or(AugmentConfig::NONE);
    let root = films.root();
    let fit =
        TrainingFilms::load("fit", &fit, root, &model.preprocess, augment).map_err(TuningError::Setting)?;
    let evaluation =
        Films::load("evaluation", &evaluation, root, &model.preprocess).map_err(TuningError::Setting)?;

    let mut found = Tuning::new(&start, weights, fit.films(), &evaluation, tuning.resampling, observer);
    let failed = TuningError::of_fit("fine-tune");
    let mut last = None;
    for &fraction in &tuning.fractions {
        go_on(observer)?;
        let _span = info_span!("finetune", fraction).entered();
        let (targets, left_out) = tuning.targets(fit.films(), fraction)?;
        let count = targets.rows().len() * config.epochs;
        observer.tell(Progress::Begin { unit: Unit::Images, count });
        let visited = |count| done(observer, count);
        let tuned = fit_tower(&start, &fit, &targets, config, visited).map_err(failed)?;
        observer.tell(Progress::End);
        let embeddings = evaluation.embed(&tuned.model, usize::MAX, |_| done(observer, 0)).map_err(failed)?;
        let scores = tuned.head.logits(&embeddings);
        let losses = tuned.losses.clone();
        let share = Fit { fraction, targets: &targets, left_out, losses, scores: scores.clone() };
        found.add(share, fit.films(), &evaluation, tuning.resampling)?;
        let films: Vec<PathBuf> = evaluation.records().iter().map(|record| root.join(&record.path)).collect();
        last = Some(Evaluated { tuned, films, scores });
    }
    Ok(Finetuned { tuning: found, start, last })
}

impl Finetuned {
    /// Writes `checkpoint`, `bundle` and `head.safetensors` of the last share into `directory`, all or nothing, once bundle and head
    /// have given the scores that were evaluated for the first films. The largest difference is then part of the figures.
    ///
    /// `export` writes the bundle (its second argument) of a checkpoint (its first).
    ///
    /// # Errors
    /// [`SaveError`]; nothing is then left behind.
    pub fn save(
        &mut self,
        directory: &Path,
        export: impl FnOnce(&Path, &Path) -> Result<(), ExportError>,
    ) -> Result<(), SaveError> {
        let last = self.last.as_ref().ok_or(SaveError::Nothing)?;
        self.tuning.saved_difference = Some(save(directory, &self.start, last, export)?);
        Ok(())
    }
}

impl fmt::Debug for Finetuned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Finetuned").field("tuning", &self.tuning).finish_non_exhaustive()
    }
}
