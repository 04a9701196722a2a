//! A linear probe of a bundle's image embeddings: one logistic regression a finding.

use std::io;
use std::path::Path;

use safetensors::SafeTensors;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::batch::Embeddings;
use crate::score::FindingScore;
use crate::stored;
use medclip_files::{read_typed, sha256};

/// Most bytes of a file with a head.
const MAX_FILE_BYTES: u64 = 256 << 20;
const WEIGHTS: &str = "weights";
const BIASES: &str = "biases";
const METADATA: &str = "medclip_head";

/// Linear classifiers of the unit-norm embeddings of one bundle.
///
/// On disk a safetensors file: `weights` `[classes, dim]` and `biases` `[classes, 1]`, single precision, with the classes,
/// the bundle's id and a SHA-256 of all of these in its header. Nothing in the file is executed.
#[derive(Debug, Clone, PartialEq)]
pub struct Head {
    bundle_id: String,
    classes: Vec<String>,
    weights: Embeddings,
    biases: Embeddings,
}

/// Why a head was refused.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum HeadError {
    /// Another number of rows or biases than of classes, or none.
    #[error("{classes} classes, {weights} rows of weights and {biases} biases")]
    Count {
        /// Names given.
        classes: usize,
        /// Rows of weights given.
        weights: usize,
        /// Biases given.
        biases: usize,
    },
    /// A weight or bias that is not finite.
    #[error("the classifier of `{0}` is not finite")]
    NotFinite(String),
    /// The file cannot be read.
    #[error(transparent)]
    Read(#[from] io::Error),
    /// Bytes that are no head.
    #[error("not a head: {0}")]
    Format(String),
    /// Not the values that were written.
    #[error(
        "the head has changed: the SHA-256 of its values is {actual}, the file says {expected}; fetch or fit it again"
    )]
    Changed {
        /// The sum in the file.
        expected: String,
        /// That of its values.
        actual: String,
    },
    /// A head of an earlier version, whose damage nothing would tell.
    #[error(
        "the head has no checksum, as earlier versions wrote it, so damage would not be noticed; fit it again"
    )]
    NoChecksum,
    /// Fitted for another bundle: the same numbers mean nothing there.
    #[error("the head was fitted for bundle {expected}, this is bundle {actual}")]
    OtherBundle {
        /// Id of the bundle it was fitted for.
        expected: String,
        /// Id of the bundle it should be used with.
        actual: String,
    },
    /// Weights for embeddings of another width.
    #[error("the head takes embeddings of {expected} values, the model gives {actual}")]
    Width {
        /// Width of the weights.
        expected: usize,
        /// Width of the embeddings.
        actual: usize,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Metadata {
    bundle_id: String,
    classes: Vec<String>,
    /// Of everything else; earlier versions wrote none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
}

impl Head {
    /// Classifiers of `classes` for the bundle of id `bundle_id`.
    ///
    /// # Shapes
    /// - `weights`: `[classes, dim]`; `biases`: `[classes, 1]`
    ///
    /// # Errors
    /// [`HeadError::Count`], [`HeadError::NotFinite`].
    pub fn new(
        bundle_id: String,
        classes: Vec<String>,
        weights: Embeddings,
        biases: Embeddings,
    ) -> Result<Self, HeadError> {
        let count = classes.len();
        if count == 0 || [weights.rows(), biases.rows(), biases.data().len()] != [count; 3] {
            return Err(HeadError::Count { classes: count, weights: weights.rows(), biases: biases.rows() });
        }
        let rows = weights.iter().zip(&biases).zip(&classes);
        for ((weights, bias), class) in rows {
            if weights.iter().chain(bias).any(|value| !value.is_finite()) {
                return Err(HeadError::NotFinite(class.clone()));
            }
        }
        Ok(Self { bundle_id, classes, weights, biases })
    }

    /// Names of the classes, in the order of [`Self::scores`].
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// Id of the bundle it was fitted for.
    pub fn bundle_id(&self) -> &str {
        &self.bundle_id
    }

    /// Fails unless it was fitted for this bundle.
    ///
    /// # Errors
    /// [`HeadError::OtherBundle`], [`HeadError::Width`].
    pub fn check(&self, bundle_id: &str, dim: usize) -> Result<(), HeadError> {
        if self.bundle_id != bundle_id {
            let (expected, actual) = (self.bundle_id.clone(), bundle_id.to_owned());
            return Err(HeadError::OtherBundle { expected, actual });
        }
        if self.weights.dim() != dim {
            return Err(HeadError::Width { expected: self.weights.dim(), actual: dim });
        }
        Ok(())
    }

    /// Scores of every class for one image: `logit = w·x + b`, the log-odds.
    ///
    /// # Shapes
    /// - `image`: `[dim]`, unit norm
    /// - returns: `[classes]`
    pub fn scores(&self, image: &[f32]) -> Vec<FindingScore> {
        let rows = self.weights.iter().zip(&self.biases).zip(&self.classes);
        rows.map(|((weights, bias), name)| {
            let logit = bias.iter().sum::<f32>() + weights.iter().zip(image).map(|(w, x)| w * x).sum::<f32>();
            FindingScore { name: name.clone(), logit, probability: 1.0 / (1.0 + (-logit).exp()) }
        })
        .collect()
    }

    /// The weights of every class: its logit is the intercept plus the product of the image with them.
    ///
    /// # Shapes
    /// `[classes, dim]`
    pub const fn directions(&self) -> &Embeddings {
        &self.weights
    }

    /// The head as a safetensors file.
    ///
    /// # Errors
    /// [`HeadError::Format`] when it cannot be serialized.
    pub fn to_bytes(&self) -> Result<Vec<u8>, HeadError> {
        let [weights, biases] = [&self.weights, &self.biases].map(stored::bytes);
        let view = |rows, bytes| stored::view(rows, bytes).map_err(HeadError::Format);
        let tensors = [(WEIGHTS, view(&self.weights, &weights)?), (BIASES, view(&self.biases, &biases)?)];
        let metadata = Metadata {
            bundle_id: self.bundle_id.clone(),
            classes: self.classes.clone(),
            sha256: Some(self.checksum()),
        };
        let header = stored::header(METADATA, &metadata).map_err(HeadError::Format)?;
        safetensors::serialize(tensors, Some(header)).map_err(format)
    }

    /// Reads a file of what [`Self::to_bytes`] wrote. It may be a pipe.
    ///
    /// # Errors
    /// [`HeadError::Read`], and as [`Self::from_bytes`].
    pub fn open(path: &Path) -> Result<Self, HeadError> {
        Self::from_bytes(&read_typed(path, MAX_FILE_BYTES)?)
    }

    /// Reads what [`Self::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`HeadError`] saying what is wrong; [`HeadError::Changed`] for other values than were written.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, HeadError> {
        let (head, is_summed) = Self::parse(bytes)?;
        if is_summed { Ok(head) } else { Err(HeadError::NoChecksum) }
    }

    /// Reads a head out of a file whose bytes something else vouches for, as `SHA256SUMS` does in a bundle: one without a
    /// checksum of its own will do.
    ///
    /// # Errors
    /// As [`Self::from_bytes`].
    pub fn from_verified_bytes(bytes: &[u8]) -> Result<Self, HeadError> {
        Self::parse(bytes).map(|(head, _)| head)
    }

    /// The head, and whether it has a checksum.
    fn parse(bytes: &[u8]) -> Result<(Self, bool), HeadError> {
        let metadata: Metadata =
            stored::note(bytes, METADATA, "it names no bundle and no classes").map_err(HeadError::Format)?;
        let tensors = SafeTensors::deserialize(bytes).map_err(format)?;
        let rows = |name: &str| stored::embeddings(&tensors, name).map_err(HeadError::Format);
        let head = Self::new(metadata.bundle_id, metadata.classes, rows(WEIGHTS)?, rows(BIASES)?)?;
        match metadata.sha256 {
            None => Ok((head, false)),
            Some(expected) => match head.checksum() {
                actual if actual == expected => Ok((head, true)),
                actual => Err(HeadError::Changed { expected, actual }),
            },
        }
    }

    /// SHA-256 of the bundle's id, the classes and the values, each with its length in front.
    fn checksum(&self) -> String {
        let mut all = Vec::new();
        let texts =
            std::iter::once(&self.bundle_id).chain(&self.classes).map(|text| text.as_bytes().to_vec());
        for part in texts.chain([stored::bytes(&self.weights), stored::bytes(&self.biases)]) {
            all.extend((part.len() as u64).to_le_bytes());
            all.extend(part);
        }
        sha256(&all)
    }
}

