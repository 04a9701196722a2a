//! What a quantized tower costs, compared with what it may cost.

use medclip_core::Embeddings;
use medclip_core::quantization::{ClassAuroc, GateLimits, GateReport};
use medclip_runtime::Bundle;
use medclip_stats::auroc;

/// Least and mean cosine of rows with their counterparts; not numbers for none.
pub(super) fn cosines(found: &Embeddings, expected: &Embeddings) -> (f64, f64) {
    let cosine = |(a, b): (&[f32], &[f32])| {
        let dot = |a: &[f32], b: &[f32]| -> f64 {
            a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
        };
        dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
    };
    let all: Vec<f64> = found.iter().zip(expected.iter()).map(cosine).collect();
    let least = all.iter().copied().fold(f64::NAN, f64::min);
    let mean = all.iter().sum::<f64>() / all.len() as f64;
    // A row that is not a number hides in a minimum, and shows in a mean.
    (if mean.is_nan() { mean } else { least }, mean)
}

/// Share of images whose most probable class stays the same.
pub(super) fn top1(found: &Embeddings, expected: &Embeddings, bundle: &Bundle) -> f64 {
    let first = |image: &[f32]| {
        let scores = scores(image, bundle);
        (0..scores.len()).max_by(|&a, &b| scores[a].total_cmp(&scores[b]))
    };
    let same = found.iter().zip(expected.iter()).filter(|(a, b)| first(a) == first(b)).count();
    same as f64 / found.rows() as f64
}

/// Everything about images with these labels.
pub(super) fn images(
    found: &Embeddings,
    expected: &Embeddings,
    labels: &[Vec<Option<bool>>],
    bundle: &Bundle,
    limits: GateLimits,
) -> GateReport {
    let (least_cosine, mean_cosine) = cosines(found, expected);
    let both = [expected, found].map(|embeddings| -> Vec<Vec<f32>> {
        embeddings.iter().map(|image| scores(image, bundle)).collect()
    });
    let class = |(index, name): (usize, &str)| {
        let labeled: Vec<(usize, bool)> = labels
            .iter()
            .enumerate()
            .filter_map(|(row, labels)| Some((row, (*labels.get(index)?)?)))
            .collect();
        let truth: Vec<bool> = labeled.iter().map(|&(_, label)| label).collect();
        let area = |scores: &[Vec<f32>]| {
            let of_class: Vec<f32> = labeled.iter().map(|&(row, _)| scores[row][index]).collect();
            auroc(&of_class, &truth)
        };
        let positives = truth.iter().filter(|&&label| label).count();
        Some(ClassAuroc {
            class: name.to_owned(),
            positives,
            negatives: truth.len() - positives,
            full: area(&both[0])?,
            quantized: area(&both[1])?,
        })
    };
    let names = bundle.bank().classes().iter().map(|class| class.name.as_str());
    GateReport {
        inputs: found.rows(),
        limits,
        least_cosine,
        mean_cosine,
        top1: Some(top1(found, expected, bundle)),
        auroc: names.enumerate().filter_map(class).collect(),
    }
}

/// Log-odds of every class.
fn scores(image: &[f32], bundle: &Bundle) -> Vec<f32> {
    let scores = bundle.bank().scores(image, bundle.logit_scale(), bundle.config().prompt_pooling);
    scores.into_iter().map(|score| score.logit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_that_is_not_a_number_is_no_good_cosine() {
        let rows = |values: &[f32]| Embeddings::new(values.to_vec(), 2).unwrap();
        let (least, mean) = cosines(&rows(&[2.0, 0.0, 3.0, 4.0]), &rows(&[1.0, 0.0, 1.0, 0.0]));
        assert!((least - 0.6).abs() < 1e-9 && (mean - 0.8).abs() < 1e-9);
        assert!(cosines(&rows(&[f32::NAN, 0.0, 1.0, 0.0]), &rows(&[1.0, 0.0, 1.0, 0.0])).0.is_nan());
    }
}
