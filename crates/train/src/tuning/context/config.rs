//! How context vectors are learned.

use medclip_nn::{AdamWConfig, Decay, Schedule};

use crate::error::TrainError;

/// Settings of prompt tuning.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ContextConfig {
    /// Seed of every draw.
    pub seed: u64,
    /// Vectors in front of a class's words.
    pub vectors: usize,
    /// Vectors of each finding's own, instead of ones that all share.
    pub per_finding: bool,
    /// Passes over the films; 0 leaves the vectors where they start.
    pub epochs: usize,
    /// Films a step. The text tower runs once a step, whatever their number.
    pub batch: usize,
    /// Base learning rate.
    pub learning_rate: f64,
    /// AdamW.
    pub optimizer: AdamWConfig,
    /// Learning rate over the run.
    pub schedule: Schedule,
}

impl Default for ContextConfig {
    fn default() -> Self {
        Self {
            seed: 0,
            vectors: 8,
            per_finding: false,
            epochs: 20,
            batch: 256,
            learning_rate: 5e-3,
            optimizer: AdamWConfig::default(),
            schedule: Schedule { warmup: 0.1, floor: 0.01, decay: Decay::Cosine },
        }
    }
}

impl ContextConfig {
    /// Checks every setting.
    ///
    /// # Errors
    /// [`TrainError::Setting`] naming the first field out of range.
    pub fn validate(&self) -> Result<(), TrainError> {
        let is_positive = |value: f64| value > 0.0 && value.is_finite();
        let faults = [
            ("vectors", self.vectors == 0, "must be at least 1"),
            ("batch", self.batch == 0, "must be at least 1"),
            ("learning_rate", !is_positive(self.learning_rate), "must be positive"),
            ("schedule.warmup", !(0.0..=1.0).contains(&self.schedule.warmup), "must be in 0–1"),
            ("schedule.floor", !(0.0..=1.0).contains(&self.schedule.floor), "must be in 0–1"),
            (
                "optimizer.weight_decay",
                !(self.optimizer.weight_decay >= 0.0 && self.optimizer.weight_decay.is_finite()),
                "must be 0 or more",
            ),
            ("optimizer.clip_norm", !is_positive(self.optimizer.clip_norm), "must be positive"),
        ];
        match faults.into_iter().find(|(_, wrong, _)| *wrong) {
            Some((field, _, reason)) => Err(TrainError::Setting { field, reason: reason.to_owned() }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_out_of_range_are_named() {
        type Change = fn(&mut ContextConfig);
        let cases: [(Change, &str); 3] = [
            (|c| c.vectors = 0, "vectors: must be at least 1"),
            (|c| c.learning_rate = 0.0, "learning_rate: must be positive"),
            (|c| c.schedule.warmup = 2.0, "schedule.warmup: must be in 0–1"),
        ];
        for (change, message) in cases {
            let mut config = ContextConfig::default();
            assert!(config.validate().is_ok());
            change(&mut config);
            assert_eq!(config.validate().unwrap_err().to_string(), message);
        }
    }
}
