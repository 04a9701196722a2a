//! What weights determine besides embeddings, in a bundle and in the weights it was made of.

use serde::Serialize;

/// One setting on both sides.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Agreement {
    /// What is compared.
    pub what: String,
    /// What the bundle says.
    pub bundle: String,
    /// What the weights say.
    pub weights: String,
    /// Whether both say the same.
    pub agrees: bool,
}

#[cfg(feature = "train")]
impl Agreement {
    /// Of values that agree when they are equal.
    pub(super) fn of(what: impl Into<String>, bundle: impl Into<String>, weights: impl Into<String>) -> Self {
        let (bundle, weights) = (bundle.into(), weights.into());
        Self { what: what.into(), agrees: bundle == weights, bundle, weights }
    }
}
