//! How far the labels of images and of sentences agree.

use super::{LabelSimilarity, LabelVectors};

/// Similarity of each label vector of `left`, a row, with each of `right`.
pub(super) fn similarities(
    left: &LabelVectors,
    right: &LabelVectors,
    kind: LabelSimilarity,
) -> Vec<Vec<f32>> {
    let similarity = |l: &[f32], r: &[f32]| match kind {
        LabelSimilarity::Dot => dot(l, r),
        LabelSimilarity::Cosine => {
            let norms = (dot(l, l) * dot(r, r)).sqrt();
            if norms > 0.0 { dot(l, r) / norms } else { 0.0 }
        }
    };
    left.iter().map(|l| right.iter().map(|r| similarity(l, r)).collect()).collect()
}

/// `l_v·l_t / |l_t|₁` of each image, a row, and each text: 1 where all that the text says holds, −1 where nothing does, 0 for a
/// text that says nothing, or nothing that is known of the image.
pub(super) fn agreement(images: &LabelVectors, texts: &LabelVectors) -> Vec<Vec<f32>> {
    let said = |text: &[f32]| text.iter().map(|value| value.abs()).sum::<f32>();
    let agreement = |image: &[f32], text: &[f32]| match said(text) {
        said if said > 0.0 => dot(image, text) / said,
        _ => 0.0,
    };
    images.iter().map(|image| texts.iter().map(|text| agreement(image, text)).collect()).collect()
}

pub(super) fn transposed(rows: &[Vec<f32>]) -> Vec<Vec<f32>> {
    let columns = rows.first().map_or(0, Vec::len);
    (0..columns).map(|column| rows.iter().map(|row| row[column]).collect()).collect()
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
