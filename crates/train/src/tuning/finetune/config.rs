//! How far a fine-tune goes, and which parts move how fast.

use medclip_core::ImageTower;
use medclip_nn::{
    AdamWConfig, Decay, Schedule,
    tower::{block_count, frozen_with},
};

use crate::error::TrainError;

/// Settings of a fine-tune.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FinetuneConfig {
    /// Seed of every draw.
    pub seed: u64,
    /// Passes over the films; 0 leaves the tower as it is and the head where it starts.
    pub epochs: usize,
    /// Films a step.
    pub batch: usize,
    /// Base learning rate, that of the head.
    pub learning_rate: f64,
    /// Factor of the learning rate for the image tower, projection included.
    pub trunk_rate: f64,
    /// Further factor for each block that a parameter lies below the last; 1 moves all of the tower alike.
    pub layer_decay: f64,
    /// Keep this many blocks from the bottom as they are, counted as in a training file.
    pub freeze_blocks: usize,
    /// Normalize by the batch and go on with the running statistics, instead of keeping those of the checkpoint.
    pub batch_statistics: bool,
    /// C of the logistic regressions that the head starts from.
    pub head_c: f64,
    /// AdamW.
    pub optimizer: AdamWConfig,
    /// Learning rate over the run.
    pub schedule: Schedule,
}

impl Default for FinetuneConfig {
    fn default() -> Self {
        Self {
            seed: 0,
            epochs: 5,
            batch: 32,
            learning_rate: 1e-3,
            trunk_rate: 0.1,
            layer_decay: 1.0,
            freeze_blocks: 0,
            batch_statistics: false,
            head_c: 1e-2,
            optimizer: AdamWConfig { weight_decay: 1e-2, ..AdamWConfig::default() },
            schedule: Schedule { warmup: 0.1, floor: 0.01, decay: Decay::Cosine },
        }
    }
}

impl FinetuneConfig {
    /// Checks every setting against the tower it is for.
    ///
    /// # Errors
    /// [`TrainError::Setting`] naming the first field out of range.
    pub fn validate(&self, tower: &ImageTower) -> Result<(), TrainError> {
        let is_positive = |value: f64| value > 0.0 && value.is_finite();
        let blocks = block_count(tower);
        let faults = [
            ("batch", self.batch == 0, "must be at least 1".to_owned()),
            ("learning_rate", !is_positive(self.learning_rate), "must be positive".to_owned()),
            ("trunk_rate", !is_positive(self.trunk_rate), "must be positive".to_owned()),
            (
                "layer_decay",
                !(is_positive(self.layer_decay) && self.layer_decay <= 1.0),
                "must be above 0 and at most 1".to_owned(),
            ),
            ("freeze_blocks", self.freeze_blocks > blocks, format!("the image tower has {blocks} blocks")),
            ("head_c", !is_positive(self.head_c), "must be positive".to_owned()),
            ("schedule.warmup", !(0.0..=1.0).contains(&self.schedule.warmup), "must be in 0–1".to_owned()),
            ("schedule.floor", !(0.0..=1.0).contains(&self.schedule.floor), "must be in 0–1".to_owned()),
            (
                "optimizer.weight_decay",
                !(self.optimizer.weight_decay >= 0.0 && self.optimizer.weight_decay.is_finite()),
                "must be 0 or more".to_owned(),
            ),
            ("optimizer.clip_norm", !is_positive(self.optimizer.clip_norm), "must be positive".to_owned()),
        ];
        match faults.into_iter().find(|(_, wrong, _)| *wrong) {
            Some((field, _, reason)) => Err(TrainError::Setting { field, reason }),
            None => Ok(()),
        }
    }
}

/// Learning-rate factors by name.
#[derive(Clone)]
pub(super) struct Rates {
    tower: ImageTower,
    blocks: usize,
    trunk_rate: f64,
    layer_decay: f64,
    freeze_blocks: usize,
}

impl Rates {
    pub(super) fn new(tower: &ImageTower, config: &FinetuneConfig) -> Self {
        let FinetuneConfig { trunk_rate, layer_decay, freeze_blocks, .. } = *config;
        Self { tower: tower.clone(), blocks: block_count(tower), trunk_rate, layer_decay, freeze_blocks }
    }

    /// Factor of a parameter; 0 where it is frozen.
    pub(super) fn of(&self, name: &str) -> f64 {
        if name.starts_with("head.") {
            return 1.0;
        }
        if !name.starts_with("vision_model.") {
            return 0.0;
        }
        let in_trunk = name.strip_prefix("vision_model.model.").filter(|_| name != self.tower.projection());
        match in_trunk.and_then(|rest| frozen_with(&self.tower, rest)) {
            Some(block) if block <= self.freeze_blocks => 0.0,
            // Blocks count from 1.
            Some(block) => {
                self.trunk_rate * self.layer_decay.powi((self.blocks + 1).saturating_sub(block) as i32)
            }
            None => self.trunk_rate,
        }
    }
}

#[cfg(test)]
mod tests {
    use medclip_core::{EfficientNetConfig, ResNetConfig};

    use super::*;

    #[test]
    fn rates_fall_from_the_top_to_what_is_frozen() {
        let resnet = ImageTower::Resnet(ResNetConfig { blocks: vec![1, 2], ..ResNetConfig::resnet50(1) });
        let config = FinetuneConfig {
            trunk_rate: 0.5,
            layer_decay: 0.5,
            freeze_blocks: 1,
            ..FinetuneConfig::default()
        };
        let rates = Rates::new(&resnet, &config);
        for (name, expected) in [
            ("head.weight", 1.0),
            ("vision_model.model.fc.weight", 0.5),
            ("vision_model.model.layer2.1.conv1.weight", 0.25),
            ("vision_model.model.layer2.0.bn1.bias", 0.125),
            ("vision_model.model.layer1.0.conv1.weight", 0.0),
            ("vision_model.model.conv1.weight", 0.0),
            ("text_model.projection_head.weight", 0.0),
            ("text_model.model.embeddings.word_embeddings.weight", 0.0),
            ("logit_scale", 0.0),
        ] {
            assert_eq!(rates.of(name), expected, "{name}");
        }
    }

    #[test]
    fn settings_out_of_range_are_named() {
        type Change = fn(&mut FinetuneConfig);
        let tower = ImageTower::EfficientnetLite(EfficientNetConfig::lite0(1));
        let cases: [(Change, &str); 5] = [
            (|c| c.batch = 0, "batch: must be at least 1"),
            (|c| c.layer_decay = 1.5, "layer_decay: must be above 0 and at most 1"),
            (|c| c.freeze_blocks = 17, "freeze_blocks: the image tower has 16 blocks"),
            (|c| c.learning_rate = f64::NAN, "learning_rate: must be positive"),
            (|c| c.optimizer.weight_decay = -1.0, "optimizer.weight_decay: must be 0 or more"),
        ];
        for (change, message) in cases {
            let mut config = FinetuneConfig::default();
            assert!(config.validate(&tower).is_ok());
            change(&mut config);
            assert_eq!(config.validate(&tower).unwrap_err().to_string(), message);
        }
    }
}
