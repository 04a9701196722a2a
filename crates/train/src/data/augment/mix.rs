//! Mixup: images of a batch that become a little of each other.

use medclip_data::LabelVector;
use rand::{Rng, RngExt};

/// Blends the first image with the last, the second with the last but one, and so on, each pair with probability `share`:
/// both become `λ·self + (1 − λ)·other`, pixels and label vectors, with one `λ` a pair, uniform in 0.5–1.
///
/// # Shapes
/// - `pixels`: `[images · …]`; `labels`: `[images]`
/// # Source
/// Zhang et al. 2018 with α = 1, where the larger weight stays with the image itself.
pub(crate) fn mix(share: f32, pixels: &mut [f32], labels: &mut [LabelVector], rng: &mut impl Rng) {
    if share == 0.0 || labels.is_empty() {
        return;
    }
    let size = pixels.len() / labels.len();
    for first in 0..labels.len() / 2 {
        // Always both draws, so that a pair does not depend on the pairs before it.
        let (chance, weight): (f32, f32) = (rng.random(), rng.random());
        if chance >= share {
            continue;
        }
        let keep = 0.5 + 0.5 * weight;
        let second = labels.len() - 1 - first;
        let (head, tail) = labels.split_at_mut(second);
        blend(keep, &mut head[first], &mut tail[0]);
        let (head, tail) = pixels.split_at_mut(second * size);
        blend(keep, &mut head[first * size..][..size], &mut tail[..size]);
    }
}

fn blend(keep: f32, left: &mut [f32], right: &mut [f32]) {
    for (left, right) in left.iter_mut().zip(right) {
        let (a, b) = (*left, *right);
        *left = keep * a + (1.0 - keep) * b;
        *right = keep * b + (1.0 - keep) * a;
    }
}

#[cfg(test)]
mod tests {
    use medclip_data::random::{Purpose, stream};

    use super::*;

    fn mixed(share: f32, images: usize) -> (Vec<f32>, Vec<LabelVector>) {
        let mut pixels: Vec<f32> = (0..images).flat_map(|image| [image as f32; 4]).collect();
        let mut labels: Vec<LabelVector> = (0..images).map(|image| [image as f32; 14]).collect();
        mix(share, &mut pixels, &mut labels, &mut stream(1, Purpose::Mix, 0, 0));
        (pixels, labels)
    }

    #[test]
    fn an_image_keeps_most_of_itself_and_its_labels_go_along() {
        let (pixels, labels) = mixed(1.0, 5);
        for (image, (pixels, labels)) in pixels.chunks(4).zip(&labels).enumerate() {
            let (own, other) = (image as f32, 4.0 - image as f32);
            let value = pixels[0];
            assert!((value - own).abs() <= (other - own).abs() / 2.0 && pixels.iter().all(|p| *p == value));
            assert!(labels.iter().all(|label| *label == value));
        }
        assert_ne!(pixels[0], 0.0);
        assert_eq!(pixels[8], 2.0, "the middle one has no partner");
        assert!((pixels.iter().sum::<f32>() - 40.0).abs() < 1e-5);
    }

    #[test]
    fn the_share_decides_how_many() {
        assert_eq!(
            mixed(0.0, 6),
            ((0..6).flat_map(|i| [i as f32; 4]).collect(), (0..6).map(|i| [i as f32; 14]).collect())
        );
        let (_, labels) = mixed(0.25, 2000);
        let changed = labels.iter().enumerate().filter(|(image, label)| label[0] != *image as f32).count();
        assert!((400..600).contains(&changed), "{changed} of 2000");
    }
}
