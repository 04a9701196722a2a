//! Logistic regression: the linear probe of frozen embeddings.

use thiserror::Error;

use crate::groups::distinct_values;

/// Largest component of the gradient of the mean loss at which a fit is done.
const TOLERANCE: f64 = 1e-7;
/// Steps after which a fit is given up.
const MAX_STEPS: usize = 2000;
/// Pairs of steps and gradient changes that stand for the curvature.
const MEMORY: usize = 10;
/// Halvings of a step before it is given up.
const MAX_HALVINGS: usize = 50;

/// A linear classifier: `P(present | x) = 1 / (1 + e^−(w·x + b))`.
#[derive(Debug, Clone, PartialEq)]
pub struct Logistic {
    /// `[features]`.
    pub weights: Vec<f64>,
    /// Log-odds of a row of zeros.
    pub bias: f64,
}

/// Why no classifier was fitted.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum FitError {
    /// Rows of different lengths, no rows, or another number of labels.
    #[error("{rows} rows and {labels} labels, or rows of different lengths, cannot be fitted")]
    Shape {
        /// Rows given.
        rows: usize,
        /// Labels given.
        labels: usize,
    },
    /// All labels are the same: the best bias would be infinite.
    #[error("only one outcome among {rows} rows")]
    OneClass {
        /// Rows given.
        rows: usize,
    },
    /// A regularisation that is not a positive number.
    #[error("C must be positive and finite, got {c}")]
    Regularization {
        /// Value given.
        c: f64,
    },
    /// A feature that is not finite, or steps that lead nowhere.
    #[error("the fit with C = {c} did not converge: largest gradient component {gradient:.1e}")]
    NotConverged {
        /// Inverse strength of the regularisation.
        c: f64,
        /// Where it stopped.
        gradient: f64,
    },
    /// No fold could be held out.
    #[error("cross-validation needs at least two folds")]
    Folds,
}

impl Logistic {
    /// Log-odds of a row.
    ///
    /// # Shapes
    /// - `row`: `[features]`
    pub fn logit(&self, row: &[f32]) -> f64 {
        self.bias + self.weights.iter().zip(row).map(|(w, x)| w * f64::from(*x)).sum::<f64>()
    }
}

/// Classifiers of increasing `C`, each started from the one before.
///
/// Minimizes `½·|w|² + C · Σ log(1 + e^−y(w·x + b))` over features that are standardized on these rows (mean 0, deviation
/// 1; one that never varies is left at 0), the bias unpenalised, and returns the weights for the features as given. The
/// problem is convex: the result does not depend on the path but for the tolerance, 1e-7 on the gradient of the mean loss.
///
/// # Shapes
/// - `rows`: `[rows][features]`; `labels`: `[rows]`; `path`: values of `C`, in any order
/// - returns: one classifier a `C`, in the order of `path`
///
/// # Errors
/// [`FitError`].
///
/// # Source
/// The objective of `sklearn.linear_model.LogisticRegression` after `StandardScaler`; minimized by L-BFGS (Nocedal and
/// Wright 2006, algorithm 7.4) with backtracking.
pub fn fit_path(rows: &[&[f32]], labels: &[bool], path: &[f64]) -> Result<Vec<Logistic>, FitError> {
    let features = rows.first().map_or(0, |row| row.len());
    if rows.is_empty() || rows.len() != labels.len() || rows.iter().any(|row| row.len() != features) {
        return Err(FitError::Shape { rows: rows.len(), labels: labels.len() });
    }
    if labels.iter().all(|label| *label == labels[0]) {
        return Err(FitError::OneClass { rows: rows.len() });
    }
    if let Some(&c) = path.iter().find(|c| !(c.is_finite() && **c > 0.0)) {
        return Err(FitError::Regularization { c });
    }
    let scale = Standardizer::of(rows, features);
    let data: Vec<f64> = rows.iter().flat_map(|row| scale.apply(row)).collect();
    let problem = Problem { data: &data, features, labels };
    let mut order: Vec<usize> = (0..path.len()).collect();
    order.sort_by(|a, b| path[*a].total_cmp(&path[*b]));
    let mut fitted = vec![None; path.len()];
    // Weights, then the bias.
    let mut parameters = vec![0.0; features + 1];
    for at in order {
        parameters = problem.minimize(path[at], parameters)?;
        fitted[at] = Some(scale.undo(&parameters));
    }
    Ok(fitted.into_iter().flatten().collect())
}

