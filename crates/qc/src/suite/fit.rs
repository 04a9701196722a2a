//! Fitting the learned checks.

use std::collections::{BTreeMap, BTreeSet};

use medclip_core::batch::Embeddings;
use medclip_core::head::{Head, HeadError};
use medclip_stats::{fit_path, grouped_folds};
use thiserror::Error;

use crate::code::Code;
use crate::learned::{LearnedChecks, LearnedError};

/// Folds whose held-out films set the thresholds.
const FOLDS: usize = 5;

/// Of the images of other codes one in so many is a row of a check. The checks are there to tell spoilt films from clean ones: kept
/// from finding each other's, they find fewer of their own (a film turned one way is nearly the mirror image of it turned the
/// other), and with none of them they call everything by every name.
const OTHERS: usize = 30;

/// How many times the false alarms of another check one may raise whose images shade into clean ones or are of more kinds than any
/// suite has: parts of films, and pictures that are none.
const WIDE: f64 = 3.0;

/// How the checks are fitted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fit {
    /// Inverse strength of the regularisation.
    pub c: f64,
    /// Share of clean films that each check may raise a false alarm at; three times as many for parts of films and for pictures
    /// that are no films.
    pub false_alarms: f64,
    /// Seed of the folds.
    pub seed: u64,
}

impl Default for Fit {
    fn default() -> Self {
        Self { c: 0.1, false_alarms: 0.0005, seed: 0 }
    }
}

/// Images, embedded, and whose they are.
#[derive(Debug, Clone, PartialEq)]
pub struct Films<'a> {
    /// `[films, dim]`.
    pub embeddings: Embeddings,
    /// `[films]`. A spoilt film is its patient's too.
    pub patients: Vec<&'a str>,
}

