//! Whether a model still gives the answers it gave when its bundle was written.

use medclip_core::golden::GOLDEN_COSINE;
use serde::Serialize;

/// Least cosine of an embedding with the bundle's golden one, by tower.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct SelfTest {
    /// Of the golden images, preprocessing included.
    pub image: f64,
    /// Of the golden sentences, tokenization included.
    pub text: f64,
}

impl SelfTest {
    /// Whether both towers are within [`GOLDEN_COSINE`].
    pub fn passed(&self) -> bool {
        passes(self.image) && passes(self.text)
    }
}

/// Whether a cosine is near enough; what is not a number is not.
pub(crate) fn passes(cosine: f64) -> bool {
    cosine >= GOLDEN_COSINE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_a_number_fails() {
        assert!(!passes(f64::NAN) && !passes(0.999) && passes(1.0));
    }
}