/// Mean held-out log-loss of every `C` of `path`: each fold is scored by the classifiers of all the others, standardized on
/// those alone.
///
/// # Shapes
/// - `rows`: `[rows][features]`; `labels`, `folds`: `[rows]`
/// - returns: `[path]`, in nats
///
/// # Errors
/// [`FitError`]: as [`fit_path`] on what is left without a fold, and when there are fewer than two folds.
pub fn cross_validate(
    rows: &[&[f32]],
    labels: &[bool],
    folds: &[usize],
    path: &[f64],
) -> Result<Vec<f64>, FitError> {
    if rows.len() != labels.len() || rows.len() != folds.len() {
        return Err(FitError::Shape { rows: rows.len(), labels: labels.len().min(folds.len()) });
    }
    let distinct = distinct_values(folds);
    if distinct.len() < 2 {
        return Err(FitError::Folds);
    }
    let mut sums = vec![0.0; path.len()];
    for fold in distinct {
        let (held_out, kept): (Vec<usize>, Vec<usize>) = (0..rows.len()).partition(|row| folds[*row] == fold);
        let kept_rows: Vec<&[f32]> = kept.iter().map(|row| rows[*row]).collect();
        let kept_labels: Vec<bool> = kept.iter().map(|row| labels[*row]).collect();
        for (sum, fitted) in sums.iter_mut().zip(fit_path(&kept_rows, &kept_labels, path)?) {
            *sum += held_out.iter().map(|&row| log_loss(fitted.logit(rows[row]), labels[row])).sum::<f64>();
        }
    }
    Ok(sums.into_iter().map(|sum| sum / rows.len() as f64).collect())
}

/// `−log P(label)` from log-odds, without overflow.
fn log_loss(logit: f64, label: bool) -> f64 {
    let against = if label { -logit } else { logit };
    against.max(0.0) + (-against.abs()).exp().ln_1p()
}

/// Mean and deviation of every feature.
struct Standardizer {
    mean: Vec<f64>,
    deviation: Vec<f64>,
}

impl Standardizer {
    fn of(rows: &[&[f32]], features: usize) -> Self {
        let count = rows.len() as f64;
        let mut mean = vec![0.0; features];
        for row in rows {
            for (sum, value) in mean.iter_mut().zip(*row) {
                *sum += f64::from(*value) / count;
            }
        }
        let mut variance = vec![0.0; features];
        for row in rows {
            for ((sum, value), mean) in variance.iter_mut().zip(*row).zip(&mean) {
                *sum += (f64::from(*value) - mean).powi(2) / count;
            }
        }
        // What single precision makes of a constant is no variation.
        let deviation = variance.iter().zip(&mean).map(|(variance, mean)| {
            let deviation = variance.sqrt();
            if deviation > 1e-7 * mean.abs() { deviation } else { f64::INFINITY }
        });
        Self { deviation: deviation.collect(), mean }
    }

    fn apply(&self, row: &[f32]) -> impl Iterator<Item = f64> {
        row.iter().zip(&self.mean).zip(&self.deviation).map(|((x, mean), d)| (f64::from(*x) - mean) / d)
    }

    /// The classifier of features as given.
    fn undo(&self, parameters: &[f64]) -> Logistic {
        let (bias, weights) = parameters.split_last().map_or((0.0, &[][..]), |(bias, w)| (*bias, w));
        let weights: Vec<f64> = weights.iter().zip(&self.deviation).map(|(w, d)| w / d).collect();
        Logistic { bias: bias - dot(&weights, &self.mean), weights }
    }
}

/// Standardized rows, one after another, and their labels.
struct Problem<'a> {
    data: &'a [f64],
    features: usize,
    labels: &'a [bool],
}

