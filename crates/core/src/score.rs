//! Embeddings to logits and probabilities.

use serde::{Deserialize, Serialize};

use crate::architecture::LogitScale;

/// What the model says of one class on one image.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FindingScore {
    /// Class name, a finding or whatever the prompt file calls it.
    pub name: String,
    /// Log-odds: pooled logit of the positive prompts minus that of the negative ones.
    pub logit: f32,
    /// Softmax over the pair of ensembles, which is the logistic function of `logit`. Not a calibrated
    /// probability of disease.
    pub probability: f32,
}

/// How the logits of one side's prompts become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PromptPooling {
    /// Their mean, the paper's prompt ensemble.
    #[default]
    Mean,
    /// The largest, as the reference's `PromptClassifier` without `ensemble`.
    Max,
}

impl PromptPooling {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Mean, Self::Max];

    /// `mean` or `max`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mean => "mean",
            Self::Max => "max",
        }
    }

    /// One value for many; 0 for none.
    pub fn pool(self, values: &[f32]) -> f32 {
        match self {
            _ if values.is_empty() => 0.0,
            Self::Mean => values.iter().sum::<f32>() / values.len() as f32,
            Self::Max => values.iter().copied().fold(f32::NEG_INFINITY, f32::max),
        }
    }
}

/// Scores one class from the cosines of an image with its positive and its negative prompts.
///
/// `logit = exp(scale) · (pool(positive) − pool(negative))`, `probability = 1 / (1 + e^−logit)`.
pub fn score_pair(
    name: &str,
    positive: &[f32],
    negative: &[f32],
    scale: LogitScale,
    pooling: PromptPooling,
) -> FindingScore {
    let logit = scale.factor() * (pooling.pool(positive) - pooling.pool(negative));
    FindingScore { name: name.to_owned(), logit, probability: 1.0 / (1.0 + (-logit).exp()) }
}