/// Why nothing was fitted.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FitError {
    /// Too few clean films to know their spread.
    #[error("{films} clean films of {patients} patients are too few to set thresholds by")]
    TooFew {
        /// Clean films.
        films: usize,
        /// Patients they are of.
        patients: usize,
    },
    /// One check.
    #[error("check `{code}`")]
    Check {
        /// Its code.
        code: Code,
        /// What the fit says.
        source: medclip_stats::FitError,
    },
    /// Classifiers that make no head.
    #[error(transparent)]
    Head(#[from] HeadError),
    /// Classes that make no checks.
    #[error(transparent)]
    Learned(#[from] LearnedError),
}

/// Fits one logistic regression a code, its own spoilt films against clean ones and some of every other code, and moves its
/// bias so that held-out clean films are above 0 as seldom as `fit` allows. A spoilt film may so have several codes.
///
/// # Shapes
/// - `clean`, and `spoilt` of each code: any films, all of one `dim`
/// # Errors
/// [`FitError`].
/// # Source
/// Thresholds: the quantile of the clean films' log-odds, each given by classifiers that have seen nothing of its patient, spoilt
/// or not.
pub fn fit(
    bundle_id: &str,
    clean: &Films<'_>,
    spoilt: &[(Code, Films<'_>)],
    fit: Fit,
) -> Result<LearnedChecks, FitError> {
    let films = clean.embeddings.rows();
    let distinct = clean.patients.iter().collect::<BTreeSet<_>>().len();
    if distinct < FOLDS || films < 2 * FOLDS || clean.patients.len() != films {
        return Err(FitError::TooFew { films, patients: distinct });
    }
    let fold_of = folds(clean, spoilt, fit.seed);
    let dim = clean.embeddings.dim();
    let (mut classes, mut weights, mut biases) = (Vec::new(), Vec::new(), Vec::new());
    for (code, own) in spoilt {
        let failed = |source| FitError::Check { code: *code, source };
        let classifier = |held_out: Option<usize>| {
            let others = spoilt.iter().filter(|(other, _)| other != code);
            let others = others.map(|(_, films)| (films, OTHERS, false));
            let mut rows: Vec<&[f32]> = Vec::new();
            let mut labels = Vec::new();
            for (films, step, label) in [(clean, 1, false), (own, 1, true)].into_iter().chain(others) {
                let all = films.embeddings.iter().zip(&films.patients).step_by(step);
                let kept = all.filter(|(_, patient)| fold_of.get(*patient).copied() != held_out);
                rows.extend(kept.map(|(row, _)| row));
                labels.resize(rows.len(), label);
            }
            let mut fitted = fit_path(&rows, &labels, &[fit.c]).map_err(failed)?;
            fitted.pop().ok_or_else(|| failed(medclip_stats::FitError::Folds))
        };
        let mut logits = Vec::with_capacity(films);
        for held_out in 0..FOLDS {
            let classifier = classifier(Some(held_out))?;
            let all = clean.embeddings.iter().zip(&clean.patients);
            let unseen = all.filter(|(_, patient)| fold_of.get(*patient) == Some(&held_out));
            logits.extend(unseen.map(|(row, _)| classifier.logit(row)));
        }
        let times = if matches!(code, Code::Cropped | Code::NotAChestFilm) { WIDE } else { 1.0 };
        let threshold = quantile(&mut logits, 1.0 - times * fit.false_alarms);
        let whole = classifier(None)?;
        classes.push(code.name().to_owned());
        weights.extend(whole.weights.iter().map(|weight| *weight as f32));
        biases.push((whole.bias - threshold) as f32);
    }
    let weights = embeddings(weights, dim)?;
    let head = Head::new(bundle_id.to_owned(), classes, weights, embeddings(biases, 1)?)?;
    Ok(LearnedChecks::new(head)?)
}

/// The fold of every patient.
fn folds<'a>(clean: &Films<'a>, spoilt: &[(Code, Films<'a>)], seed: u64) -> BTreeMap<&'a str, usize> {
    let films = std::iter::once(clean).chain(spoilt.iter().map(|(_, films)| films));
    let patients: Vec<&str> = films.flat_map(|films| films.patients.iter().copied()).collect();
    let folds = grouped_folds(&patients, FOLDS, seed);
    patients.into_iter().zip(folds).collect()
}

fn embeddings(values: Vec<f32>, dim: usize) -> Result<Embeddings, FitError> {
    let count = values.len();
    Embeddings::new(values, dim)
        .map_err(|_| FitError::Head(HeadError::Count { classes: count, weights: count, biases: count }))
}

/// The value that `share` of the values do not exceed, between neighbors in proportion.
fn quantile(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let position = share.clamp(0.0, 1.0) * (values.len() - 1) as f64;
    let (below, rest) = (position.floor() as usize, position.fract());
    let above = (below + 1).min(values.len() - 1);
    values[below] * (1.0 - rest) + values[above] * rest
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    /// Rows about a center.
    fn cloud(center: [f32; 3], rows: usize, seed: u64) -> Embeddings {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let values = (0..rows).flat_map(|_| center.map(|value| value + 0.1 * (rng.random::<f32>() - 0.5)));
        Embeddings::new(values.collect(), 3).unwrap()
    }

    /// Two films a patient; equal numbers are equal patients.
    fn films(patients: &[String], center: [f32; 3], seed: u64) -> Films<'_> {
        let rows = 2 * patients.len();
        let patients = patients.iter().flat_map(|patient| [patient.as_str(); 2]).collect();
        Films { embeddings: cloud(center, rows, seed), patients }
    }

    #[test]
    fn each_check_finds_its_own_and_leaves_clean_films_alone() {
        let patients: Vec<String> = (0..100).map(|patient| format!("p{patient}")).collect();
        let spoilt = [
            (Code::Inverted, films(&patients[..50], [0.0, 1.0, 0.0], 2)),
            (Code::Lateral, films(&patients[50..], [0.0, 0.0, 1.0], 3)),
        ];
        let clean = films(&patients, [1.0, 0.0, 0.0], 1);
        let checks = fit("id", &clean, &spoilt, Fit::default()).unwrap();
        assert_eq!(checks.codes(), [Code::Inverted, Code::Lateral]);
        let share = |rows: &Embeddings, holds: &dyn Fn(Vec<Code>) -> bool| {
            rows.iter().filter(|row| holds(checks.check(row))).count() as f64 / rows.rows() as f64
        };
        assert!(share(&cloud([1.0, 0.0, 0.0], 200, 11), &|found| found.is_empty()) >= 0.99);
        // The most certain comes first; a spoilt film may have others.
        let first = |code| move |found: Vec<Code>| found.first() == Some(&code);
        assert_eq!(share(&cloud([0.0, 1.0, 0.0], 50, 12), &first(Code::Inverted)), 1.0);
        assert_eq!(share(&cloud([0.0, 0.0, 1.0], 50, 13), &first(Code::Lateral)), 1.0);
        let few = fit("id", &films(&patients[..2], [1.0, 0.0, 0.0], 1), &spoilt, Fit::default());
        assert!(matches!(few, Err(FitError::TooFew { films: 4, patients: 2 })));
    }

    #[test]
    fn a_patient_is_in_one_fold_spoilt_or_not() {
        let patients: Vec<String> = (0..20).map(|patient| format!("p{patient}")).collect();
        let clean = films(&patients[..15], [1.0, 0.0, 0.0], 1);
        let spoilt = [(Code::Lateral, films(&patients[10..], [0.0, 0.0, 1.0], 3))];
        let folds = folds(&clean, &spoilt, 0);
        assert_eq!(folds.len(), 20, "patients of spoilt films alone have one too");
        let sizes = [0, 1, 2, 3, 4].map(|fold| folds.values().filter(|found| **found == fold).count());
        assert_eq!(sizes, [4; 5]);
    }
}
