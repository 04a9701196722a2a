//! The training file: everything a run depends on, and nothing it does not know.

mod check;

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use medclip_core::preprocess::PreprocessConfig;
use medclip_core::tokenize::TokenizerConfig;
use medclip_core::{
    Architecture, BertConfig, EfficientNetConfig, ImageTower, LogitScale, ModelConfig, PromptPooling,
    ResNetConfig, SwinConfig, TextTower,
};
use medclip_files::{MAX_TEXT_BYTES, read_typed, text};
use medclip_nn::tower::frozen_with;
use medclip_nn::{AdamWConfig, Compute, ComputePrecision, DeviceName, Schedule};
use serde::{Deserialize, Serialize};

use crate::data::DataConfig;
use crate::early_stop::EarlyStop;
use crate::error::TrainError;
use crate::loss::Objective;
use crate::setting::Setting;

/// A training run, as its TOML file states it. Unknown keys are refused.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainConfig {
    /// Name of the model, as scores will report it.
    pub name: String,
    /// One line on what it is and was trained on.
    pub description: String,
    /// Seed of every random draw.
    pub seed: u64,
    /// Directory for checkpoints and the log.
    pub output: PathBuf,
    /// `cpu`, `cuda` or `cuda:1`; GPUs need the feature `cuda`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub device: DeviceName,
    /// Of activations and matrix products; parameters are `f32` in any.
    #[serde(default, skip_serializing_if = "is_default")]
    pub precision: ComputePrecision,
    /// Passes over the images.
    pub epochs: usize,
    /// Base learning rate, before the schedule and each part's own factor.
    pub learning_rate: f64,
    /// Zero-shot classes to evaluate with.
    pub prompts: PathBuf,
    /// Evaluation set whose macro-AUROC picks the best checkpoint.
    pub select_by: String,
    /// Checkpoint directory whose model is where this one starts, projections and temperature included; it excludes the
    /// weights of single towers.
    #[serde(default)]
    pub start: Option<PathBuf>,
    /// Findings that macro-AUROC averages over.
    pub select_findings: Vec<String>,
    /// Decay of the weight average; none, and the last weights are kept.
    #[serde(default)]
    pub ema_decay: Option<f64>,
    /// Ends the run before its last epoch when it no longer improves; none, and it runs to the end.
    #[serde(default)]
    pub early_stop: Option<EarlyStop>,
    /// Most images, and most sentences, of a batch whose activations are in memory together, for batches that do not fit:
    /// the towers run twice and the gradients are the same ([`Pass`](crate::step::Pass::micro_batch)). None, and a
    /// batch is one piece.
    #[serde(default)]
    pub micro_batch: Option<NonZeroUsize>,
    /// Batches whose gradients are averaged for one step of the optimizer. The loss compares within a batch only. What
    /// is left at the end of an epoch is dropped.
    #[serde(default = "single", skip_serializing_if = "is_single")]
    pub accumulate: NonZeroUsize,
    /// Epochs between evaluations.
    #[serde(default = "one")]
    pub evaluate_every: usize,
    /// Steps between resumable checkpoints; 0 keeps one an epoch.
    #[serde(default)]
    pub checkpoint_every: usize,
    /// Threads that prepare batches.
    #[serde(default = "one")]
    pub loader_threads: usize,
    /// The joint space.
    #[serde(default = "default_dim")]
    pub embedding_dim: usize,
    /// The image tower.
    pub image: ImageSection,
    /// The text tower.
    pub text: TextSection,
    /// What is minimized.
    pub objective: Objective,
    /// AdamW.
    #[serde(default)]
    pub optimizer: AdamWConfig,
    /// Learning rate over the run.
    pub schedule: Schedule,
    /// Images, reports and how they meet.
    pub data: DataConfig,
}

/// The image tower and its input.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImageSection {
    /// `"efficientnet-lite0"`, `-lite1`, `-lite2`, `"swin-tiny"`, `"resnet50"`, or a table of a `kind` and its sizes.
    pub tower: Sizes<ImageTower>,
    /// Side of the input in pixels.
    pub size: usize,
    /// Channels of the input: 1, or 3 for gray repeated.
    #[serde(default = "one")]
    pub channels: usize,
    /// Smallest side an image is padded to before resizing; the reference pads to 224.
    #[serde(default = "one_pixel")]
    pub pad_min_side: u32,
    /// Weights to start from.
    #[serde(default)]
    pub init: Option<PathBuf>,
    /// Factor of the learning rate for the trunk.
    #[serde(default = "unit")]
    pub trunk_rate: f64,
    /// Keep this many blocks from the bottom as they start, statistics included, with the stem or patch embedding
    /// below them; 0 trains everything. Blocks are counted over all stages; the merging of a Swin's tokens goes with the
    /// block before it.
    #[serde(default)]
    pub freeze_blocks: usize,
}

/// The text tower and its tokenizer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TextSection {
    /// `"minilm-l6"`, `"bio-clinical-bert"`, or a table of sizes.
    pub tower: Sizes<BertConfig>,
    /// `tokenizer.json`.
    pub tokenizer: PathBuf,
    /// Lower-case before tokenizing.
    pub lowercase: bool,
    /// Longest sentence in tokens.
    pub max_length: usize,
    /// Weights to start from.
    #[serde(default)]
    pub init: Option<PathBuf>,
    /// Factor of the learning rate for the trunk.
    #[serde(default = "unit")]
    pub trunk_rate: f64,
    /// Keep the word, position and segment embeddings as they start.
    #[serde(default)]
    pub freeze_embeddings: bool,
    /// Keep this many layers from the bottom as they start.
    #[serde(default)]
    pub freeze_layers: usize,
}

