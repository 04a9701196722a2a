//! The checks of films that a bundle holds, fitted and measured on spoilt films.

mod error;
mod figures;
mod sheet;
mod suite;

use std::collections::BTreeSet;
use std::path::PathBuf;

use medclip_core::Embeddings;
use medclip_data::{Record, Split};
use medclip_qc::suite::{Films, Fit, fit};
use medclip_qc::{Code, LearnedChecks};
use medclip_runtime::Model;
use serde::{Deserialize, Serialize};

use crate::evaluator::Evaluator;
use crate::observer::Observer;

pub use error::ChecksError;
pub use figures::{Alarm, CheckFigures, CleanFigures, SpoiltFigures};

use suite::{Checked, Group, Suite};

/// How [`measure_checks`] and [`fit_checks`] work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CheckOptions {
    /// Fit on films of these splits; an empty list takes all.
    pub fit_splits: Vec<Split>,
    /// Measure on films of these splits; an empty list takes all.
    pub splits: Vec<Split>,
    /// Pictures that are no chest films, to measure on: files, or directories to search.
    pub pictures: Vec<PathBuf>,
    /// Films to spoil in every way, at most, of each split: four windows are cropped of each, and no more than 1,000 give their
    /// place to a picture of each kind.
    pub spoil: usize,
    /// Share of clean films that each learned check may stop; three times as many for parts of films and pictures that are none.
    pub false_alarms: f64,
    /// Inverse strength of the regularization of the learned checks.
    pub c: f64,
    /// Seed of everything drawn.
    pub seed: u64,
}

impl Default for CheckOptions {
    fn default() -> Self {
        let Fit { c, false_alarms, seed } = Fit::default();
        Self {
            fit_splits: vec![Split::Train],
            splits: vec![Split::Val],
            pictures: Vec::new(),
            spoil: 4000,
            false_alarms,
            c,
            seed,
        }
    }
}

/// How many clean films the checks that the bundle holds stop, and how many spoilt ones.
///
/// Films are spoilt in every way the suite knows: inverted, turned, cropped, and replaced by blanks, noise, drawings and axial
/// slices; lateral films of the manifest join them.
///
/// # Errors
/// [`ChecksError::NoChecks`] when the bundle holds none; [`ChecksError::Evaluation`] when films cannot be used.
pub fn measure_checks(
    evaluator: &Evaluator,
    options: &CheckOptions,
    observer: &mut dyn Observer,
) -> Result<CheckFigures, ChecksError> {
    let films = Chosen::of(evaluator, options)?;
    let bundle = evaluator.model().bundle();
    let none = || ChecksError::NoChecks { bundle: bundle.directory().to_owned() };
    let checks = LearnedChecks::new(bundle.intake().ok_or_else(none)?.clone())?;
    films.measure(&checks, 0, observer)
}

/// Fits the learned checks of the model on films of the fit splits, and measures them as [`measure_checks`] does.
///
/// The bundle stays as it is: a caller who wants to keep the checks writes [`LearnedChecks::head`] into it.
///
/// # Errors
/// [`ChecksError`] when films cannot be used or are on both sides, or the fit fails.
pub fn fit_checks(
    evaluator: &Evaluator,
    options: &CheckOptions,
    observer: &mut dyn Observer,
) -> Result<(LearnedChecks, CheckFigures), ChecksError> {
    let films = Chosen::of(evaluator, options)?;
    let laterals = films.laterals(&options.fit_splits);
    let (clean, groups) = films.suite.check(&films.fit, &laterals, &[], observer)?;
    let CheckOptions { c, false_alarms, seed, .. } = *options;
    let checks = fitted(evaluator.model(), &clean, &groups, Fit { c, false_alarms, seed })?;
    let figures = films.measure(&checks, failed(&clean, &groups), observer)?;
    Ok((checks, figures))
}

/// The films that the options choose, and the suite that spoils them.
struct Chosen<'a> {
    suite: Suite<'a>,
    options: &'a CheckOptions,
    fit: Vec<&'a Record>,
    evaluation: Vec<&'a Record>,
}

impl<'a> Chosen<'a> {
    fn of(evaluator: &'a Evaluator, options: &'a CheckOptions) -> Result<Self, ChecksError> {
        let (films, frontal) = (evaluator.films(), ["frontal".to_owned()]);
        let evaluation = films.chosen_of("evaluation", &options.splits, &frontal)?;
        let fit = films.chosen_of("fit", &options.fit_splits, &frontal)?;
        films.check_apart(&fit, &evaluation)?;
        let suite = Suite { evaluator, spoil: options.spoil, seed: options.seed };
        Ok(Self { suite, options, fit, evaluation })
    }

    /// Lateral films of these splits; a manifest may have none.
    fn laterals(&self, splits: &[Split]) -> Vec<&'a Record> {
        let lateral = ["lateral".to_owned()];
        self.suite.evaluator.films().chosen_of("lateral", splits, &lateral).unwrap_or_default()
    }

    /// Figures of `checks` on the films to evaluate on, after so many others have failed.
    fn measure(
        &self,
        checks: &LearnedChecks,
        failed_before: usize,
        observer: &mut dyn Observer,
    ) -> Result<CheckFigures, ChecksError> {
        let laterals = self.laterals(&self.options.splits);
        let (clean, groups) =
            self.suite.check(&self.evaluation, &laterals, &self.options.pictures, observer)?;
        let model = self.suite.evaluator.model();
        Ok(CheckFigures {
            model: model.name().to_owned(),
            bundle: model.bundle().id().to_owned(),
            engine: model.engine().name(),
            failed: failed_before + failed(&clean, &groups),
            clean: CleanFigures::of(checks, &clean),
            groups: groups.iter().map(|group| SpoiltFigures::of(checks, group)).collect(),
        })
    }
}

/// Images that could not be read.
fn failed(clean: &Checked<'_>, groups: &[Group<'_>]) -> usize {
    clean.failed + groups.iter().map(|group| group.checked.failed).sum::<usize>()
}

/// Learned checks of every code that embeddings can tell.
fn fitted(
    model: &Model,
    clean: &Checked<'_>,
    groups: &[Group<'_>],
    how: Fit,
) -> Result<LearnedChecks, ChecksError> {
    let dim = model.bundle().config().architecture.embedding_dim;
    // Blanks have nothing to embed; gray values tell them.
    let codes: BTreeSet<Code> =
        groups.iter().map(|group| group.code).filter(|code| *code != Code::Blank).collect();
    let spoilt = codes.into_iter().map(|code| {
        let of_code = groups.iter().filter(|group| group.code == code).map(|group| &group.checked);
        Ok((code, films(&of_code.collect::<Vec<_>>(), dim)?))
    });
    let spoilt: Vec<(Code, Films<'_>)> = spoilt.collect::<Result<_, ChecksError>>()?;
    Ok(fit(model.bundle().id(), &films(&[clean], dim)?, &spoilt, how)?)
}

/// Rows of all groups, one after another.
fn films<'a>(groups: &[&Checked<'a>], dim: usize) -> Result<Films<'a>, ChecksError> {
    let values = groups.iter().flat_map(|group| group.embeddings.iter().flatten().copied());
    let records = groups.iter().flat_map(|group| group.records.iter().copied());
    let patients = records.map(|record| record.patient_group.as_str()).collect();
    Ok(Films { embeddings: Embeddings::new(values.collect(), dim)?, patients })
}
