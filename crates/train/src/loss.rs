//! Objectives: what a batch of images and a batch of sentences should agree on.

use candle_core::{D, Result, Tensor, bail};
use medclip_core::Finding;
use serde::{Deserialize, Serialize};

/// An objective over image–text logits.
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
    /// Uniform over the sentences whose labels match best.
    HardMatching {
        /// How label vectors are compared.
        similarity: LabelSimilarity,
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

/// Label vectors of one side of a batch, entries in {−1, 0, 1}.
pub type LabelVectors = [[f32; Finding::COUNT]];

impl Objective {
    /// `L = ½ [ −1/n Σᵢ Σⱼ yᵢⱼ log pᵢⱼ − 1/m Σⱼ Σᵢ y′ⱼᵢ log p′ⱼᵢ ]` with `p` the softmax of the logits over sentences,
    /// `p′` over images, and `y`, `y′` the targets of each direction.
    ///
    /// # Shapes
    /// - `logits`: `[images, texts]`, cosines already multiplied by `exp(logit_scale)`
    /// - `image_labels`, `text_labels`: one vector an image and a text; InfoNCE ignores them
    /// - returns: scalar, in nats, mean of both directions
    /// # Errors
    /// When the label counts differ from the logits' shape, or InfoNCE gets unequal numbers.
    /// # Source
    /// Wang et al. 2022, equations 3–6; the reference's `ImageTextContrastiveLoss` for [`LabelSimilarity::Dot`].
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
        let (rows, columns) = self.targets(image_labels, text_labels)?;
        let device = logits.device();
        let rows = Tensor::from_vec(rows, (images, texts), device)?;
        let columns = Tensor::from_vec(columns, (texts, images), device)?;
        let forward = soft_cross_entropy(logits, &rows)?;
        let backward = soft_cross_entropy(&logits.t()?.contiguous()?, &columns)?;
        (forward + backward)? * 0.5
    }

    /// Target distributions: over texts for each image, and over images for each text, row-major.
    ///
    /// # Errors
    /// InfoNCE with unequal numbers of images and texts.
    pub fn targets(&self, images: &LabelVectors, texts: &LabelVectors) -> Result<(Vec<f32>, Vec<f32>)> {
        Ok(match *self {
            Self::SemanticMatching { similarity, label_temperature } => {
                let by = |l: &LabelVectors, r: &LabelVectors| {
                    similarities(l, r, similarity)
                        .into_iter()
                        .flat_map(|row| softmax(&row, label_temperature))
                        .collect()
                };
                (by(images, texts), by(texts, images))
            }
            Self::HardMatching { similarity } => {
                let by = |l: &LabelVectors, r: &LabelVectors| {
                    similarities(l, r, similarity)
                        .into_iter()
                        .flat_map(|row| uniform_over_best(&row))
                        .collect()
                };
                (by(images, texts), by(texts, images))
            }
            Self::InfoNce => {
                if images.len() != texts.len() {
                    bail!("InfoNCE pairs {} images with {} texts", images.len(), texts.len());
                }
                let n = images.len();
                let identity: Vec<f32> = (0..n * n).map(|i| f32::from(i / n == i % n)).collect();
                (identity.clone(), identity)
            }
        })
    }
}

/// Mean over rows of `−Σ target · log softmax(logits)`.
fn soft_cross_entropy(logits: &Tensor, targets: &Tensor) -> Result<Tensor> {
    let rows = logits.dim(0)? as f64;
    let log_p = candle_nn::ops::log_softmax(logits, D::Minus1)?;
    (targets * log_p)?.sum_all()?.affine(-1.0 / rows, 0.0)
}

fn similarities(left: &LabelVectors, right: &LabelVectors, kind: LabelSimilarity) -> Vec<Vec<f32>> {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    left.iter()
        .map(|l| {
            right
                .iter()
                .map(|r| match kind {
                    LabelSimilarity::Dot => dot(l, r),
                    LabelSimilarity::Cosine => {
                        let norms = (dot(l, l) * dot(r, r)).sqrt();
                        if norms > 0.0 { dot(l, r) / norms } else { 0.0 }
                    }
                })
                .collect()
        })
        .collect()
}

fn softmax(row: &[f32], temperature: f64) -> Vec<f32> {
    let max = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let exp: Vec<f64> = row.iter().map(|s| (f64::from(s - max) / temperature).exp()).collect();
    let sum: f64 = exp.iter().sum();
    exp.into_iter().map(|e| (e / sum) as f32).collect()
}

fn uniform_over_best(row: &[f32]) -> Vec<f32> {
    let best = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let is_best = |s: f32| s >= best - 1e-6;
    let count = row.iter().filter(|s| is_best(**s)).count() as f32;
    row.iter().map(|s| if is_best(*s) { 1.0 / count } else { 0.0 }).collect()
}
