//! How batches are made, as a configuration file says it.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// How sentences come to images.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Pairing {
    /// One sentence an image: a random one of its own report.
    ///
    /// Without a report, or when none of its sentences is in the pool: a sentence positive for one of the image's positive
    /// findings, else one negative for one of its negative findings, else one by frequency.
    Paired,
    /// Sentences drawn without regard to the images.
    Unpaired {
        /// Sentences a batch.
        sentences: usize,
        /// Share drawn as often as reports say them; the rest by finding. 0–1.
        natural: f32,
        /// Of the draws by finding, the share that says it is there; the others say it is not. 0–1.
        positive: f32,
    },
}

/// How batches are made.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SamplerConfig {
    /// Images a batch. What is left at the end of an epoch is dropped.
    pub images: usize,
    /// How sentences come to them.
    pub pairing: Pairing,
    /// How much more often images of rare findings are seen: an image weighs (images / images with its rarest positive
    /// finding) to this power. 0, each image once an epoch; 1, each finding about equally often.
    #[serde(default)]
    pub balance: f32,
}

/// Why a sampler was refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SamplerError {
    /// A setting outside its range.
    #[error("sampler.{field} must be {expected}")]
    Range {
        /// The field.
        field: &'static str,
        /// What it may be.
        expected: &'static str,
    },
    /// Not enough images for one batch.
    #[error("a batch takes {batch} images, there are {images}")]
    TooFewImages {
        /// Images a batch.
        batch: usize,
        /// Images there are.
        images: usize,
    },
    /// Nothing to draw.
    #[error("there is no labelled sentence to draw")]
    NoSentence,
}

impl SamplerConfig {
    /// Checks every field.
    ///
    /// # Errors
    /// [`SamplerError::Range`].
    pub fn validate(&self) -> Result<(), SamplerError> {
        let share = |value: f32| (0.0..=1.0).contains(&value);
        let mut checks =
            vec![("images", self.images > 0, "at least 1"), ("balance", share(self.balance), "in 0–1")];
        if let Pairing::Unpaired { sentences, natural, positive } = self.pairing {
            checks.push(("pairing.sentences", sentences > 0, "at least 1"));
            checks.push(("pairing.natural", share(natural), "in 0–1"));
            checks.push(("pairing.positive", share(positive), "in 0–1"));
        }
        match checks.into_iter().find(|(_, holds, _)| !holds) {
            Some((field, _, expected)) => Err(SamplerError::Range { field, expected }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_from_toml() {
        let config: SamplerConfig = toml::from_str(
            "images = 8\nbalance = 0.5\npairing.unpaired = { sentences = 5, natural = 0.5, positive = 0.5 }",
        )
        .unwrap();
        assert_eq!(
            config,
            SamplerConfig {
                images: 8,
                pairing: Pairing::Unpaired { sentences: 5, natural: 0.5, positive: 0.5 },
                balance: 0.5
            }
        );
        let config: SamplerConfig = toml::from_str("images = 8\npairing = 'paired'").unwrap();
        assert_eq!(config, SamplerConfig { images: 8, pairing: Pairing::Paired, balance: 0.0 });
        let unknown = "sentences = 5, natural = 0.5, positive = 0.5, negative = 0.5";
        let text = format!("images = 8\npairing.unpaired = {{ {unknown} }}");
        assert!(toml::from_str::<SamplerConfig>(&text).is_err());
    }
}
