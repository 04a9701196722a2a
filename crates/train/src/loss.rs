//! Objectives: what a batch of images and a batch of sentences should agree on.

mod labels;
mod terms;

use candle_core::{Result, Tensor, bail};
use medclip_core::Finding;
use serde::{Deserialize, Serialize};

use self::labels::{agreement, similarities};
use self::terms::{Direction, softmax, uniform_over, uniform_over_best};

/// An objective over image–text logits. The table has what each takes for the targets of an image; a sentence's are found
/// in the same way over images, and the loss is the mean of both directions.
///
/// | objective | targets of an image over the sentences |
/// |---|---|
/// | [`InfoNce`](Self::InfoNce) | its own sentence |
/// | [`MultiPositiveNce`](Self::MultiPositiveNce) | all sentences whose labels overlap with the image's, alike |
/// | [`Sigmoid`](Self::Sigmoid) | every pair is a decision of its own: do the labels overlap? |
/// | [`HardMatching`](Self::HardMatching) | the sentences whose labels match best, alike |
/// | [`SemanticMatching`](Self::SemanticMatching) | the softmax of the similarities of labels |
/// | [`Contradiction`](Self::Contradiction) | sentences that are true of the image attract it, those that are false repel it |
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Objective {
    /// MedCLIP's semantic matching loss: soft targets from label vectors.
    SemanticMatching {
        /// How label vectors are compared.
        similarity: LabelSimilarity,
        /// Divides the similarity before the softmax; the paper has none, that is 1.
        #[serde(default = "one")]
        label_temperature: f64,
    },
    /// CLIP's InfoNCE: the i-th sentence belongs to the i-th image and to no other.
    InfoNce,
    /// Supervised contrastive loss: `−1/|P(i)| Σ_{j ∈ P(i)} log pᵢⱼ` with `P(i)` the sentences with `l_v·l_t > 0`. Images and
    /// sentences that match nothing in the batch have no term of their own.
    MultiPositiveNce,
    /// `SigLIP`'s loss: `−1/n Σᵢⱼ log σ(zᵢⱼ (Sᵢⱼ + b))` with `z = 1` where `l_v·l_t > 0`, else −1.
    ///
    /// `SigLIP` learns `b`. Here it is the log odds of a match in the batch, where the loss is lowest for logits that tell
    /// nothing.
    Sigmoid,
    /// Uniform over the sentences whose labels match best.
    HardMatching {
        /// How label vectors are compared.
        similarity: LabelSimilarity,
    },
    /// Semantic matching in which −1 counts: a sentence that denies what the image shows contradicts it, one that denies
    /// what the image lacks agrees with it.
    ///
    /// The agreement `aᵢⱼ = l_v·l_t / |l_t|₁` is the share of what the sentence says that holds, minus the share that does
    /// not. Pairs with `a = 0` are left out of all sums. The positive part of `a`, normalized, is the target of the softmax over
    /// `S` (attraction), the negative part that of the softmax over `−S` (repulsion). Nearly all images agree with "no
    /// pneumothorax", so its attraction says little; its repulsion says as much as the attraction of "pneumothorax".
    Contradiction {
        /// Weight of repulsion in the mean with attraction, 0 to 1.
        #[serde(default = "half")]
        repulsion: f64,
    },
}

/// How the label vectors of an image and a sentence are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LabelSimilarity {
    /// `l_v·l_t / (|l_v| |l_t|)`, the paper; 0 where a vector is all zeros.
    Cosine,
    /// `l_v·l_t`, the reference code.
    Dot,
}

const fn one() -> f64 {
    1.0
}

const fn half() -> f64 {
    0.5
}

/// Label vectors of one side of a batch, entries in {−1, 0, 1}, or between them where a teacher made them soft.
pub type LabelVectors = [[f32; Finding::COUNT]];