/// A published size by name, or sizes of one's own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Sizes<T> {
    /// By name.
    Preset(String),
    /// In full.
    Explicit(T),
}

const fn one() -> usize {
    1
}

const fn single() -> NonZeroUsize {
    NonZeroUsize::MIN
}

// What stands at its default is left out of what identifies a run, so that runs begun before there was a choice go on.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_single(count: &NonZeroUsize) -> bool {
    *count == NonZeroUsize::MIN
}

const fn one_pixel() -> u32 {
    1
}

const fn unit() -> f64 {
    1.0
}

const fn default_dim() -> usize {
    512
}

impl TrainConfig {
    /// Reads a training file; relative paths in it start from the working directory.
    ///
    /// # Errors
    /// [`TrainError`] naming the file and the key that is unknown, missing or out of range.
    pub fn open(path: &Path) -> Result<Self, TrainError> {
        Self::open_with(path, &[])
    }

    /// Reads a training file with some of its settings replaced, in order.
    ///
    /// # Errors
    /// As [`TrainConfig::open`].
    pub fn open_with(path: &Path, settings: &[Setting]) -> Result<Self, TrainError> {
        let text = read_typed(path, MAX_TEXT_BYTES).and_then(text).map_err(TrainError::io(path))?;
        let invalid = |error: toml::de::Error| TrainError::invalid(path, error);
        let config: Self = if settings.is_empty() {
            // Straight from the text, so that errors show the line.
            toml::from_str(&text).map_err(invalid)?
        } else {
            let mut table: toml::Table = toml::from_str(&text).map_err(invalid)?;
            for setting in settings {
                setting.apply(&mut table)?;
            }
            table.try_into().map_err(invalid)?
        };
        config.validate().map_err(|error| TrainError::invalid(path, error))?;
        Ok(config)
    }

    /// The model this run makes.
    ///
    /// # Errors
    /// [`TrainError::Setting`] for a preset nobody has heard of.
    pub fn model_config(&self) -> Result<ModelConfig, TrainError> {
        Ok(ModelConfig {
            format: ModelConfig::FORMAT,
            name: self.name.clone(),
            description: self.description.clone(),
            architecture: Architecture {
                embedding_dim: self.embedding_dim,
                image: self.image_tower()?,
                text: TextTower::Bert(self.bert()?),
            },
            preprocess: PreprocessConfig {
                pad_min_side: self.image.pad_min_side,
                ..PreprocessConfig::medclip(self.image.size, self.image.channels)
            },
            tokenizer: TokenizerConfig { lowercase: self.text.lowercase, max_length: self.text.max_length },
            logit_scale: LogitScale::INITIAL,
            prompt_pooling: PromptPooling::Mean,
        })
    }

    fn image_tower(&self) -> Result<ImageTower, TrainError> {
        let channels = self.image.channels;
        match &self.image.tower {
            Sizes::Explicit(tower) => Ok(tower.clone()),
            Sizes::Preset(name) => match name.as_str() {
                "efficientnet-lite0" => Ok(ImageTower::EfficientnetLite(EfficientNetConfig::lite0(channels))),
                "efficientnet-lite1" => Ok(ImageTower::EfficientnetLite(EfficientNetConfig::lite1(channels))),
                "efficientnet-lite2" => Ok(ImageTower::EfficientnetLite(EfficientNetConfig::lite2(channels))),
                "swin-tiny" => Ok(ImageTower::Swin(SwinConfig::tiny(channels))),
                "resnet50" => Ok(ImageTower::Resnet(ResNetConfig::resnet50(channels))),
                _ => Err(unknown_preset(
                    "image.tower",
                    name,
                    "efficientnet-lite0, efficientnet-lite1, efficientnet-lite2, swin-tiny, resnet50",
                )),
            },
        }
    }

    fn bert(&self) -> Result<BertConfig, TrainError> {
        match &self.text.tower {
            Sizes::Explicit(sizes) => Ok(sizes.clone()),
            Sizes::Preset(name) => match name.as_str() {
                "minilm-l6" => Ok(BertConfig::minilm_l6()),
                "bio-clinical-bert" => Ok(BertConfig::bio_clinical()),
                _ => Err(unknown_preset("text.tower", name, "minilm-l6, bio-clinical-bert")),
            },
        }
    }

    /// Opens the device.
    ///
    /// # Errors
    /// [`TrainError::Device`] when it is not there.
    pub fn compute(&self) -> Result<Compute, TrainError> {
        Ok(Compute { device: self.device.open()?, precision: self.precision })
    }

    /// Learning-rate factor of a parameter; 0 where it is frozen.
    pub fn rate(&self, name: &str) -> f64 {
        if let Some(rest) = name.strip_prefix("text_model.model.") {
            if self.text.freeze_embeddings && rest.starts_with("embeddings.") {
                return 0.0;
            }
            let layer = rest.strip_prefix("encoder.layer.").and_then(|r| r.split('.').next()?.parse().ok());
            if layer.is_some_and(|k: usize| k < self.text.freeze_layers) {
                return 0.0;
            }
            return self.text.trunk_rate;
        }
        let tower = self.image_tower().ok();
        let projection = tower.as_ref().map(ImageTower::projection);
        if let Some(rest) = name.strip_prefix("vision_model.model.").filter(|_| projection != Some(name)) {
            let blocks = tower.and_then(|tower| frozen_with(&tower, rest));
            let frozen = blocks.is_some_and(|blocks| blocks <= self.image.freeze_blocks);
            return if frozen { 0.0 } else { self.image.trunk_rate };
        }
        1.0
    }
}

fn unknown_preset(field: &'static str, name: &str, known: &str) -> TrainError {
    TrainError::Setting { field, reason: format!("`{name}` is no preset; there are {known}") }
}
