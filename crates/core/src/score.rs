//! Embeddings to logits and probabilities.

use serde::Serialize;

use crate::architecture::LogitScale;

/// What the model says of one class on one image.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FindingScore {
    /// Class name, a finding or whatever the prompt file calls it.
    pub name: String,
    /// Log-odds: mean logit of the positive prompts minus mean logit of the negative ones.
    pub logit: f32,
    /// Softmax over the pair of ensembles, which is the logistic function of `logit`. Not a calibrated
    /// probability of disease.
    pub probability: f32,
}

/// Scores one class from the cosines of an image with its positive and its negative prompts.
///
/// `logit = exp(scale) · (pool(positive) − pool(negative))`, `probability = 1 / (1 + e^−logit)`, `pool` being
/// the mean.
pub fn score_pair(name: &str, positive: &[f32], negative: &[f32], scale: LogitScale) -> FindingScore {
    let logit = scale.factor() * (mean(positive) - mean(negative));
    FindingScore { name: name.to_owned(), logit, probability: 1.0 / (1.0 + (-logit).exp()) }
}

fn mean(values: &[f32]) -> f32 {
    if values.is_empty() { 0.0 } else { values.iter().sum::<f32>() / values.len() as f32 }
}
