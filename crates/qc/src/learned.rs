//! Checks that are linear in the model's embedding.

use medclip_core::head::{Head, HeadError};
use thiserror::Error;

use crate::code::{Code, UnknownCode};

/// A head whose classes are codes: one is found where its logit is above 0.
#[derive(Debug, Clone, PartialEq)]
pub struct LearnedChecks {
    head: Head,
    codes: Vec<Code>,
}

/// Why learned checks were refused.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LearnedError {
    /// The head.
    #[error(transparent)]
    Head(#[from] HeadError),
    /// A class that is no code.
    #[error(transparent)]
    Code(#[from] UnknownCode),
}

impl LearnedChecks {
    /// Reads a head as [`Head::to_bytes`] writes it.
    ///
    /// # Errors
    /// [`LearnedError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, LearnedError> {
        Self::new(Head::from_bytes(bytes)?)
    }

    /// Checks of a head whose classes are codes.
    ///
    /// # Errors
    /// [`LearnedError::Code`].
    pub fn new(head: Head) -> Result<Self, LearnedError> {
        let codes = head.classes().iter().map(|class| class.parse()).collect::<Result<_, _>>()?;
        Ok(Self { head, codes })
    }

    /// The head.
    pub const fn head(&self) -> &Head {
        &self.head
    }

    /// What it can find.
    pub fn codes(&self) -> &[Code] {
        &self.codes
    }

    /// What the embedding of an image speaks of, the most certain first.
    ///
    /// # Shapes
    /// - `embedding`: `[dim]`, unit norm
    pub fn check(&self, embedding: &[f32]) -> Vec<Code> {
        let scores = self.head.scores(embedding);
        let mut found: Vec<_> = self
            .codes
            .iter()
            .zip(scores)
            .filter(|(_, score)| score.logit > 0.0)
            .map(|(code, score)| (*code, score.logit))
            .collect();
        found.sort_by(|a, b| b.1.total_cmp(&a.1));
        found.into_iter().map(|(code, _)| code).collect()
    }
}

#[cfg(test)]
mod tests {
    use medclip_core::batch::Embeddings;

    use super::*;

    fn head(classes: [&str; 2]) -> Head {
        let rows = |values: &[f32], dim| Embeddings::new(values.to_vec(), dim).unwrap();
        let classes = classes.map(str::to_owned).to_vec();
        Head::new("id".into(), classes, rows(&[1.0, 0.0, 0.0, 2.0], 2), rows(&[-0.5, -0.5], 1)).unwrap()
    }

    #[test]
    fn a_logit_above_zero_is_a_finding() {
        let checks = LearnedChecks::new(head(["lateral", "inverted"])).unwrap();
        assert_eq!(checks.check(&[0.5, 0.25]), []);
        assert_eq!(checks.check(&[0.6, 0.8]), [Code::Inverted, Code::Lateral]);
        let bytes = checks.head().to_bytes().unwrap();
        assert_eq!(LearnedChecks::from_bytes(&bytes).unwrap(), checks);
    }

    #[test]
    fn a_head_of_findings_is_refused() {
        let error = LearnedChecks::new(head(["lateral", "Edema"])).unwrap_err();
        assert!(error.to_string().contains("`Edema` is no intake check"), "{error}");
    }
}
