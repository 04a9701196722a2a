//! Learning rate over a run.

use serde::{Deserialize, Serialize};

/// Linear warm-up to 1, then half a cosine down to `floor`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// Share of all steps spent warming up.
    pub warmup: f64,
    /// Factor reached at the last step.
    pub floor: f64,
}

impl Schedule {
    /// Factor of the base rate at 0-based `step` of `total`.
    pub fn factor(&self, step: usize, total: usize) -> f64 {
        let warmup = (self.warmup * total as f64).round();
        let step = step as f64;
        if step < warmup {
            return (step + 1.0) / warmup;
        }
        let progress = ((step - warmup) / (total as f64 - warmup).max(1.0)).min(1.0);
        self.floor + (1.0 - self.floor) * 0.5 * (1.0 + (std::f64::consts::PI * progress).cos())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rises_linearly_peaks_and_falls_to_the_floor() {
        let schedule = Schedule { warmup: 0.1, floor: 0.01 };
        assert!((schedule.factor(0, 100) - 0.1).abs() < 1e-12);
        assert!((schedule.factor(9, 100) - 1.0).abs() < 1e-12);
        assert!((schedule.factor(10, 100) - 1.0).abs() < 1e-12);
        assert!((schedule.factor(55, 100) - 0.505).abs() < 1e-9);
        assert!(schedule.factor(99, 100) < 0.012);
        assert_eq!(Schedule { warmup: 0.0, floor: 1.0 }.factor(0, 1), 1.0);
    }
}
