//! The prompts of a bundle, embedded once by its text tower: scoring then needs no text tower at all.

use safetensors::SafeTensors;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::architecture::LogitScale;
use crate::batch::Embeddings;
use crate::prompt::ExpandedClass;
use crate::score::{FindingScore, PromptPooling, score_pair};
use crate::stored;

const TENSOR: &str = "embeddings";
const METADATA: &str = "medclip_prompt_bank";

/// Zero-shot classes with a unit-norm embedding for every prompt sentence.
#[derive(Debug, Clone, PartialEq)]
pub struct PromptBank {
    classes: Vec<ExpandedClass>,
    /// Each class's positive prompts, then its negative ones, class after class.
    embeddings: Embeddings,
    provenance: Provenance,
}

/// What a bank was made from; empty for a bank made at run time.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    /// SHA-256 of the prompt file, 64 hexadecimal digits.
    pub prompts_sha256: String,
    /// SHA-256 of the text graph that embedded the sentences.
    pub text_graph_sha256: String,
}

/// Why a bank was refused.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BankError {
    /// Another number of embeddings than of sentences.
    #[error("{sentences} prompt sentences and {embeddings} embeddings")]
    Count {
        /// Sentences of all classes.
        sentences: usize,
        /// Rows given.
        embeddings: usize,
    },
    /// A class lacks prompts of one polarity.
    #[error("class `{0}` needs positive and negative prompts")]
    OneSided(String),
    /// An embedding that is not a unit vector.
    #[error("the embedding of prompt {} has norm {norm}, not 1; make the bank again", row + 1)]
    Norm {
        /// Row of the embedding, from 0.
        row: usize,
        /// Its Euclidean norm.
        norm: f32,
    },
    /// Bytes that are no bank.
    #[error("not a prompt bank: {0}")]
    Format(String),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Metadata {
    classes: Vec<ExpandedClass>,
    provenance: Provenance,
}

impl PromptBank {
    /// A bank of `classes` whose sentences, positive before negative and class after class, have these embeddings.
    ///
    /// # Errors
    /// [`BankError`] when the numbers differ, a class is one-sided or a row is not a unit vector.
    pub fn build(classes: Vec<ExpandedClass>, embeddings: Embeddings) -> Result<Self, BankError> {
        let sentences = classes.iter().map(|class| class.positive.len() + class.negative.len()).sum();
        if sentences != embeddings.rows() {
            return Err(BankError::Count { sentences, embeddings: embeddings.rows() });
        }
        if let Some(class) = classes.iter().find(|c| c.positive.is_empty() || c.negative.is_empty()) {
            return Err(BankError::OneSided(class.name.clone()));
        }
        for (row, values) in embeddings.iter().enumerate() {
            let norm = values.iter().map(|v| v * v).sum::<f32>().sqrt();
            if norm.is_nan() || (norm - 1.0).abs() > 1e-3 {
                return Err(BankError::Norm { row, norm });
            }
        }
        Ok(Self { classes, embeddings, provenance: Provenance::default() })
    }

    /// The bank with a note of what it was made from.
    #[must_use]
    pub fn with_provenance(self, provenance: Provenance) -> Self {
        Self { provenance, ..self }
    }

    /// Classes in the order of [`Self::scores`].
    pub fn classes(&self) -> &[ExpandedClass] {
        &self.classes
    }

    /// Embeddings of the sentences of all classes: of each class the positive ones, then the negative ones.
    ///
    /// # Shapes
    /// `[sentences, dim]`, unit norm.
    pub const fn embeddings(&self) -> &Embeddings {
        &self.embeddings
    }

    /// What the bank was made from.
    pub const fn provenance(&self) -> &Provenance {
        &self.provenance
    }

    /// Width of the embeddings.
    pub const fn dim(&self) -> usize {
        self.embeddings.dim()
    }

    /// Scores of every class for one image.
    ///
    /// # Shapes
    /// - `image`: `[dim]`, unit norm
    /// - returns: `[classes]`
    pub fn scores(&self, image: &[f32], scale: LogitScale, pooling: PromptPooling) -> Vec<FindingScore> {
        let mut cosines = self.embeddings.iter().map(|prompt| dot(prompt, image));
        self.classes
            .iter()
            .map(|class| {
                let positive: Vec<f32> = cosines.by_ref().take(class.positive.len()).collect();
                let negative: Vec<f32> = cosines.by_ref().take(class.negative.len()).collect();
                score_pair(&class.name, &positive, &negative, scale, pooling)
            })
            .collect()
    }

    /// What every class compares an image with: the logit is `exp(scale)` times the product of the image with it.
    ///
    /// With [`PromptPooling::Mean`] that is the mean of the positive prompts minus that of the negative ones, for all images. With
    /// [`PromptPooling::Max`] it is the nearest positive prompt minus the nearest negative one, which `image` decides.
    ///
    /// # Shapes
    /// - `image`: `[dim]`, unit norm
    /// - returns: `[classes][dim]`
    pub fn directions(&self, image: &[f32], pooling: PromptPooling) -> Vec<Vec<f32>> {
        let mut prompts = self.embeddings.iter();
        self.classes
            .iter()
            .map(|class| {
                let mut side = |count: usize| {
                    let prompts: Vec<&[f32]> = prompts.by_ref().take(count).collect();
                    match pooling {
                        PromptPooling::Mean => mean(&prompts),
                        PromptPooling::Max => nearest(&prompts, image),
                    }
                };
                let (positive, negative) = (side(class.positive.len()), side(class.negative.len()));
                positive.iter().zip(negative).map(|(positive, negative)| positive - negative).collect()
            })
            .collect()
    }

