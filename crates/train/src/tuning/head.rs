//! Linear classifiers of unit-norm embeddings.

use candle_core::{Result, Tensor};
use medclip_core::head::HeadError;
use medclip_core::{Embeddings, Finding, Head};
use medclip_nn::to_embeddings;

/// One linear classifier a finding, of no bundle yet.
#[derive(Debug, Clone, PartialEq)]
pub struct LinearHead {
    findings: Vec<Finding>,
    /// `[findings, dim]`.
    weights: Embeddings,
    /// `[findings]`.
    biases: Vec<f32>,
}

impl LinearHead {
    /// Classifiers of `findings`.
    ///
    /// # Shapes
    /// - `weights`: `[findings, dim]`; `biases`: `[findings]`
    /// # Errors
    /// When the shapes are others.
    pub(super) fn new(findings: &[Finding], weights: &Tensor, biases: &Tensor) -> Result<Self> {
        let biases = biases.reshape(findings.len())?.to_vec1()?;
        Ok(Self { findings: findings.to_vec(), weights: to_embeddings(weights)?, biases })
    }

    /// The findings, in the order of [`Self::logits`].
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Log-odds of every finding for every film.
    ///
    /// # Shapes
    /// - `films`: `[films, dim]`, unit norm
    /// - returns: `[findings][films]`
    pub fn logits(&self, films: &Embeddings) -> Vec<Vec<f32>> {
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
        let classifiers = self.weights.iter().zip(&self.biases);
        classifiers
            .map(|(weights, bias)| films.iter().map(|film| bias + dot(weights, film)).collect())
            .collect()
    }

    /// The classifiers as a head of the bundle whose embeddings they take.
    ///
    /// # Errors
    /// [`HeadError`] when there is none or one is not finite.
    pub fn for_bundle(&self, bundle_id: &str) -> std::result::Result<Head, HeadError> {
        let classes = self.findings.iter().map(|finding| finding.name().to_owned()).collect();
        let biases =
            Embeddings::new(self.biases.clone(), 1).map_err(|error| HeadError::Format(error.to_string()))?;
        Head::new(bundle_id.to_owned(), classes, self.weights.clone(), biases)
    }
}
