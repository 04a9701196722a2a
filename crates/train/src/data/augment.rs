//! Random flips, contrast, small affine movements and more for training images.

mod config;
mod erase;
pub(crate) mod mix;
pub(crate) mod opacity;

use rand::{Rng, RngExt};

pub use self::config::{AugmentConfig, AugmentError};

/// Augments images of one size to normalized pixels of another.
#[derive(Debug, Clone)]
pub struct Augmenter {
    config: AugmentConfig,
    source_side: usize,
    side: usize,
    mean: f32,
    std: f32,
}

impl Augmenter {
    /// For a model that takes `image_size` pixels normalized by `mean` and `std`.
    ///
    /// # Errors
    /// [`AugmentError`], as [`AugmentConfig::validate`].
    pub fn new(config: AugmentConfig, image_size: usize, mean: f32, std: f32) -> Result<Self, AugmentError> {
        config.validate()?;
        Ok(Self { config, source_side: config.source_side(image_size), side: image_size, mean, std })
    }

    /// How much it changes.
    pub const fn config(&self) -> &AugmentConfig {
        &self.config
    }

    /// Side of the images that [`augment`](Self::augment) takes.
    pub const fn source_side(&self) -> usize {
        self.source_side
    }

    /// Writes one random variant of `source` to `out`; equal `rng` states give equal pixels.
    ///
    /// Without any change ([`AugmentConfig::NONE`]) the result is bit for bit what the preprocessor's normalization gives.
    ///
    /// # Shapes
    /// - `source`: `[source_side, source_side]`, 0–255
    /// - `out`: `[image_size, image_size]`
    ///
    /// # Panics
    /// When a slice has another length.
    pub fn augment(&self, source: &[u8], out: &mut [f32], rng: &mut impl Rng) {
        assert_eq!(source.len(), self.source_side * self.source_side, "source image size");
        assert_eq!(out.len(), self.side * self.side, "output image size");
        let flip = rng.random::<f32>() < self.config.flip;
        let levels = self.jitter(source, rng);
        let warp = self.draw_warp(flip, rng);
        let black = (0.0 - self.mean) / self.std;
        for (y, row) in out.chunks_exact_mut(self.side).enumerate() {
            for (x, pixel) in row.iter_mut().enumerate() {
                let (source_x, source_y) = warp.source(x as f32, y as f32);
                *pixel = bilinear(source, self.source_side, source_x, source_y, &levels, black);
            }
        }
        // The mean of training images.
        erase::erase(self.config.erase, out, self.side, 0.0, rng);
    }

    /// Black and white as pixels.
    pub(crate) fn levels(&self) -> [f32; 2] {
        [0.0, 1.0].map(|level| (level - self.mean) / self.std)
    }

    /// The normalized value of each gray level after gamma, and then brightness and contrast in random order as torchvision's `ColorJitter`.
    fn jitter(&self, source: &[u8], rng: &mut impl Rng) -> [f32; 256] {
        let brightness = uniform(1.0 - self.config.brightness, 1.0 + self.config.brightness, rng);
        let contrast = uniform(1.0 - self.config.contrast, 1.0 + self.config.contrast, rng);
        let contrast_first = rng.random::<bool>();

        let mut levels: [f32; 256] = std::array::from_fn(|level| level as f32 / 255.0);
        if self.config.gamma > 0.0 {
            let exponent = uniform(-self.config.gamma, self.config.gamma, rng).exp();
            levels = levels.map(|level| level.powf(exponent));
        }
        let brighten = |levels: &mut [f32; 256]| {
            for level in levels {
                *level = (*level * brightness).clamp(0.0, 1.0);
            }
        };
        if !contrast_first {
            brighten(&mut levels);
        }
        let sum: f64 = source.iter().map(|pixel| f64::from(levels[usize::from(*pixel)])).sum();
        let offset = (1.0 - contrast) * (sum / source.len() as f64) as f32;
        for level in &mut levels {
            *level = (*level * contrast + offset).clamp(0.0, 1.0);
        }
        if contrast_first {
            brighten(&mut levels);
        }
        levels.map(|level| (level - self.mean) / self.std)
    }

    fn draw_warp(&self, flip: bool, rng: &mut impl Rng) -> Warp {
        let AugmentConfig { rotate_degrees, translate, scale: (low, high), .. } = self.config;
        let angle = uniform(-rotate_degrees, rotate_degrees, rng).to_radians();
        let reach = translate * self.source_side as f32;
        let shift = [(); 2].map(|()| uniform(-reach, reach, rng).round());
        let scale = uniform(low, high, rng);
        let crop = [(); 2].map(|()| rng.random_range(0..=self.source_side - self.side) as f32);
        let center = (self.source_side as f32 - 1.0) / 2.0;
        Warp {
            offset: [crop[0] - shift[0] - center, crop[1] - shift[1] - center],
            cos: angle.cos() / scale,
            sin: angle.sin() / scale,
            mirror: if flip { -1.0 } else { 1.0 },
            center,
        }
    }
}

/// From output pixels to source pixels: the inverse of the movement.
struct Warp {
    offset: [f32; 2],
    cos: f32,
    sin: f32,
    mirror: f32,
    center: f32,
}

impl Warp {
    fn source(&self, x: f32, y: f32) -> (f32, f32) {
        let (x, y) = (x + self.offset[0], y + self.offset[1]);
        let turned_x = self.cos * x + self.sin * y;
        let turned_y = self.cos * y - self.sin * x;
        (self.mirror * turned_x + self.center, turned_y + self.center)
    }
}

