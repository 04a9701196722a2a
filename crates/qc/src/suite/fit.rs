//! Fitting the learned checks.

use medclip_core::batch::Embeddings;
use medclip_core::head::{Head, HeadError};
use medclip_eval::{fit_path, grouped_folds};
use thiserror::Error;

use crate::code::Code;
use crate::learned::{LearnedChecks, LearnedError};

/// Folds whose held-out films set the thresholds.
const FOLDS: usize = 5;

/// How many times the false alarms of another check [`Code::NotAChestFilm`] may raise: no suite has all the pictures there are, and
/// the threshold is what decides about those it lacks.
const PICTURES: f64 = 4.0;

/// How the checks are fitted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fit {
    /// Inverse strength of the regularisation.
    pub c: f64,
    /// Share of clean films that each check may raise a false alarm at; four times as many for pictures that are no films.
    pub false_alarms: f64,
    /// Seed of the folds.
    pub seed: u64,
}

impl Default for Fit {
    fn default() -> Self {
        Self { c: 1.0, false_alarms: 0.0007, seed: 0 }
    }
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
        source: medclip_eval::FitError,
    },
    /// Classifiers that make no head.
    #[error(transparent)]
    Head(#[from] HeadError),
    /// Classes that make no checks.
    #[error(transparent)]
    Learned(#[from] LearnedError),
}

/// Fits one logistic regression a code, its own spoilt films against clean ones and those of every other code, and moves its
/// bias so that held-out clean films are above 0 as seldom as `fit` allows. A spoilt film may so have several codes.
///
/// # Shapes
/// - `clean`: `[films, dim]`; `patients`: `[films]`
/// - `spoilt`: of each code `[any, dim]`
/// # Errors
/// [`FitError`].
/// # Source
/// Thresholds: the quantile of the clean films' log-odds, each given by classifiers that have not seen its patient.
pub fn fit(
    bundle_id: &str,
    clean: &Embeddings,
    patients: &[&str],
    spoilt: &[(Code, Embeddings)],
    fit: Fit,
) -> Result<LearnedChecks, FitError> {
    let folds = grouped_folds(patients, FOLDS, fit.seed);
    let distinct = patients.iter().collect::<std::collections::BTreeSet<_>>().len();
    if distinct < FOLDS || clean.rows() < 2 * FOLDS || patients.len() != clean.rows() {
        return Err(FitError::TooFew { films: clean.rows(), patients: distinct });
    }
    let dim = clean.dim();
    let (mut classes, mut weights, mut biases) = (Vec::new(), Vec::new(), Vec::new());
    for (code, _) in spoilt {
        let failed = |source| FitError::Check { code: *code, source };
        // Rows of spoilt films are in every fold's training part: only clean ones are held out.
        let classifier = |held_out: Option<usize>| {
            let kept = clean.iter().zip(&folds).filter(|(_, fold)| Some(**fold) != held_out);
            let mut rows: Vec<&[f32]> = kept.map(|(row, _)| row).collect();
            let mut labels = vec![false; rows.len()];
            for (other, embeddings) in spoilt {
                rows.extend(embeddings.iter());
                labels.resize(rows.len(), other == code);
            }
            let mut fitted = fit_path(&rows, &labels, &[fit.c]).map_err(failed)?;
            fitted.pop().ok_or_else(|| failed(medclip_eval::FitError::Folds))
        };
        let mut logits = Vec::with_capacity(clean.rows());
        for held_out in 0..FOLDS {
            let classifier = classifier(Some(held_out))?;
            let films = clean.iter().zip(&folds).filter(|(_, fold)| **fold == held_out);
            logits.extend(films.map(|(row, _)| classifier.logit(row)));
        }
        let times = if *code == Code::NotAChestFilm { PICTURES } else { 1.0 };
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

fn embeddings(values: Vec<f32>, dim: usize) -> Result<Embeddings, FitError> {
    let count = values.len();
    Embeddings::new(values, dim)
        .map_err(|_| FitError::Head(HeadError::Count { classes: count, weights: count, biases: count }))
}

/// The value that `share` of the values do not exceed, between neighbours in proportion.
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

    /// Rows about a centre.
    fn cloud(centre: [f32; 3], rows: usize, seed: u64) -> Embeddings {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let values = (0..rows).flat_map(|_| centre.map(|value| value + 0.1 * (rng.random::<f32>() - 0.5)));
        Embeddings::new(values.collect(), 3).unwrap()
    }

    #[test]
    fn each_check_finds_its_own_and_leaves_clean_films_alone() {
        let patients: Vec<String> = (0..200).map(|film| format!("p{}", film / 2)).collect();
        let patients: Vec<&str> = patients.iter().map(String::as_str).collect();
        let spoilt = [
            (Code::Inverted, cloud([0.0, 1.0, 0.0], 100, 2)),
            (Code::Lateral, cloud([0.0, 0.0, 1.0], 100, 3)),
        ];
        let clean = cloud([1.0, 0.0, 0.0], 200, 1);
        let checks = fit("id", &clean, &patients, &spoilt, Fit::default()).unwrap();
        assert_eq!(checks.codes(), [Code::Inverted, Code::Lateral]);
        let share = |rows: &Embeddings, holds: &dyn Fn(Vec<Code>) -> bool| {
            rows.iter().filter(|row| holds(checks.check(row))).count() as f64 / rows.rows() as f64
        };
        assert!(share(&cloud([1.0, 0.0, 0.0], 200, 11), &|found| found.is_empty()) >= 0.99);
        // The most certain comes first; a spoilt film may have others.
        let first = |code| move |found: Vec<Code>| found.first() == Some(&code);
        assert_eq!(share(&cloud([0.0, 1.0, 0.0], 50, 12), &first(Code::Inverted)), 1.0);
        assert_eq!(share(&cloud([0.0, 0.0, 1.0], 50, 13), &first(Code::Lateral)), 1.0);
        let few = fit("id", &cloud([1.0, 0.0, 0.0], 4, 1), &patients[..4], &spoilt, Fit::default());
        assert!(matches!(few, Err(FitError::TooFew { films: 4, patients: 2 })));
    }
}
