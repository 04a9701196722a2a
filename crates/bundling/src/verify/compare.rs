//! Two sides' embeddings to differences.

use medclip_core::Embeddings;
use serde::Serialize;

use super::inputs::Mapped;

/// How far two sides may be apart.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ParityLimits {
    /// Least cosine of an image's embedding with its counterpart.
    pub image_cosine: f64,
    /// Least cosine of a sentence's embedding with its counterpart.
    pub text_cosine: f64,
    /// Largest difference of a logit.
    pub logit: f64,
    /// Largest difference of an entry of a map from its counterpart.
    pub map: f64,
    /// Largest difference between the mean of a map and the embedding of the same call.
    pub map_mean: f64,
}

impl ParityLimits {
    /// The same weights in the same precision.
    pub(super) const EXACT: Self =
        Self { image_cosine: 0.99999, text_cosine: 0.99999, logit: 1e-4, map: 1e-4, map_mean: 1e-5 };
    /// Sentences from weights that storage has rounded to eleven bits.
    #[cfg(any(feature = "train", test))]
    const HALF: Self = Self { text_cosine: 0.9999, logit: 0.05, ..Self::EXACT };

    /// The same 8-bit weights, sums rounded by different engines.
    pub(super) const QUANTIZED: Self =
        Self { image_cosine: 0.999, text_cosine: 0.999, logit: 0.5, map: 0.5, map_mean: 1e-5 };

    /// A bundle compared with the weights it was made of.
    #[cfg(feature = "train")]
    pub(super) const fn to_weights(half: bool) -> Self {
        if half { Self::HALF } else { Self::EXACT }
    }

    /// Whether the maps of an engine keep to them; what is not a number does not.
    pub fn hold_maps(&self, found: &MapComparison) -> bool {
        found.mean <= self.map_mean && found.largest.is_none_or(|largest| largest <= self.map)
    }

    /// Whether a comparison keeps to them; what is not a number does not.
    pub fn hold(&self, found: &Comparison) -> bool {
        found.image.cosine >= self.image_cosine
            && found.text.cosine >= self.text_cosine
            && found.logit <= self.logit
    }
}

/// One engine on one batch size, compared with what it should give.
#[derive(Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// The engine's name.
    pub engine: String,
    /// Images, and sentences, in the batch.
    pub batch: usize,
    /// Of the images.
    pub image: Difference,
    /// Of the sentences.
    pub text: Difference,
    /// Largest difference of a logit: scaled cosine of every image with every sentence of the batch.
    pub logit: f64,
}

/// The maps of an engine.
#[derive(Debug, PartialEq, Serialize)]
pub struct MapComparison {
    /// The engine's name.
    pub engine: String,
    /// Largest difference between the mean of a map and the embedding of the same call.
    pub mean: f64,
    /// Largest difference of an entry from its counterpart; none for what the others are compared with.
    pub largest: Option<f64>,
}

impl MapComparison {
    pub(super) fn new(engine: &str, (embeddings, maps): &Mapped, expected: Option<&Mapped>) -> Self {
        Self {
            engine: engine.to_owned(),
            mean: maps.incompleteness(embeddings),
            largest: expected.map(|(_, other)| maps.largest_difference(other)),
        }
    }
}

/// How far embeddings are apart.
#[derive(Debug, PartialEq, Serialize)]
pub struct Difference {
    /// Largest difference of an entry.
    pub largest: f64,
    /// Least cosine of a row with its counterpart.
    pub cosine: f64,
}

type Pair<'a> = (&'a Embeddings, &'a Embeddings);

impl Comparison {
    /// `found` and `expected` are images and sentences, `[batch, dim]` each; `scales` the factors of each side that turn
    /// cosines into logits.
    pub(super) fn new(
        engine: &str,
        batch: usize,
        found: Pair<'_>,
        expected: Pair<'_>,
        scales: [f32; 2],
    ) -> Self {
        let (own, other) = (logits(found, scales[0]), logits(expected, scales[1]));
        Self {
            engine: engine.to_owned(),
            batch,
            image: Difference::new(found.0, expected.0),
            text: Difference::new(found.1, expected.1),
            logit: own.iter().zip(&other).map(|(a, b)| (a - b).abs()).fold(0.0, worse),
        }
    }
}

impl Difference {
    /// Not numbers where the two have other shapes.
    pub(crate) fn new(found: &Embeddings, expected: &Embeddings) -> Self {
        if (found.rows(), found.dim()) != (expected.rows(), expected.dim()) {
            return Self { largest: f64::NAN, cosine: f64::NAN };
        }
        let entries = found.data().iter().zip(expected.data());
        Self {
            largest: entries.map(|(a, b)| f64::from((a - b).abs())).fold(0.0, worse),
            cosine: found.least_cosine(expected),
        }
    }
}

