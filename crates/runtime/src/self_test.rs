//! Whether a model still gives the answers it gave when its bundle was written.

use medclip_core::bundle::Bundle;
use medclip_core::golden::GOLDEN_COSINE;
use medclip_core::precision::{Precision, TowerKind};
use serde::Serialize;

/// Least cosine of an embedding with the bundle's golden one, by tower.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct SelfTest {
    /// Of the golden images, preprocessing included.
    pub image: f64,
    /// Of the golden sentences, tokenization included; none where the text tower was left out.
    pub text: Option<f64>,
    /// What both have to be at least, image first: [`GOLDEN_COSINE`] for the model's own graphs.
    #[serde(skip)]
    pub needed: [f64; 2],
}

impl SelfTest {
    /// Whether both towers are near enough.
    pub fn passed(&self) -> bool {
        let [image, text] = self.needed;
        passes(self.image, image) && self.text.is_none_or(|cosine| passes(cosine, text))
    }

    /// What a tower of a bundle has to reach in a precision.
    pub fn needed(bundle: &Bundle, tower: TowerKind, precision: Precision) -> f64 {
        needed(bundle, tower, precision)
    }
}

/// What a tower has to reach. A quantized one is farther from the golden answers, which are the model's own: it may be twice
/// as far from them as it was when it was made.
pub(crate) fn needed(bundle: &Bundle, tower: TowerKind, precision: Precision) -> f64 {
    let made = bundle.quantization().tower(tower, precision);
    made.map_or(GOLDEN_COSINE, |made| GOLDEN_COSINE.min(1.0 - 2.0 * (1.0 - made.golden_cosine)))
}

/// Whether a cosine is near enough; what is not a number is not.
pub(crate) fn passes(cosine: f64, needed: f64) -> bool {
    cosine >= needed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_a_number_fails() {
        for cosine in [f64::NAN, 0.999] {
            assert!(!passes(cosine, GOLDEN_COSINE));
        }
        assert!(passes(1.0, GOLDEN_COSINE));
    }
}