impl Problem<'_> {
    /// Mean loss with its share of the penalty, and the gradient of both.
    fn loss(&self, parameters: &[f64], c: f64) -> (f64, Vec<f64>) {
        let count = self.labels.len() as f64;
        let penalty = 1.0 / (c * count);
        let (weights, bias) = (&parameters[..self.features], parameters[self.features]);
        let mut gradient: Vec<f64> = weights.iter().map(|w| penalty * w).collect();
        gradient.push(0.0);
        let mut loss = penalty / 2.0 * dot(weights, weights);
        for (row, label) in self.data.chunks_exact(self.features).zip(self.labels) {
            let logit = dot(weights, row) + bias;
            loss += log_loss(logit, *label) / count;
            let slope = (1.0 / (1.0 + (-logit).exp()) - f64::from(u8::from(*label))) / count;
            for (sum, x) in gradient.iter_mut().zip(row) {
                *sum += slope * x;
            }
            gradient[self.features] += slope;
        }
        (loss, gradient)
    }

    fn minimize(&self, c: f64, start: Vec<f64>) -> Result<Vec<f64>, FitError> {
        let mut at = start;
        let (mut loss, mut gradient) = self.loss(&at, c);
        let mut memory: Vec<(Vec<f64>, Vec<f64>)> = Vec::new();
        for _ in 0..MAX_STEPS {
            if largest(&gradient) <= TOLERANCE {
                return Ok(at);
            }
            let direction = descent(&gradient, &memory);
            let slope = dot(&gradient, &direction);
            let mut step =
                if memory.is_empty() { 1.0 / dot(&gradient, &gradient).sqrt().max(1.0) } else { 1.0 };
            let mut accepted = None;
            for _ in 0..MAX_HALVINGS {
                let next: Vec<f64> = at.iter().zip(&direction).map(|(x, d)| x + step * d).collect();
                let (next_loss, next_gradient) = self.loss(&next, c);
                // Sufficient decrease, up to what rounding makes of a sum this large.
                if next_loss <= loss + 1e-4 * step * slope + 1e-15 * loss.abs() {
                    accepted = Some((next, next_loss, next_gradient));
                    break;
                }
                step /= 2.0;
            }
            let Some((next, next_loss, next_gradient)) = accepted else { break };
            let moved: Vec<f64> = next.iter().zip(&at).map(|(a, b)| a - b).collect();
            let changed: Vec<f64> = next_gradient.iter().zip(&gradient).map(|(a, b)| a - b).collect();
            if dot(&moved, &changed) > 0.0 {
                if memory.len() == MEMORY {
                    memory.remove(0);
                }
                memory.push((moved, changed));
            }
            (at, loss, gradient) = (next, next_loss, next_gradient);
        }
        Err(FitError::NotConverged { c, gradient: largest(&gradient) })
    }
}

/// Minus the gradient times the inverse curvature that `memory` tells of, the two-loop recursion.
fn descent(gradient: &[f64], memory: &[(Vec<f64>, Vec<f64>)]) -> Vec<f64> {
    let mut direction: Vec<f64> = gradient.iter().map(|g| -g).collect();
    let mut factors = Vec::with_capacity(memory.len());
    for (moved, changed) in memory.iter().rev() {
        let factor = dot(moved, &direction) / dot(moved, changed);
        add(&mut direction, -factor, changed);
        factors.push(factor);
    }
    if let Some((moved, changed)) = memory.last() {
        let scale = dot(moved, changed) / dot(changed, changed);
        for value in &mut direction {
            *value *= scale;
        }
    }
    for ((moved, changed), factor) in memory.iter().zip(factors.into_iter().rev()) {
        let correction = factor - dot(changed, &direction) / dot(moved, changed);
        add(&mut direction, correction, moved);
    }
    direction
}

fn add(to: &mut [f64], factor: f64, of: &[f64]) {
    for (value, other) in to.iter_mut().zip(of) {
        *value += factor * other;
    }
}

fn largest(values: &[f64]) -> f64 {
    values
        .iter()
        .fold(0.0, |most, value| if value.abs() > most || value.is_nan() { value.abs() } else { most })
}

