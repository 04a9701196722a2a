//! The sums that objectives are made of, over one direction of a batch.

use candle_core::{D, Result, Tensor};

/// A logit that no softmax notices.
const LEFT_OUT: f32 = -1e9;

/// What the rows of a matrix of logits should put their probability on.
pub(super) struct Direction {
    /// Each sums to 1, or is all zeros and has no term.
    targets: Vec<Vec<f32>>,
    /// 0, or [`LEFT_OUT`] for pairs that are not to be compared.
    left_out: Option<Vec<f32>>,
}

impl Direction {
    pub(super) const fn new(targets: Vec<Vec<f32>>) -> Self {
        Self { targets, left_out: None }
    }

    /// Mean over rows with targets of `−Σ target · log softmax(logits)`.
    pub(super) fn attraction(&self, logits: &Tensor) -> Result<Tensor> {
        let shape = logits.dims2()?;
        let device = logits.device();
        let counted = self.targets.iter().filter(|row| row.iter().any(|target| *target != 0.0)).count();
        let targets = Tensor::from_vec(self.targets.concat(), shape, device)?;
        let log_p = match &self.left_out {
            Some(left_out) => {
                let left_out = Tensor::from_slice(left_out, shape, device)?;
                candle_nn::ops::log_softmax(&(logits + left_out)?, D::Minus1)?
            }
            None => candle_nn::ops::log_softmax(logits, D::Minus1)?,
        };
        (targets * log_p)?.sum_all()?.affine(-1.0 / counted.max(1) as f64, 0.0)
    }
}

/// Attraction to what agrees and repulsion from what contradicts, in shares of 1 − `repulsion` and `repulsion`.
pub(super) fn contradiction(logits: &Tensor, agreement: &[Vec<f32>], repulsion: f64) -> Result<Tensor> {
    let side = |sign: f32| {
        let targets = agreement.iter().map(|row| {
            let part: Vec<f32> = row.iter().map(|a| (sign * a).max(0.0)).collect();
            let sum: f32 = part.iter().sum();
            part.into_iter().map(|a| if sum > 0.0 { a / sum } else { 0.0 }).collect()
        });
        let left_out = agreement.iter().flatten().map(|a| if *a == 0.0 { LEFT_OUT } else { 0.0 }).collect();
        Direction { targets: targets.collect(), left_out: Some(left_out) }
    };
    let attraction = (side(1.0).attraction(logits)? * (1.0 - repulsion))?;
    let repelled = (side(-1.0).attraction(&logits.neg()?)? * repulsion)?;
    attraction + repelled
}

/// `−1/rows Σ log σ(z (logits + b))` with `z` the sign of a match and `b` the log odds of one.
pub(super) fn pairwise(logits: &Tensor, similarities: &[Vec<f32>]) -> Result<Tensor> {
    let (rows, columns) = logits.dims2()?;
    let signs: Vec<f32> = similarities.iter().flatten().map(|s| if *s > 0.0 { 1.0 } else { -1.0 }).collect();
    let matches = signs.iter().filter(|sign| **sign > 0.0).count();
    // At least half a pair of either kind, so that the odds are finite.
    let [matches, others] = [matches, signs.len() - matches].map(|count| (count as f64).max(0.5));
    let signs = Tensor::from_vec(signs, (rows, columns), logits.device())?;
    let margins = (logits.affine(1.0, (matches / others).ln())? * signs)?;
    // −log σ(x) = log(1 + e⁻ˣ) = max(−x, 0) + log(1 + e^−|x|), which does not overflow.
    let negated = margins.neg()?;
    let rest = (margins.abs()?.neg()?.exp()? + 1.0)?.log()?;
    (negated.relu()? + rest)?.sum_all()?.affine(1.0 / rows.max(1) as f64, 0.0)
}

pub(super) fn softmax(row: &[f32], temperature: f64) -> Vec<f32> {
    let max = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let exp: Vec<f64> = row.iter().map(|s| (f64::from(s - max) / temperature).exp()).collect();
    let sum: f64 = exp.iter().sum();
    exp.into_iter().map(|e| (e / sum) as f32).collect()
}

pub(super) fn uniform_over_best(row: &[f32]) -> Vec<f32> {
    let best = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    uniform_over(row, |similarity| similarity >= best - 1e-6)
}

/// Zeros where no similarity is taken.
pub(super) fn uniform_over(row: &[f32], is_taken: impl Fn(f32) -> bool) -> Vec<f32> {
    let count = row.iter().filter(|similarity| is_taken(**similarity)).count() as f32;
    row.iter().map(|similarity| if is_taken(*similarity) { 1.0 / count } else { 0.0 }).collect()
}
