//! How batches are made, as a configuration file says it.

use std::collections::{BTreeMap, BTreeSet};

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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
    /// Share of an epoch's visits that goes to the images of each source, as the manifest names it; above 0, together at
    /// most 1. Sources that are not named divide the rest as they would without this setting. `balance` then acts within a
    /// source. Sentences are drawn as before: by image when paired, else from all reports.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub source_share: BTreeMap<String, f64>,
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
    /// A share for a source that no training image has.
    #[error("sampler.source_share names `{source_name}`, which no training image is from")]
    UnknownSource {
        /// The source.
        source_name: String,
    },
    /// Shares that leave too much or too little.
    #[error("sampler.source_share: {reason}")]
    SourceShare {
        /// What is wrong with them.
        reason: String,
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
        if let Some((field, _, expected)) = checks.into_iter().find(|(_, holds, _)| !holds) {
            return Err(SamplerError::Range { field, expected });
        }
        let fault = |reason| Err(SamplerError::SourceShare { reason });
        if let Some((source, share)) =
            self.source_share.iter().find(|(_, share)| !(**share > 0.0 && **share <= 1.0))
        {
            return fault(format!("`{source}` must be above 0 and at most 1, not {share}"));
        }
        let total = self.named_share();
        if total > 1.0 + ROUNDING {
            return fault(format!("shares add up to {total}, more than 1"));
        }
        Ok(())
    }

    /// Checks the shares of sources against the sources there are.
    pub(super) fn check_sources(&self, sources: &[&str]) -> Result<(), SamplerError> {
        let present: BTreeSet<&str> = sources.iter().copied().collect();
        if let Some(unknown) = self.source_share.keys().find(|name| !present.contains(name.as_str())) {
            return Err(SamplerError::UnknownSource { source_name: unknown.clone() });
        }
        let total = self.named_share();
        let unnamed = present.iter().find(|source| !self.source_share.contains_key(**source));
        let reason = match unnamed {
            Some(source) if total >= 1.0 - ROUNDING => {
                format!(
                    "shares add up to {total} and leave nothing for the images of `{source}`; name it or do not select it"
                )
            }
            None if total < 1.0 - ROUNDING => {
                format!("every source is named, so shares must add up to 1, not {total}")
            }
            _ => return Ok(()),
        };
        Err(SamplerError::SourceShare { reason })
    }

    /// Sum of the shares that are given.
    pub(super) fn named_share(&self) -> f64 {
        self.source_share.values().sum()
    }
}

/// How far shares such as 0.1 + 0.2 + 0.7 may be from 1.
const ROUNDING: f64 = 1e-9;

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
                balance: 0.5,
                source_share: BTreeMap::new(),
            }
        );
        let config: SamplerConfig = toml::from_str("images = 8\npairing = 'paired'").unwrap();
        assert_eq!((config.pairing, config.balance), (Pairing::Paired, 0.0));
        let text = "images = 8\npairing = 'paired'\nsource_share = { iu_openi = 0.5, nih = 0.25 }";
        let config: SamplerConfig = toml::from_str(text).unwrap();
        assert_eq!(config.source_share, BTreeMap::from([("iu_openi".into(), 0.5), ("nih".into(), 0.25)]));
        let unknown = "sentences = 5, natural = 0.5, positive = 0.5, negative = 0.5";
        let text = format!("images = 8\npairing.unpaired = {{ {unknown} }}");
        assert!(toml::from_str::<SamplerConfig>(&text).is_err());
    }
    #[test]
    fn shares_that_cannot_be_are_refused() {
        type Case<'a> = (&'a [(&'a str, f64)], &'a [&'a str], &'a str);
        let check = |shares: &[(&str, f64)], sources: &[&str]| {
            let source_share = shares.iter().map(|(name, share)| ((*name).to_owned(), *share)).collect();
            let config = SamplerConfig { images: 1, pairing: Pairing::Paired, balance: 0.0, source_share };
            config.validate().and_then(|()| config.check_sources(sources)).map_err(|error| error.to_string())
        };
        let both = ["a", "b"];
        let cases: [Case; 7] = [
            (&[("a", 0.0)], &both, "`a` must be above 0 and at most 1, not 0"),
            (&[("a", f64::NAN)], &both, "`a` must be above 0 and at most 1, not NaN"),
            (&[("a", 0.75), ("b", 0.75)], &both, "shares add up to 1.5, more than 1"),
            (&[("a", 0.5)], &["a"], "every source is named, so shares must add up to 1, not 0.5"),
            (
                &[("a", 0.5), ("b", 0.25)],
                &both,
                "every source is named, so shares must add up to 1, not 0.75",
            ),
            (
                &[("a", 1.0)],
                &both,
                "shares add up to 1 and leave nothing for the images of `b`; name it or do not select it",
            ),
            (&[("a", 0.5), ("c", 0.25)], &both, "names `c`, which no training image is from"),
        ];
        for (shares, sources, message) in cases {
            let error = check(shares, sources).unwrap_err();
            assert!(error.starts_with("sampler.source_share") && error.ends_with(message), "{error}");
        }
        assert_eq!(check(&[], &["a"]), Ok(()));
        assert_eq!(check(&[("a", 0.1), ("b", 0.2), ("c", 0.7)], &["a", "b", "c"]), Ok(()));
    }
}