fn logits((images, texts): Pair<'_>, scale: f32) -> Vec<f64> {
    let of_image = |image| texts.iter().map(move |text| f64::from(scale) * dot(image, text));
    images.iter().flat_map(of_image).collect()
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
}

/// The larger; not-a-number outdoes everything.
fn worse(worst: f64, difference: f64) -> f64 {
    if difference > worst || difference.is_nan() { difference } else { worst }
}

#[cfg(test)]
mod tests {
    use medclip_core::map::LocationMaps;

    use super::*;

    fn rows(values: &[f32]) -> Embeddings {
        Embeddings::new(values.to_vec(), 2).unwrap()
    }

    #[test]
    fn the_worst_row_counts() {
        let (image, text) = (rows(&[1.0, 0.0, 0.0, 1.0]), rows(&[1.0, 0.0]));
        let turned = rows(&[1.0, 0.0, 0.6, 0.8]);
        let found = Comparison::new("a", 2, (&turned, &text), (&image, &text), [10.0; 2]);
        assert!((found.image.cosine - 0.8).abs() < 1e-6 && (found.image.largest - 0.6).abs() < 1e-6);
        assert_eq!(found.text, Difference { largest: 0.0, cosine: 1.0 });
        assert!((found.logit - 6.0).abs() < 1e-6);
        assert!(!ParityLimits::EXACT.hold(&found));
        assert!(ParityLimits::EXACT.hold(&Comparison::new(
            "a",
            2,
            (&image, &text),
            (&image, &text),
            [10.0; 2]
        )));
    }

    #[test]
    fn another_temperature_is_another_logit() {
        let (image, text) = (rows(&[1.0, 0.0]), rows(&[1.0, 0.0]));
        let found = Comparison::new("a", 1, (&image, &text), (&image, &text), [14.0, 100.0]);
        assert!((found.logit - 86.0).abs() < 1e-6 && !ParityLimits::EXACT.hold(&found));
    }

    #[test]
    fn half_precision_of_the_text_excuses_no_image() {
        let (image, text) = (rows(&[1.0, 0.0]), rows(&[0.0, 1.0]));
        // A cosine of 0.99995.
        let turned = |a: f32, b: f32| rows(&[a, b]);
        let found = Comparison::new("a", 1, (&image, &turned(0.01, 0.999_95)), (&image, &text), [1.0; 2]);
        assert!(ParityLimits::HALF.hold(&found) && !ParityLimits::EXACT.hold(&found));
        let found = Comparison::new("a", 1, (&turned(0.999_95, 0.01), &text), (&image, &text), [1.0; 2]);
        assert!(!ParityLimits::HALF.hold(&found));
    }

    #[test]
    fn maps_average_to_their_embedding_and_are_those_of_the_other_side() {
        let maps = |values: [f32; 4]| LocationMaps::new(values.to_vec(), [1, 1, 2, 2]).unwrap();
        let sound = (rows(&[0.5, 0.5]), maps([1.0, 0.0, 0.0, 1.0]));
        let turned = (rows(&[0.5, 0.5]), maps([0.0, 1.0, 1.0, 0.0]));
        let off = (rows(&[0.5, 0.6]), maps([1.0, 0.0, 0.0, 1.0]));
        let holds = |own: &Mapped, other: Option<&Mapped>| {
            ParityLimits::EXACT.hold_maps(&MapComparison::new("a", own, other))
        };
        assert!(holds(&sound, None) && holds(&sound, Some(&sound)));
        assert!(!holds(&turned, Some(&sound)) && holds(&turned, None));
        assert!(!holds(&off, None) && !holds(&sound, Some(&(rows(&[0.5, 0.5]), maps([f32::NAN; 4])))));
    }

    #[test]
    fn not_a_number_is_past_every_limit() {
        let (sound, broken) = (rows(&[1.0, 0.0]), rows(&[f32::NAN, 0.0]));
        assert!(!ParityLimits::HALF.hold(&Comparison::new(
            "a",
            1,
            (&broken, &sound),
            (&sound, &sound),
            [1.0; 2]
        )));
        assert!(!ParityLimits::HALF.hold(&Comparison::new(
            "a",
            1,
            (&sound, &sound),
            (&rows(&[1.0, 0.0, 1.0, 0.0]), &sound),
            [1.0; 2]
        )));
    }
}
