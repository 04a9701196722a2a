//! Settings of the optimizer.

use serde::{Deserialize, Serialize};

/// Settings of AdamW (Loshchilov and Hutter 2019).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AdamWConfig {
    /// Decay of the gradient mean.
    pub beta1: f64,
    /// Decay of the squared-gradient mean.
    pub beta2: f64,
    /// Added to the root of the second moment.
    pub eps: f64,
    /// Decoupled weight decay; biases, norms and the temperature are exempt.
    pub weight_decay: f64,
    /// Largest global gradient norm; larger gradients are scaled down to it, none with `inf`.
    pub clip_norm: f64,
}

impl Default for AdamWConfig {
    fn default() -> Self {
        Self { beta1: 0.9, beta2: 0.999, eps: 1e-8, weight_decay: 1e-4, clip_norm: 1.0 }
    }
}
