//! How much the second view of a sentence differs.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Shares of a sentence's words that change.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TextAugmentConfig {
    /// As many exchanges of two words as this share of the words, at least one; 0, none.
    pub swap: f32,
    /// Probability with which each word is left out.
    pub delete: f32,
    /// As many synonyms as this share of the words, at least one; 0, none.
    pub synonym: f32,
}

impl Default for TextAugmentConfig {
    /// EDA's recommendation for small data sets.
    fn default() -> Self {
        Self { swap: 0.1, delete: 0.1, synonym: 0.1 }
    }
}

/// Why an augmentation of texts was refused.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TextAugmentError {
    /// A setting outside its range.
    #[error("text_augment.{field} must be in 0–1")]
    Range {
        /// The field.
        field: &'static str,
    },
    /// Every share is 0, so the second view would be the first.
    #[error("text_augment changes nothing: set swap, delete or synonym above 0, or leave it out")]
    Nothing,
    /// The list of synonyms is not one.
    #[error("the list of synonyms cannot be read")]
    Parse(#[source] Box<toml::de::Error>),
    /// The list of synonyms contradicts itself.
    #[error("the list of synonyms: `{phrase}` {fault}")]
    Phrase {
        /// The phrase.
        phrase: String,
        /// What is wrong with it.
        fault: &'static str,
    },
}

impl TextAugmentConfig {
    /// Checks every field.
    ///
    /// # Errors
    /// [`TextAugmentError::Range`], [`TextAugmentError::Nothing`].
    pub fn validate(&self) -> Result<(), TextAugmentError> {
        let shares = [("swap", self.swap), ("delete", self.delete), ("synonym", self.synonym)];
        match shares.into_iter().find(|(_, share)| !(0.0..=1.0).contains(share)) {
            Some((field, _)) => Err(TextAugmentError::Range { field }),
            None if shares.iter().all(|(_, share)| *share == 0.0) => Err(TextAugmentError::Nothing),
            None => Ok(()),
        }
    }
}