    /// Pooled cosines of one image with every class's positive prompts, and with its negative ones.
    ///
    /// # Shapes
    /// - `image`: `[dim]`, unit norm
    /// - returns: `[classes]`, positive before negative
    pub fn sides(&self, image: &[f32], pooling: PromptPooling) -> Vec<[f32; 2]> {
        let mut cosines = self.embeddings.iter().map(|prompt| dot(prompt, image));
        let mut side = |count: usize| pooling.pool(&cosines.by_ref().take(count).collect::<Vec<_>>());
        let classes = self.classes.iter();
        classes.map(|class| [side(class.positive.len()), side(class.negative.len())]).collect()
    }

    /// Pooled logit of every class's positive prompts for one image: what a choice of one among the classes compares.
    ///
    /// # Shapes
    /// - `image`: `[dim]`, unit norm
    /// - returns: `[classes]`
    ///
    /// # Source
    /// Reference `medclip/modeling_medclip.py`, `PromptClassifier`, whose classes have no negative prompts.
    pub fn positive_logits(&self, image: &[f32], scale: LogitScale, pooling: PromptPooling) -> Vec<f32> {
        let sides = self.sides(image, pooling).into_iter();
        sides.map(|[positive, _]| scale.factor() * positive).collect()
    }

    /// The bank as a safetensors file.
    ///
    /// # Errors
    /// [`BankError::Format`] when it cannot be serialized.
    pub fn to_bytes(&self) -> Result<Vec<u8>, BankError> {
        let bytes = stored::bytes(&self.embeddings);
        let view = stored::view(&self.embeddings, &bytes).map_err(BankError::Format)?;
        let metadata = Metadata { classes: self.classes.clone(), provenance: self.provenance.clone() };
        let header = stored::header(METADATA, &metadata).map_err(BankError::Format)?;
        safetensors::serialize([(TENSOR, view)], Some(header)).map_err(format)
    }

    /// Reads what [`Self::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`BankError`] saying what is wrong.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BankError> {
        let metadata: Metadata =
            stored::note(bytes, METADATA, "it names no classes").map_err(BankError::Format)?;
        let tensors = SafeTensors::deserialize(bytes).map_err(format)?;
        let embeddings = stored::embeddings(&tensors, TENSOR).map_err(BankError::Format)?;
        Ok(Self::build(metadata.classes, embeddings)?.with_provenance(metadata.provenance))
    }
}

fn format(error: impl std::fmt::Display) -> BankError {
    BankError::Format(error.to_string())
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn mean(rows: &[&[f32]]) -> Vec<f32> {
    let dim = rows.first().map_or(0, |row| row.len());
    (0..dim).map(|at| rows.iter().map(|row| row[at]).sum::<f32>() / rows.len() as f32).collect()
}

fn nearest(rows: &[&[f32]], image: &[f32]) -> Vec<f32> {
    let nearest = rows.iter().max_by(|a, b| dot(a, image).total_cmp(&dot(b, image)));
    nearest.map_or_else(Vec::new, |row| row.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bank() -> PromptBank {
        let class = |name: &str, positive: &[&str], negative: &[&str]| ExpandedClass {
            name: name.to_owned(),
            positive: positive.iter().map(|s| (*s).to_owned()).collect(),
            negative: negative.iter().map(|s| (*s).to_owned()).collect(),
        };
        let classes = vec![class("A", &["a", "aa"], &["not a"]), class("B", &["b"], &["not b"])];
        let rows = [[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]];
        let provenance = Provenance { prompts_sha256: "p".into(), text_graph_sha256: "t".into() };
        let embeddings = Embeddings::new(rows.concat(), 2).unwrap();
        PromptBank::build(classes, embeddings).unwrap().with_provenance(provenance)
    }

    #[test]
    fn scores_pool_each_side() {
        let scores = bank().scores(&[1.0, 0.0], LogitScale::new(0.0), PromptPooling::Mean);
        // Class A: mean(1, 0) − (−1) = 1.5; class B is orthogonal to the image.
        assert_eq!((scores[0].name.as_str(), scores[0].logit), ("A", 1.5));
        assert!((scores[0].probability - 0.817_574_5).abs() < 1e-6);
        assert_eq!((scores[1].logit, scores[1].probability), (0.0, 0.5));
        // Class A: max(1, 0) − (−1).
        assert_eq!(bank().scores(&[1.0, 0.0], LogitScale::new(0.0), PromptPooling::Max)[0].logit, 2.0);
    }

    #[test]
    fn positive_logits_leave_negative_prompts_out() {
        let [one, two] = [1.0, 2.0].map(|factor: f32| LogitScale::new(factor.ln()));
        assert_eq!(bank().positive_logits(&[1.0, 0.0], one, PromptPooling::Mean), [0.5, 0.0]);
        assert_eq!(bank().positive_logits(&[0.0, 1.0], two, PromptPooling::Max), [2.0, 2.0]);
    }

    #[test]
    fn bytes_round_trip() {
        let bytes = bank().to_bytes().unwrap();
        assert_eq!(PromptBank::from_bytes(&bytes).unwrap(), bank());
    }

    #[test]
    fn damage_is_refused() {
        let bytes = bank().to_bytes().unwrap();
        for cut in [0, 4, 8, bytes.len() / 2, bytes.len() - 1] {
            assert!(PromptBank::from_bytes(&bytes[..cut]).is_err(), "cut at {cut}");
        }
        let classes = bank().classes().to_vec();
        let short = Embeddings::new(vec![1.0, 0.0], 2).unwrap();
        assert!(matches!(PromptBank::build(classes.clone(), short), Err(BankError::Count { .. })));
        let long = Embeddings::new(vec![2.0; 10], 2).unwrap();
        assert!(matches!(PromptBank::build(classes, long), Err(BankError::Norm { row: 0, .. })));
    }
}
