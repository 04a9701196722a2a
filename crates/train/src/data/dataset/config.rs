//! What to load, and why it was refused.

use std::collections::BTreeMap;
use std::path::PathBuf;

use medclip_core::preprocess::PreprocessError;
use medclip_core::prompt::PromptError;
use medclip_data::{
    LabelPolicy, LabelPolicyError, ManifestError, ReportsError, RowName, Selection, SelectionError,
    SentenceConfig, TeacherConfig, TeacherError,
};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::data::augment::{AugmentConfig, AugmentError};
use crate::data::images::ImagesError;
use crate::data::lost::{LostImage, first_rows, percent};
use crate::data::sampler::{SamplerConfig, SamplerError};
use crate::data::text_augment::{TextAugmentConfig, TextAugmentError};

/// What to train and evaluate on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataConfig {
    /// The manifest ([`read_manifest`](medclip_data::read_manifest)).
    pub manifest: PathBuf,
    /// Directory that the manifest's paths start from.
    pub image_root: PathBuf,
    /// Further manifests, each with the directory its paths start from; their rows follow those of the first.
    #[serde(default)]
    pub further: Vec<FurtherManifest>,
    /// Further reports ([`read_reports`](medclip_data::read_reports)), for manifests without text.
    #[serde(default)]
    pub reports: Option<PathBuf>,
    /// A prompt file whose sentences join the pool, labeled with the finding their class is named after.
    #[serde(default)]
    pub prompts: Option<PathBuf>,
    /// Directory for decoded images; none, and every start decodes them again.
    #[serde(default)]
    pub cache: Option<PathBuf>,
    /// Keep all decoded images in memory. Otherwise they stay in a file of `cache` and are read from it one by one: the batches are the same,
    /// and memory holds what there is room for. What an image takes is in [`images`](crate::data::images).
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub in_memory: bool,
    /// Share of the selected images, those to train and those to evaluate on together, that may be missing or unreadable,
    /// from 0 to 1. They are left out and counted; where there are more, the run is refused.
    #[serde(default = "one_percent", skip_serializing_if = "is_one_percent")]
    pub max_lost: f64,
    /// Images to train on.
    pub train: Selection,
    /// Named sets of images to evaluate on; no patient of theirs may be in `train`.
    #[serde(default)]
    pub eval: BTreeMap<String, Selection>,
    /// How images get their label vectors.
    #[serde(default)]
    pub labels: LabelPolicy,
    /// Scores of other models that soften the label vectors of training images; none, and annotations alone make them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub teacher: Option<TeacherConfig>,
    /// What becomes of reports.
    #[serde(default)]
    pub sentences: SentenceConfig,
    /// How batches are made.
    pub sampler: SamplerConfig,
    /// How training images are changed.
    #[serde(default)]
    pub augment: AugmentConfig,
    /// How the second view of every drawn sentence is made; none, and there is no second view. With one, the loss is the
    /// mean over both views.
    #[serde(default)]
    pub text_augment: Option<TextAugmentConfig>,
}

/// Default of [`DataConfig::max_lost`].
pub(crate) const MAX_LOST: f64 = 0.01;

const fn one_percent() -> f64 {
    MAX_LOST
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_one_percent(value: &f64) -> bool {
    *value == MAX_LOST
}

const fn yes() -> bool {
    true
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_yes(value: &bool) -> bool {
    *value
}

/// A manifest beside the first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FurtherManifest {
    /// The manifest.
    pub manifest: PathBuf,
    /// Directory that its paths start from.
    pub image_root: PathBuf,
}

/// Why data was refused.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DataError {
    /// The manifest.
    #[error("manifest {}", path.display())]
    Manifest {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: ManifestError,
    },
    /// One image in two rows: which of them holds is unknown.
    #[error("{second} names the image of {first}; remove one of the rows")]
    DuplicateImage {
        /// The earlier row.
        first: RowName,
        /// The later row.
        second: RowName,
        /// The image, with its root.
        path: PathBuf,
    },
    /// The reports.
    #[error("reports {}", path.display())]
    Reports {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: ReportsError,
    },
    /// The prompt file.
    #[error("prompts {}", path.display())]
    Prompts {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: PromptError,
    },
    /// A class of the prompt file that is none of the 14 findings.
    #[error("prompts {}: class `{class}` is not a finding, so its sentences cannot be labelled", path.display())]
    PromptClass {
        /// The file.
        path: PathBuf,
        /// Its name.
        class: String,
    },
    /// `sentences.prompt_share` is not a share.
    #[error("sentences.prompt_share must be in 0–1")]
    PromptShare,
    /// The label policy.
    #[error(transparent)]
    Labels(#[from] LabelPolicyError),
    /// Scores of other models.
    #[error(transparent)]
    Teacher(#[from] TeacherError),
    /// A selection.
    #[error(transparent)]
    Selection(#[from] SelectionError),
    /// An augmentation setting.
    #[error(transparent)]
    Augment(#[from] AugmentError),
    /// A setting of the sentences' second view.
    #[error(transparent)]
    TextAugment(#[from] TextAugmentError),
    /// A sampler setting, or data it cannot work with.
    #[error(transparent)]
    Sampler(#[from] SamplerError),
    /// `max_lost` is not a share.
    #[error("data.max_lost must be in 0–1")]
    MaxLost,
    /// More images than may be are missing or unreadable.
    #[error(
        "{} of {selected} images cannot be read ({}), and data.max_lost allows {}: {}; repair them, remove their rows, \
         correct data.image_root, or raise data.max_lost",
        lost.len(), percent(lost.len() as f64 / *selected as f64), percent(*limit), first_rows(lost)
    )]
    TooManyLost {
        /// The images, of all sets that were read by then.
        lost: Vec<LostImage>,
        /// Images selected, of all sets.
        selected: usize,
        /// Share that may be lost.
        limit: f64,
    },
    /// Images that are to stay in a cache, and no cache.
    #[error("data.in_memory = false leaves images in the cache: name its directory in data.cache")]
    NoCache,
    /// The preprocessing configuration.
    #[error("preprocessing")]
    Preprocess(#[from] PreprocessError),
    /// The images of a set.
    #[error("images of `{name}`")]
    Images {
        /// `train` or the evaluation's name.
        name: String,
        /// What is wrong with them.
        source: ImagesError,
    },
}

impl DataError {
    /// The error, without its cause, in words that name no image and no patient.
    pub fn unnamed(&self) -> String {
        match self {
            Self::Selection(error) => error.unnamed(),
            Self::Teacher(error) => error.unnamed(),
            _ => self.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_from_toml_and_refuses_unknown_fields() {
        let text = "manifest = 'm.csv'\nimage_root = '.'\n[train]\nsplits = ['train']\n[eval.val]\nsplits = ['val']\n\
                    [sampler]\nimages = 4\npairing = 'paired'\n";
        let config: DataConfig = toml::from_str(text).unwrap();
        assert_eq!(config.augment, AugmentConfig::default());
        assert!(toml::from_str::<DataConfig>(&format!("{text}batch = 3\n")).is_err());
    }
}