/// Eight sums side by side, which the compiler turns into vector instructions; one sum would have to keep its order.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let (a_lanes, a_rest) = a.as_chunks::<8>();
    let (b_lanes, b_rest) = b.as_chunks::<8>();
    let mut sums = [0.0; 8];
    for (a, b) in a_lanes.iter().zip(b_lanes) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    sums.iter().sum::<f64>() + a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    const X: [[f32; 2]; 8] = [
        [0.5, 1.0],
        [1.5, -0.5],
        [-1.0, 0.25],
        [0.25, -1.25],
        [2.0, 0.75],
        [-0.75, -1.0],
        [1.0, 1.5],
        [-1.5, 0.125],
    ];
    const Y: [bool; 8] = [true, true, false, false, true, false, false, true];

    fn rows() -> Vec<&'static [f32]> {
        X.iter().map(<[f32; 2]>::as_slice).collect()
    }

    #[test]
    fn agrees_with_scikit_learn() {
        // sklearn 1.9.1: LogisticRegression(C=C, tol=1e-12, solver="newton-cholesky") after StandardScaler().fit(X), weights
        // divided by scale_, bias less their product with mean_.
        let cases = [
            (0.1, [0.088_548_093, 0.088_991_364], -0.031_821_395),
            (1.0, [0.329_177_480, 0.303_600_927], -0.113_362_951),
            (100.0, [0.489_758_808, 0.416_459_709], -0.162_037_323),
        ];
        let found = fit_path(&rows(), &Y, &cases.map(|case| case.0)).unwrap();
        for ((c, weights, bias), found) in cases.into_iter().zip(found) {
            for (expected, value) in weights.into_iter().zip(&found.weights) {
                assert!((expected - value).abs() < 1e-5, "C = {c}: {expected} and {value}");
            }
            assert!((bias - found.bias).abs() < 1e-5, "C = {c}: {bias} and {}", found.bias);
        }
    }

    #[test]
    fn the_order_of_the_path_does_not_matter_and_constants_weigh_nothing() {
        let up = fit_path(&rows(), &Y, &[0.1, 10.0]).unwrap();
        let down = fit_path(&rows(), &Y, &[10.0, 0.1]).unwrap();
        assert_eq!(up, down.into_iter().rev().collect::<Vec<_>>());
        let wider: Vec<[f32; 3]> = X.iter().map(|[a, b]| [*a, 0.3, *b]).collect();
        let wider: Vec<&[f32]> = wider.iter().map(<[f32; 3]>::as_slice).collect();
        let fitted = &fit_path(&wider, &Y, &[0.1]).unwrap()[0];
        assert_eq!(fitted.weights[1], 0.0);
        assert!((fitted.logit(wider[0]) - up[0].logit(&X[0])).abs() < 1e-6);
    }

    #[test]
    fn separable_rows_are_fitted_too() {
        let labels: Vec<bool> = X.iter().map(|x| x[0] > 0.0).collect();
        let fitted = &fit_path(&rows(), &labels, &[1e4]).unwrap()[0];
        assert!(X.iter().zip(&labels).all(|(x, label)| (fitted.logit(x) > 0.0) == *label));
    }

    #[test]
    fn held_out_loss_is_that_of_the_others_classifier() {
        let folds = [0, 1, 0, 1, 0, 1, 0, 1];
        let losses = cross_validate(&rows(), &Y, &folds, &[0.01, 1.0]).unwrap();
        let mut expected = 0.0;
        for fold in [0, 1] {
            let kept: Vec<usize> = (0..8).filter(|row| folds[*row] != fold).collect();
            let kept_rows: Vec<&[f32]> = kept.iter().map(|row| rows()[*row]).collect();
            let kept_labels: Vec<bool> = kept.iter().map(|row| Y[*row]).collect();
            let fitted = &fit_path(&kept_rows, &kept_labels, &[1.0]).unwrap()[0];
            for row in (0..8).filter(|row| folds[*row] == fold) {
                let probability = 1.0 / (1.0 + (-fitted.logit(&X[row])).exp());
                expected -= if Y[row] { probability.ln() } else { (1.0 - probability).ln() } / 8.0;
            }
        }
        assert!((losses[1] - expected).abs() < 1e-6, "{losses:?} and {expected}");
        assert_eq!(cross_validate(&rows(), &Y, &[0; 8], &[1.0]), Err(FitError::Folds));
    }

    #[test]
    fn what_cannot_be_fitted_is_refused() {
        assert_eq!(fit_path(&[], &[], &[1.0]), Err(FitError::Shape { rows: 0, labels: 0 }));
        assert_eq!(fit_path(&rows(), &Y[..7], &[1.0]), Err(FitError::Shape { rows: 8, labels: 7 }));
        assert_eq!(fit_path(&rows(), &[true; 8], &[1.0]), Err(FitError::OneClass { rows: 8 }));
        assert_eq!(fit_path(&rows(), &Y, &[0.0]), Err(FitError::Regularization { c: 0.0 }));
        let infinite = [[f32::INFINITY], [0.0]];
        let infinite: Vec<&[f32]> = infinite.iter().map(<[f32; 1]>::as_slice).collect();
        assert!(matches!(fit_path(&infinite, &[true, false], &[1.0]), Err(FitError::NotConverged { .. })));
    }

    #[test]
    fn a_loss_does_not_overflow() {
        assert_eq!((log_loss(1000.0, false), log_loss(1000.0, true)), (1000.0, 0.0));
        assert!((log_loss(0.0, true) - 2.0_f64.ln()).abs() < 1e-15);
    }
}
