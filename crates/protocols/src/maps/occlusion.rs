//! A map that looks at a model from outside: how much a score falls where part of the image is covered.

use medclip_core::{ClassMap, GrayImage};
use medclip_runtime::{Classifier, EncodeError, Model};

/// Places a side at which the image is covered.
const GRID: usize = 8;
/// Side of what is covered, as a share of the image's.
const COVERED: usize = 4;

/// The score of `class` on `image`, which is of the tower's size, minus its score with a quarter of the side covered around each
/// place, in logits.
///
/// What is covered gets the gray that preprocessing takes for the mean.
///
/// # Source
/// Zeiler and Fergus 2014, section 4.2.
pub(super) fn map(
    model: &Model,
    classifier: &Classifier,
    class: usize,
    image: &GrayImage,
) -> Result<ClassMap, EncodeError> {
    let preprocessor = model.preprocessor();
    let gray = (preprocessor.config().mean * 255.0).round().clamp(0.0, 255.0) as u8;
    let logits = |images: &[GrayImage]| {
        let embeddings = model.embed_images(&preprocessor.normalize(images)?)?;
        let scores = classifier.scores(&embeddings)?;
        Ok::<Vec<f32>, EncodeError>(
            scores.iter().filter_map(|scores| Some(scores.get(class)?.logit)).collect(),
        )
    };
    let whole = logits(std::slice::from_ref(image))?.into_iter().next().unwrap_or_default();
    let mut values = Vec::with_capacity(GRID * GRID);
    for row in 0..GRID {
        let covered: Vec<GrayImage> = (0..GRID).map(|column| cover(image, [row, column], gray)).collect();
        values.extend(logits(&covered)?.into_iter().map(|logit| whole - logit));
    }
    let name = classifier.class_names().nth(class).unwrap_or_default().to_owned();
    Ok(ClassMap { name, rows: GRID, columns: GRID, values })
}

/// `image` with the part around a place of the grid in one gray.
fn cover(image: &GrayImage, [row, column]: [usize; 2], gray: u8) -> GrayImage {
    let (width, height) = (image.width() as usize, image.height() as usize);
    let span = |place: usize, side: usize| {
        let center = (2 * place + 1) * side / (2 * GRID);
        let half = (side / COVERED / 2).max(1);
        center.saturating_sub(half)..(center + half).min(side)
    };
    let mut pixels = image.pixels().to_vec();
    for y in span(row, height) {
        pixels[y * width..][span(column, width)].fill(gray);
    }
    GrayImage::new(image.width(), image.height(), pixels).unwrap_or_else(|_| image.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_covered_is_a_quarter_around_its_place_within_the_image() {
        let image = GrayImage::new(16, 16, vec![1; 256]).unwrap();
        let covered = |place| {
            let image = cover(&image, place, 9);
            let places = image.pixels().iter().enumerate().filter(|(_, value)| **value == 9);
            let places: Vec<(usize, usize)> = places.map(|(at, _)| (at / 16, at % 16)).collect();
            (*places.first().unwrap(), *places.last().unwrap(), places.len())
        };
        assert_eq!(covered([3, 4]), ((5, 7), (8, 10), 16));
        assert_eq!(covered([0, 0]), ((0, 0), (2, 2), 9));
        assert_eq!(covered([7, 7]), ((13, 13), (15, 15), 9));
    }
}
