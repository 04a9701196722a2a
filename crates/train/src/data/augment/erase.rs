//! Parts of an image that are taken away.

use rand::{Rng, RngExt};

use super::uniform;

/// Smallest and largest part, as shares of the image's area.
const AREA: (f32, f32) = (0.02, 0.15);
/// Smallest and largest ratio of height to width.
const ASPECT: (f32, f32) = (0.5, 2.0);

/// With probability `share`, fills a rectangle with `fill`: what a score rests on may then be missing, so that it has to rest on
/// more than one thing. A share of 0 draws no number.
///
/// # Shapes
/// - `pixels`: `[side, side]`
/// # Source
/// Zhong et al. 2020, "Random Erasing Data Augmentation", with one value in place of noise.
pub(super) fn erase(share: f32, pixels: &mut [f32], side: usize, fill: f32, rng: &mut impl Rng) {
    if share == 0.0 || rng.random::<f32>() >= share {
        return;
    }
    let area = uniform(AREA.0, AREA.1, rng);
    let aspect = uniform(ASPECT.0.ln(), ASPECT.1.ln(), rng).exp();
    let length = |share: f32| ((share.sqrt() * side as f32).round() as usize).clamp(1, side);
    let (height, width) = (length(area * aspect), length(area / aspect));
    let top = rng.random_range(0..=side - height);
    let left = rng.random_range(0..=side - width);
    for row in pixels.chunks_exact_mut(side).skip(top).take(height) {
        row[left..left + width].fill(fill);
    }
}

#[cfg(test)]
mod tests {
    use medclip_data::random::{Purpose, stream};

    use super::*;

    #[test]
    fn a_part_within_the_limits_is_filled() {
        for seed in 0..50 {
            let mut pixels = vec![1.0; 64 * 64];
            erase(1.0, &mut pixels, 64, 0.0, &mut stream(seed, Purpose::Augment, 0, 0));
            let share = pixels.iter().filter(|value| **value == 0.0).count() as f32 / 4096.0;
            assert!((0.015..0.17).contains(&share), "{share}");
        }
        let mut pixels = vec![1.0; 4];
        let mut rng = stream(1, Purpose::Augment, 0, 0);
        let first: u64 = rng.clone().random();
        erase(0.0, &mut pixels, 2, 0.0, &mut rng);
        assert_eq!((pixels, rng.random::<u64>()), (vec![1.0; 4], first));
    }
}
