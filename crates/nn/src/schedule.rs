//! Learning rate over a run.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

/// Linear warm-up to 1, then what `decay` says. Steps are those of the optimizer.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// Share of all steps spent warming up.
    pub warmup: f64,
    /// Factor reached at the last step; 0 and left out where the rate stays constant.
    #[serde(default)]
    pub floor: f64,
    /// The way down from 1.
    #[serde(default, skip_serializing_if = "Decay::is_default")]
    pub decay: Decay,
}

/// How the learning rate falls after warming up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decay {
    /// Half a cosine down to the floor.
    #[default]
    Cosine,
    /// A straight line down to the floor.
    Linear,
    /// Not at all.
    Constant,
}

impl Decay {
    // Left out of what identifies a run, so that runs begun before there was a choice go on.
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
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
        let left = match self.decay {
            Decay::Cosine => 0.5 * (1.0 + (PI * progress).cos()),
            Decay::Linear => 1.0 - progress,
            Decay::Constant => return 1.0,
        };
        self.floor + (1.0 - self.floor) * left
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rises_linearly_peaks_and_falls_to_the_floor() {
        for (decay, half, last) in [(Decay::Cosine, 0.505, 0.012), (Decay::Linear, 0.505, 0.022)] {
            let schedule = Schedule { warmup: 0.1, floor: 0.01, decay };
            assert!((schedule.factor(0, 100) - 0.1).abs() < 1e-12);
            assert!((schedule.factor(9, 100) - 1.0).abs() < 1e-12);
            assert!((schedule.factor(10, 100) - 1.0).abs() < 1e-12);
            assert!((schedule.factor(55, 100) - half).abs() < 1e-9, "{decay:?}");
            assert!(schedule.factor(99, 100) < last, "{decay:?}");
            let flat = Schedule { warmup: 0.0, floor: 1.0, decay };
            assert_eq!(flat.factor(0, 1), 1.0);
        }
    }

    #[test]
    fn each_way_down_has_its_own_shape() {
        let at = |decay, step| Schedule { warmup: 0.2, floor: 0.0, decay }.factor(step, 10);
        // A quarter of the way down: step 2 is the peak, 8 steps follow.
        let quarter =
            [(Decay::Cosine, 0.853_553_390_593_273_7), (Decay::Linear, 0.75), (Decay::Constant, 1.0)];
        for (decay, expected) in quarter {
            assert_eq!(at(decay, 0), 0.5);
            assert!((at(decay, 4) - expected).abs() < 1e-12, "{decay:?}: {}", at(decay, 4));
        }
        assert_eq!(at(Decay::Constant, 9), 1.0);
    }

    #[test]
    fn a_file_without_a_way_down_means_a_cosine_and_reads_back_the_same() {
        let text = "warmup = 0.1\nfloor = 0.01\n";
        let schedule: Schedule = toml::from_str(text).unwrap();
        assert_eq!(schedule.decay, Decay::Cosine);
        assert_eq!(toml::to_string(&schedule).unwrap(), text);
        let constant: Schedule = toml::from_str("warmup = 0.1\ndecay = 'constant'").unwrap();
        assert_eq!(constant, Schedule { warmup: 0.1, floor: 0.0, decay: Decay::Constant });
        assert!(toml::from_str::<Schedule>("warmup = 0.1\ndecay = 'stairs'").is_err());
    }
}