impl Objective {
    /// `L = ½ [ −1/n Σᵢ Σⱼ yᵢⱼ log pᵢⱼ − 1/m Σⱼ Σᵢ y′ⱼᵢ log p′ⱼᵢ ]` with `p` the softmax of the logits over sentences,
    /// `p′` over images, and `y`, `y′` the targets of each direction; [`Sigmoid`](Self::Sigmoid) and
    /// [`Contradiction`](Self::Contradiction) say what they have in place of it.
    ///
    /// # Shapes
    /// - `logits`: `[images, texts]`, cosines already multiplied by `exp(logit_scale)`
    /// - `image_labels`, `text_labels`: one vector an image and a text; InfoNCE ignores them
    /// - returns: scalar, in nats
    /// # Errors
    /// When the label counts differ from the logits' shape, or InfoNCE gets unequal numbers.
    /// # Source
    /// Wang et al. 2022, equations 3–6; the reference's `ImageTextContrastiveLoss` for [`LabelSimilarity::Dot`]. Khosla et al.
    /// 2020, equation 2, for [`MultiPositiveNce`](Self::MultiPositiveNce). Zhai et al. 2023, equation 1, for
    /// [`Sigmoid`](Self::Sigmoid).
    pub fn loss(
        &self,
        logits: &Tensor,
        image_labels: &LabelVectors,
        text_labels: &LabelVectors,
    ) -> Result<Tensor> {
        let (images, texts) = logits.dims2()?;
        if image_labels.len() != images || text_labels.len() != texts {
            bail!("{images}×{texts} logits with {} and {} labels", image_labels.len(), text_labels.len());
        }
        let columns = || logits.t()?.contiguous();
        match *self {
            Self::SemanticMatching { similarity, label_temperature } => {
                let targets = |row: &[f32]| softmax(row, label_temperature);
                let [forward, backward] = matched(image_labels, text_labels, similarity, targets);
                halves(forward.attraction(logits)?, backward.attraction(&columns()?)?)
            }
            Self::HardMatching { similarity } => {
                let [forward, backward] = matched(image_labels, text_labels, similarity, uniform_over_best);
                halves(forward.attraction(logits)?, backward.attraction(&columns()?)?)
            }
            Self::MultiPositiveNce => {
                let targets = |row: &[f32]| uniform_over(row, |similarity| similarity > 0.0);
                let [forward, backward] = matched(image_labels, text_labels, LabelSimilarity::Dot, targets);
                halves(forward.attraction(logits)?, backward.attraction(&columns()?)?)
            }
            Self::InfoNce => {
                if images != texts {
                    bail!("InfoNCE pairs {images} images with {texts} texts");
                }
                let own = || (0..images).map(|i| (0..texts).map(|j| f32::from(i == j)).collect()).collect();
                let [forward, backward] = [(); 2].map(|()| Direction::new(own()));
                halves(forward.attraction(logits)?, backward.attraction(&columns()?)?)
            }
            Self::Sigmoid => {
                let similarities = similarities(image_labels, text_labels, LabelSimilarity::Dot);
                terms::pairwise(logits, &similarities)
            }
            Self::Contradiction { repulsion } => {
                let agreement = agreement(image_labels, text_labels);
                let forward = terms::contradiction(logits, &agreement, repulsion)?;
                let backward = terms::contradiction(&columns()?, &labels::transposed(&agreement), repulsion)?;
                halves(forward, backward)
            }
        }
    }
}

/// Targets of images over texts and of texts over images.
fn matched(
    images: &LabelVectors,
    texts: &LabelVectors,
    similarity: LabelSimilarity,
    targets: impl Fn(&[f32]) -> Vec<f32>,
) -> [Direction; 2] {
    [(images, texts), (texts, images)].map(|(rows, columns)| {
        Direction::new(similarities(rows, columns, similarity).iter().map(|row| targets(row)).collect())
    })
}

fn halves(forward: Tensor, backward: Tensor) -> Result<Tensor> {
    (forward + backward)? * 0.5
}