fn format(error: impl std::fmt::Display) -> HeadError {
    HeadError::Format(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head() -> Head {
        let rows = |values: &[f32], dim| Embeddings::new(values.to_vec(), dim).unwrap();
        let classes = vec!["A".to_owned(), "B".to_owned()];
        Head::new("id".into(), classes, rows(&[1.0, 2.0, -3.0, 0.5], 2), rows(&[0.25, -1.0], 1)).unwrap()
    }

    #[test]
    fn scores_are_log_odds() {
        let scores = head().scores(&[0.5, -1.0]);
        assert_eq!(scores.iter().map(|score| score.logit).collect::<Vec<_>>(), [-1.25, -3.0]);
        assert!((scores[0].probability - 0.222_700_14).abs() < 1e-6);
    }

    #[test]
    fn bytes_round_trip_and_damage_is_refused() {
        let bytes = head().to_bytes().unwrap();
        assert_eq!(Head::from_bytes(&bytes).unwrap(), head());
        for cut in [0, 4, 8, bytes.len() / 2, bytes.len() - 1] {
            assert!(Head::from_bytes(&bytes[..cut]).is_err(), "cut at {cut}");
        }
        let rows = |values: &[f32], dim| Embeddings::new(values.to_vec(), dim).unwrap();
        let one = || vec!["A".to_owned()];
        let new = |weights, biases| Head::new("id".into(), one(), weights, biases);
        assert!(matches!(new(rows(&[1.0; 4], 2), rows(&[0.0], 1)), Err(HeadError::Count { .. })));
        assert!(matches!(new(rows(&[1.0; 2], 2), rows(&[0.0; 2], 2)), Err(HeadError::Count { .. })));
        assert!(matches!(new(rows(&[1.0, f32::NAN], 2), rows(&[0.0], 1)), Err(HeadError::NotFinite(_))));
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        let bytes = head().to_bytes().unwrap();
        for position in 0..bytes.len() {
            for bit in 0..8 {
                let mut flipped = bytes.clone();
                flipped[position] ^= 1 << bit;
                for read in [Head::from_bytes, Head::from_verified_bytes] {
                    // Some bits are of no account: a digit of the header's length, a letter written otherwise.
                    if let Ok(found) = read(&flipped) {
                        assert_eq!(found, head(), "bit {bit} of byte {position}");
                    }
                }
            }
        }
        let at = bytes.len() - 4;
        let mut flipped = bytes;
        flipped[at + 3] ^= 0x40;
        assert!(matches!(Head::from_bytes(&flipped), Err(HeadError::Changed { .. })));
    }

    #[test]
    fn a_head_without_a_checksum_needs_someone_to_vouch_for_it() {
        let [weights, biases] = [&head().weights, &head().biases].map(stored::bytes);
        let tensors = [
            (WEIGHTS, stored::view(&head().weights, &weights).unwrap()),
            (BIASES, stored::view(&head().biases, &biases).unwrap()),
        ];
        let metadata = Metadata { bundle_id: "id".into(), classes: head().classes, sha256: None };
        let header = stored::header(METADATA, &metadata).unwrap();
        let old = safetensors::serialize(tensors, Some(header)).unwrap();
        assert!(matches!(Head::from_bytes(&old), Err(HeadError::NoChecksum)));
        assert_eq!(Head::from_verified_bytes(&old).unwrap(), head());
    }

    #[test]
    fn another_bundle_is_refused() {
        assert!(head().check("id", 2).is_ok());
        assert!(matches!(head().check("other", 2), Err(HeadError::OtherBundle { .. })));
        assert!(matches!(head().check("id", 3), Err(HeadError::Width { expected: 2, actual: 3 })));
    }
}
