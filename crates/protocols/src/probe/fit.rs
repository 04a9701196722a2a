//! One logistic regression a finding.

use medclip_core::{Embeddings, Finding, Head};
use medclip_stats::{FitError, Logistic, cross_validate, fit_path, grouped_folds};
use tracing::info_span;

use super::ProbeError;
use crate::embed::EmbeddedFilms;
use crate::error::EvaluationError;
use crate::observer::{Observer, Progress, go_on};
use crate::ordered::for_each_ordered;

/// Inverse strengths of the regularization that cross-validation chooses from.
const PATH: [f64; 6] = [1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0];
/// Folds of patients.
const FOLDS: usize = 5;

/// A classifier and the C it was fitted with.
pub(super) type Fitted = Result<(f64, Logistic), FitError>;

/// The classifier of every finding, in their order, on the films `rows`.
pub(super) fn fit_all(
    fit: &EmbeddedFilms<'_>,
    rows: &[usize],
    seed: u64,
    threads: usize,
    observer: &mut dyn Observer,
) -> Result<Vec<Fitted>, EvaluationError> {
    let _span = info_span!("fit", films = rows.len(), threads).entered();
    let mut fitted: Vec<Fitted> = Vec::new();
    let fit_one = |finding: Finding| fit_finding(fit, rows, finding, seed);
    for_each_ordered(Finding::ALL, threads, fit_one, |result| {
        observer.tell(Progress::Done(1));
        go_on(observer)?;
        fitted.push(result.map_err(|_| EvaluationError::Fault("fitting a classifier"))?);
        Ok::<(), EvaluationError>(())
    })?;
    Ok(fitted)
}

/// The classifier of one finding on the annotated films among `rows`.
fn fit_finding(fit: &EmbeddedFilms<'_>, rows: &[usize], finding: Finding, seed: u64) -> Fitted {
    let known = |row: &usize| Some((*row, fit.records[*row].annotations[finding.index()].known()?));
    let (rows, labels): (Vec<usize>, Vec<bool>) = rows.iter().filter_map(known).unzip();
    let embeddings: Vec<&[f32]> = rows.iter().map(|row| fit.embeddings[*row].as_slice()).collect();
    let patients: Vec<&str> = rows.iter().map(|row| fit.records[*row].patient_group.as_str()).collect();
    let folds = grouped_folds(&patients, FOLDS, seed);
    let losses = cross_validate(&embeddings, &labels, &folds, &PATH)?;
    // The first of equals is the most regularised.
    let c = PATH.into_iter().zip(losses).min_by(|a, b| a.1.total_cmp(&b.1)).map_or(PATH[0], |(c, _)| c);
    let mut fitted = fit_path(&embeddings, &labels, &[c])?;
    fitted.pop().map(|classifier| (c, classifier)).ok_or(FitError::Folds)
}

/// The classifiers as a head of the bundle.
pub(super) fn head(bundle_id: &str, classifiers: &[(Finding, Logistic)]) -> Result<Head, ProbeError> {
    let dim = classifiers.first().map_or(0, |(_, classifier)| classifier.weights.len());
    let weights: Vec<f32> =
        classifiers.iter().flat_map(|(_, c)| c.weights.iter().map(|weight| *weight as f32)).collect();
    let biases: Vec<f32> = classifiers.iter().map(|(_, classifier)| classifier.bias as f32).collect();
    let names = classifiers.iter().map(|(finding, _)| finding.name().to_owned()).collect();
    Ok(Head::new(bundle_id.to_owned(), names, Embeddings::new(weights, dim)?, Embeddings::new(biases, 1)?)?)
}
