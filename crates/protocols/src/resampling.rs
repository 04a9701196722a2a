//! How intervals are made.

use serde::{Deserialize, Serialize};

/// Coverage of every interval.
pub(crate) const LEVEL: f64 = 0.95;

/// Bootstrap resamples of patients, from which 95 % intervals are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Resampling {
    /// How often patients are drawn, at least once.
    pub resamples: usize,
    /// Seed of everything that is drawn.
    pub seed: u64,
}

impl Default for Resampling {
    fn default() -> Self {
        Self { resamples: 2000, seed: 0 }
    }
}
