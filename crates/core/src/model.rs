//! Everything `model.toml` says: enough, with the weights, to reproduce every score.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::architecture::{Architecture, ImageTower, LogitScale, TextTower};
use crate::preprocess::{PreprocessConfig, PreprocessError, Preprocessor};
use crate::score::PromptPooling;
use crate::syntax::explain;
use crate::tokenize::TokenizerConfig;
use medclip_files::{MAX_TEXT_BYTES, read_typed, text};

/// The contents of `model.toml`, written by training and carried into a bundle.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelConfig {
    /// Version of this file's layout; [`ModelConfig::FORMAT`].
    pub format: u32,
    /// Name of the model, as scores report it.
    pub name: String,
    /// One line on what it is and was trained on.
    pub description: String,
    /// Natural logarithm of the factor that turns cosines into logits. The exporter takes it from the weights.
    pub logit_scale: f32,
    /// How a class's prompts are pooled: `mean`, or `max`.
    #[serde(default)]
    pub prompt_pooling: PromptPooling,
    /// The towers.
    pub architecture: Architecture,
    /// Image to pixels.
    pub preprocess: PreprocessConfig,
    /// Sentence to tokens.
    pub tokenizer: TokenizerConfig,
}

/// Why a `model.toml` cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ModelConfigError {
    /// The file cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Not TOML, a key is missing, or a key is not one of [`ModelConfig`]'s.
    #[error("not a model.toml: {0}")]
    Syntax(String),
    /// Written for another version.
    #[error("layout {found}, this version reads {}", ModelConfig::FORMAT)]
    Format {
        /// Its `format`.
        found: u32,
    },
    /// Preprocessing that gives no pixels.
    #[error(transparent)]
    Preprocess(#[from] PreprocessError),
    /// Parts that do not fit each other.
    #[error("{0}")]
    Inconsistent(String),
}

impl ModelConfig {
    /// The layout this version reads and writes.
    pub const FORMAT: u32 = 1;

    /// Reads a `model.toml`.
    ///
    /// # Errors
    /// [`ModelConfigError`] when the file cannot be read or used.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, ModelConfigError> {
        let path = path.as_ref();
        let text = read_typed(path, MAX_TEXT_BYTES)
            .and_then(text)
            .map_err(|source| ModelConfigError::Read { path: path.to_owned(), source })?;
        Self::parse(&text)
    }

    /// A configuration from the contents of a `model.toml`.
    ///
    /// # Errors
    /// [`ModelConfigError`] when it cannot be used.
    pub fn parse(text: &str) -> Result<Self, ModelConfigError> {
        #[derive(Deserialize)]
        struct Layout {
            format: u32,
        }
        let syntax = |error: toml::de::Error| ModelConfigError::Syntax(explain(text, &error));
        // The version first: another layout has other keys, and complaining of those would mislead.
        let Layout { format } = toml::from_str(text).map_err(syntax)?;
        if format != Self::FORMAT {
            return Err(ModelConfigError::Format { found: format });
        }
        let config: Self = toml::from_str(text).map_err(syntax)?;
        config.check()?;
        Ok(config)
    }

    /// The contents of a `model.toml`.
    ///
    /// # Errors
    /// [`ModelConfigError::Syntax`] when a value has no TOML form.
    pub fn to_toml(&self) -> Result<String, ModelConfigError> {
        toml::to_string(self).map_err(|error| ModelConfigError::Syntax(error.to_string()))
    }

    /// The temperature, clamped as the method wants it.
    pub fn logit_scale(&self) -> LogitScale {
        LogitScale::new(self.logit_scale)
    }

    /// Whether the parts fit each other.
    ///
    /// # Errors
    /// [`ModelConfigError::Preprocess`] or [`ModelConfigError::Inconsistent`] when they do not.
    pub fn check(&self) -> Result<(), ModelConfigError> {
        Preprocessor::new(self.preprocess.clone())?;
        let channels = self.architecture.image.channels();
        let TextTower::Bert(text) = &self.architecture.text;
        let reason = if self.name.trim().is_empty() {
            "name is empty".to_owned()
        } else if self.architecture.embedding_dim == 0 {
            "embedding_dim is 0".to_owned()
        } else if channels != self.preprocess.channels {
            format!(
                "the image tower takes {channels} channels, preprocessing gives {}",
                self.preprocess.channels
            )
        } else if let ImageTower::Swin(swin) = &self.architecture.image
            && let Err(error) = swin.plan(self.preprocess.image_size)
        {
            error.to_string()
        } else if self.tokenizer.max_length > text.max_position_embeddings {
            format!(
                "the text tower takes {} tokens, the tokenizer gives up to {}",
                text.max_position_embeddings, self.tokenizer.max_length
            )
        } else if !self.logit_scale.is_finite() {
            format!("logit_scale is {}", self.logit_scale)
        } else {
            return Ok(());
        };
        Err(ModelConfigError::Inconsistent(reason))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::architecture::{BertConfig, EfficientNetConfig};

    pub(crate) fn config() -> ModelConfig {
        ModelConfig {
            format: ModelConfig::FORMAT,
            name: "tiny".to_owned(),
            description: "for tests".to_owned(),
            logit_scale: LogitScale::INITIAL,
            prompt_pooling: PromptPooling::Mean,
            architecture: Architecture {
                embedding_dim: 2,
                image: ImageTower::EfficientnetLite(EfficientNetConfig::lite0(1)),
                text: TextTower::Bert(BertConfig::minilm_l6()),
            },
            preprocess: PreprocessConfig::medclip(224, 1),
            tokenizer: TokenizerConfig { lowercase: true, max_length: 77 },
        }
    }

    #[test]
    fn survives_its_file_exactly() {
        let text = config().to_toml().unwrap();
        assert_eq!(ModelConfig::parse(&text).unwrap(), config(), "{text}");
    }

    #[test]
    fn an_unknown_key_or_another_layout_is_named() {
        let text = config().to_toml().unwrap();
        for (from, to, reason) in [
            ("image_size", "image_sise", "image_sise"),
            ("format = 1", "format = 2", "layout 2"),
            ("layer_norm_eps", "layer_norm_epsilon", "layer_norm_epsilon"),
            ("channels = 1", "channels = 3", "channels"),
            ("max_length = 77", "max_length = 999", "999"),
            ("kind = \"bert\"", "kind = \"gpt\"", "gpt"),
            ("std = ", "std = -", "std"),
        ] {
            assert!(text.contains(from), "{from} in {text}");
            let error = ModelConfig::parse(&text.replacen(from, to, 1)).unwrap_err().to_string();
            assert!(error.contains(reason), "{error:?} does not speak of {reason:?}");
        }
    }
}
