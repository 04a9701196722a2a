//! How rows are normalized, and what follows.

use super::statistics::BatchStatistics;

/// Which statistics normalize.
#[derive(Debug, Clone)]
pub enum BatchNormMode {
    /// Those of the rows at hand.
    Batch,
    /// Given ones, treated as constants by the gradient.
    Fixed(BatchStatistics),
}

/// What follows the normalization.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rectifier {
    /// Nothing.
    None,
    /// `max(y, 0)`.
    Relu,
    /// `min(max(y, 0), 6)`.
    Relu6,
}

impl Rectifier {
    /// Bounds of the output; beyond them nothing passes back.
    pub(super) const fn range(self) -> (f32, f32) {
        match self {
            Self::None => (f32::NEG_INFINITY, f32::INFINITY),
            Self::Relu => (0.0, f32::INFINITY),
            Self::Relu6 => (0.0, 6.0),
        }
    }
}
