//! Everything `model.toml` says: enough, with the weights, to reproduce every score.

use serde::{Deserialize, Serialize};

use crate::architecture::Architecture;

/// The contents of `model.toml`, written by training and carried unchanged into a bundle.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelConfig {
    /// Version of this file's layout; [`ModelConfig::FORMAT`].
    pub format: u32,
    /// Name of the model, as scores report it.
    pub name: String,
    /// One line on what it is and was trained on.
    pub description: String,
    /// The towers.
    pub architecture: Architecture,
    /// Image to pixels.
    pub preprocess: crate::preprocess::PreprocessConfig,
    /// Sentence to tokens.
    pub tokenizer: crate::tokenize::TokenizerConfig,
    /// Natural logarithm of the factor that turns cosines into logits. The exporter takes it from the weights.
    pub logit_scale: f32,
}

impl ModelConfig {
    /// The layout this version reads and writes.
    pub const FORMAT: u32 = 1;
}
