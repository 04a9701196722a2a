//! The factors of one update of one parameter.

use super::config::AdamWConfig;

/// `m ← β₁·m + (1 − β₁)·g`, `v ← β₂·v + (1 − β₂)·g²`, `p ← shrink·p − step·m / (√v·inv_sqrt_correction2 + ε)` of `g` times
/// `clip`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rates {
    pub(super) clip: f64,
    pub(super) beta1: f64,
    pub(super) beta2: f64,
    pub(super) step: f64,
    pub(super) inv_sqrt_correction2: f64,
    pub(super) eps: f64,
    pub(super) shrink: f64,
}

impl Rates {
    /// Those of the `steps`-th update, counted from 1.
    pub(super) fn new(config: &AdamWConfig, steps: u64, clip: f64, learning_rate: f64, decays: bool) -> Self {
        let AdamWConfig { beta1, beta2, eps, weight_decay, .. } = *config;
        let correction1 = 1.0 - beta1.powi(steps as i32);
        let correction2 = 1.0 - beta2.powi(steps as i32);
        Self {
            clip,
            beta1,
            beta2,
            step: learning_rate / correction1,
            inv_sqrt_correction2: 1.0 / correction2.sqrt(),
            eps,
            shrink: if decays { 1.0 - learning_rate * weight_decay } else { 1.0 },
        }
    }
}
