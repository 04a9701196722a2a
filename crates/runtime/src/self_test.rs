//! Whether a model still gives the answers it gave when its bundle was written.

use medclip_core::batch::Embeddings;
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

/// The least cosine of a row with its golden one; not a number where the two have other shapes.
pub(crate) fn least_cosine(found: &Embeddings, golden: &Embeddings) -> f64 {
    if (found.rows(), found.dim()) != (golden.rows(), golden.dim()) {
        return f64::NAN;
    }
    let dot =
        |a: &[f32], b: &[f32]| -> f64 { a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum() };
    let cosines = found.iter().zip(golden).map(|(a, b)| dot(a, b) / (dot(a, a) * dot(b, b)).sqrt());
    cosines.fold(1.0, |least, cosine| if cosine < least || cosine.is_nan() { cosine } else { least })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_row_decides() {
        let rows = |values: &[f32]| Embeddings::new(values.to_vec(), 2).unwrap();
        let golden = rows(&[1.0, 0.0, 0.0, 1.0]);
        assert_eq!(least_cosine(&golden, &golden), 1.0);
        assert!((least_cosine(&rows(&[1.0, 0.0, 0.6, 0.8]), &golden) - 0.8).abs() < 1e-6);
        assert!(least_cosine(&rows(&[f32::NAN, 0.0, 0.0, 1.0]), &golden).is_nan());
        assert!(least_cosine(&rows(&[1.0, 0.0]), &golden).is_nan());
        assert!(!passes(f64::NAN) && !passes(0.999) && passes(1.0));
    }
}