fn uniform(low: f32, high: f32, rng: &mut impl Rng) -> f32 {
    low + (high - low) * rng.random::<f32>()
}

fn bilinear(source: &[u8], side: usize, x: f32, y: f32, levels: &[f32; 256], outside: f32) -> f32 {
    let (left, right_share) = floor(x);
    let (top, bottom_share) = floor(y);
    let last = side as i32 - 1;
    let level = |pixel: u8| levels[usize::from(pixel)];
    let corners = if left >= 0 && top >= 0 && left < last && top < last {
        let at = top as usize * side + left as usize;
        [source[at], source[at + 1], source[at + side], source[at + side + 1]].map(level)
    } else {
        [(left, top), (left + 1, top), (left, top + 1), (left + 1, top + 1)].map(|(x, y)| {
            let within = (0..=last).contains(&x) && (0..=last).contains(&y);
            if within { level(source[y as usize * side + x as usize]) } else { outside }
        })
    };
    let upper = corners[0] * (1.0 - right_share) + corners[1] * right_share;
    let lower = corners[2] * (1.0 - right_share) + corners[3] * right_share;
    upper * (1.0 - bottom_share) + lower * bottom_share
}

/// The whole number below `value` and the rest. `f32::floor` is a library call on processors without SSE 4.1.
fn floor(value: f32) -> (i32, f32) {
    let towards_zero = value as i32;
    let below = towards_zero - i32::from((towards_zero as f32) > value);
    (below, value - below as f32)
}

#[cfg(test)]
mod tests {
    use medclip_core::GrayImage;
    use medclip_core::preprocess::{PreprocessConfig, Preprocessor};
    use medclip_data::random::{Purpose, stream};

    use super::*;

    fn run(config: AugmentConfig, side: usize, source: &[u8], seed: u64) -> Vec<f32> {
        let augmenter = Augmenter::new(config, side, 0.0, 1.0).unwrap();
        let mut out = vec![0.0; side * side];
        augmenter.augment(source, &mut out, &mut stream(seed, Purpose::Augment, 0, 0));
        out
    }

    fn ramp(side: usize) -> Vec<u8> {
        (0..side * side).map(|index| (index * 7 % 256) as u8).collect()
    }

    #[test]
    fn no_change_is_the_evaluation_path() {
        let preprocess = PreprocessConfig::medclip(24, 1);
        let (mean, std) = (preprocess.mean, preprocess.std);
        let source = ramp(24);
        let expected = Preprocessor::new(preprocess)
            .unwrap()
            .normalize(&[GrayImage::new(24, 24, source.clone()).unwrap()])
            .unwrap();
        let mut out = vec![0.0; 24 * 24];
        Augmenter::new(AugmentConfig::NONE, 24, mean, std).unwrap().augment(
            &source,
            &mut out,
            &mut stream(5, Purpose::Augment, 1, 2),
        );
        assert_eq!(out, expected.data());
    }

    #[test]
    fn each_movement_does_what_it_says() {
        let side = 9;
        let mut dot = vec![0; side * side];
        dot[4 * side + 6] = 255;
        let bright = |image: &[f32]| {
            image
                .iter()
                .enumerate()
                .max_by(|a, b| a.1.total_cmp(b.1))
                .map(|(i, _)| (i % side, i / side))
                .unwrap()
        };
        let flipped = run(AugmentConfig { flip: 1.0, ..AugmentConfig::NONE }, side, &dot, 0);
        assert_eq!(bright(&flipped), (2, 4));
        let doubled = run(AugmentConfig { scale: (2.0, 2.0), ..AugmentConfig::NONE }, side, &dot, 0);
        assert_eq!(bright(&doubled), (8, 4));
        let halved = run(AugmentConfig { scale: (0.5, 0.5), ..AugmentConfig::NONE }, side, &dot, 0);
        assert_eq!((bright(&halved), halved[0]), ((5, 4), 0.0));
        for seed in 0..20 {
            let moved = run(AugmentConfig { translate: 0.23, ..AugmentConfig::NONE }, side, &dot, seed);
            let (x, y) = bright(&moved);
            assert!((4..=8).contains(&x) && (2..=6).contains(&y), "{x} {y}");
            assert_eq!(moved.iter().sum::<f32>(), 1.0, "whole pixels");
        }
    }

    #[test]
    fn jitter_stays_in_range_and_contrast_keeps_the_mean() {
        let source: Vec<u8> = (0..64).map(|index| 100 + index % 40).collect();
        let mean = |image: &[f32]| image.iter().sum::<f32>() / 64.0;
        let plain = run(AugmentConfig::NONE, 8, &source, 0);
        for seed in 0..10 {
            let contrast = run(AugmentConfig { contrast: 0.5, ..AugmentConfig::NONE }, 8, &source, seed);
            assert!((mean(&contrast) - mean(&plain)).abs() < 1e-5);
            let all = AugmentConfig { brightness: 1.0, contrast: 1.0, ..AugmentConfig::default() };
            let changed = run(AugmentConfig { resize: 1.0, ..all }, 8, &source, seed);
            assert!(changed.iter().all(|value| (0.0..=1.0).contains(value)));
        }
    }

    #[test]
    fn seeds_decide() {
        let source = ramp(AugmentConfig::default().source_side(28));
        let config = AugmentConfig::default();
        assert_eq!(run(config, 28, &source, 1), run(config, 28, &source, 1));
        assert_ne!(run(config, 28, &source, 1), run(config, 28, &source, 2));
    }
}
