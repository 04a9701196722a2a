//! Gray image to normalized pixels: the one path that training, export and scoring share.

pub mod resample;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::batch::ImageBatch;
use crate::raster::GrayImage;
use resample::{Canvas, resize_canvas};

pub use resample::Resample;

/// How an image becomes pixels; travels with the weights in `model.toml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PreprocessConfig {
    /// Side of the square the image tower takes, in pixels.
    pub image_size: usize,
    /// Channels the image tower takes: 1, or 3 with the gray channel repeated.
    pub channels: usize,
    /// The image is centered on a black square of side max(this, width, height). 0 leaves padding out, and the image
    /// is stretched to the square.
    pub pad_min_side: u32,
    /// Kernel of the resize.
    pub resample: Resample,
    /// Mean of pixels in [0, 1], subtracted.
    pub mean: f32,
    /// Standard deviation of pixels in [0, 1], divided by.
    pub std: f32,
}

impl PreprocessConfig {
    /// Largest side accepted.
    pub const MAX_IMAGE_SIZE: usize = 4096;

    /// The method's own: padded to at least 224, bicubic, mean and deviation of its training images.
    ///
    /// # Source
    /// RyanWangZf/MedCLIP 9c3396f, `medclip/constants.py` and `MedCLIPFeatureExtractor` in `medclip/dataset.py`.
    pub const fn medclip(image_size: usize, channels: usize) -> Self {
        Self {
            image_size,
            channels,
            pad_min_side: 224,
            resample: Resample::Bicubic,
            mean: 0.586_278_6,
            std: 0.279_500_9,
        }
    }
}

/// Why pixels could not be made.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum PreprocessError {
    /// A side no tower can take.
    #[error("image_size is {0}, must be from 1 to {max}", max = PreprocessConfig::MAX_IMAGE_SIZE)]
    ImageSize(usize),
    /// Neither gray nor gray repeated.
    #[error("channels is {0}, must be 1 or 3")]
    Channels(usize),
    /// Mean or deviation that would not give finite pixels.
    #[error("mean {mean} and std {std} must be finite, and std positive")]
    Normalization {
        /// Stated mean.
        mean: f32,
        /// Stated deviation.
        std: f32,
    },
    /// An image that is not of the size the tower takes.
    #[error("image {index} is {width}×{height}, the tower takes {side}×{side}")]
    Size {
        /// Position in the batch, from 0.
        index: usize,
        /// Its columns.
        width: u32,
        /// Its rows.
        height: u32,
        /// Side the tower takes.
        side: usize,
    },
    /// Nothing to make a batch of.
    #[error("a batch needs at least one image")]
    Empty,
}

/// Makes image batches, the same in training and in scoring.
///
/// Steps, in order: center on a black square of side max(`pad_min_side`, width, height); resize to `image_size` with
/// antialiasing, 8 bits in and out, bit for bit as Pillow; divide by 255; subtract `mean`; divide by `std`; repeat
/// over `channels`.
#[derive(Debug, Clone)]
pub struct Preprocessor {
    config: PreprocessConfig,
    /// Normalized value of each gray level.
    levels: Box<[f32; 256]>,
}

impl Preprocessor {
    /// A preprocessor for `config`.
    ///
    /// # Errors
    /// [`PreprocessError::ImageSize`], [`PreprocessError::Channels`] or [`PreprocessError::Normalization`] when a
    /// field is out of range.
    pub fn new(config: PreprocessConfig) -> Result<Self, PreprocessError> {
        let PreprocessConfig { image_size, channels, mean, std, .. } = config;
        if !(1..=PreprocessConfig::MAX_IMAGE_SIZE).contains(&image_size) {
            return Err(PreprocessError::ImageSize(image_size));
        }
        if !matches!(channels, 1 | 3) {
            return Err(PreprocessError::Channels(channels));
        }
        let mut levels = Box::new([0.0; 256]);
        for (level, value) in (0_u8..=255).zip(levels.iter_mut()) {
            *value = (f32::from(level) / 255.0 - mean) / std;
        }
        if std <= 0.0
            || !(mean.is_finite() && std.is_finite())
            || levels.iter().any(|value| !value.is_finite())
        {
            return Err(PreprocessError::Normalization { mean, std });
        }
        Ok(Self { config, levels })
    }

    /// The configuration.
    pub const fn config(&self) -> &PreprocessConfig {
        &self.config
    }

    /// `image` padded and resized, still 8 bits: where training augments and caches.
    ///
    /// # Shapes
    /// Returns `image_size` × `image_size`.
    pub fn resized(&self, image: &GrayImage) -> GrayImage {
        let side = self.config.image_size as u32;
        resize_canvas(image, self.canvas(image.width(), image.height()), side, side, self.config.resample)
    }

    /// Images that are of the tower's size already, normalized.
    ///
    /// # Shapes
    /// - `images`: each `image_size` × `image_size`
    /// - returns: `[images, channels, image_size, image_size]`
    ///
    /// # Errors
    /// [`PreprocessError::Size`] for an image of another size, [`PreprocessError::Empty`] for none.
    pub fn normalize<'a>(
        &self,
        images: impl IntoIterator<Item = &'a GrayImage, IntoIter: ExactSizeIterator>,
    ) -> Result<ImageBatch, PreprocessError> {
        let images = images.into_iter();
        if images.len() == 0 {
            return Err(PreprocessError::Empty);
        }
        let PreprocessConfig { image_size: side, channels, .. } = self.config;
        let count = images.len();
        let mut data = Vec::with_capacity(count * channels * side * side);
        for (index, image) in images.enumerate() {
            let (width, height) = (image.width(), image.height());
            if [width as usize, height as usize] != [side, side] {
                return Err(PreprocessError::Size { index, width, height, side });
            }
            for _ in 0..channels {
                data.extend(image.pixels().iter().map(|&level| self.levels[usize::from(level)]));
            }
        }
        Ok(ImageBatch::new(data, [count, channels, side, side]))
    }

    /// Images of any size: the whole path.
    ///
    /// # Shapes
    /// Returns `[images, channels, image_size, image_size]`.
    ///
    /// # Errors
    /// [`PreprocessError::Empty`] for no images.
    pub fn batch(&self, images: &[GrayImage]) -> Result<ImageBatch, PreprocessError> {
        let resized: Vec<GrayImage> = images.iter().map(|image| self.resized(image)).collect();
        self.normalize(&resized)
    }

    /// Where a point of an image lies in the square that the tower sees, as fractions of its side from the upper left corner.
    ///
    /// `size` is the image's width and height, in the unit of `point`.
    pub fn place(&self, point: [f64; 2], [width, height]: [u32; 2]) -> [f64; 2] {
        let canvas = self.canvas(width, height);
        [
            (point[0] + f64::from(canvas.left)) / f64::from(canvas.width),
            (point[1] + f64::from(canvas.top)) / f64::from(canvas.height),
        ]
    }

    /// Centered, the odd pixel of padding going right and below.
    fn canvas(&self, width: u32, height: u32) -> Canvas {
        match self.config.pad_min_side {
            0 => Canvas { width, height, left: 0, top: 0 },
            least => {
                let side = least.max(width).max(height);
                Canvas { width: side, height: side, left: (side - width) / 2, top: (side - height) / 2 }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn black_and_white_normalize_as_the_formula_says() {
        let preprocessor = Preprocessor::new(PreprocessConfig::medclip(2, 3)).unwrap();
        let image = GrayImage::new(2, 2, vec![0, 255, 128, 1]).unwrap();
        let batch = preprocessor.normalize(std::slice::from_ref(&image)).unwrap();
        assert_eq!(batch.shape(), [1, 3, 2, 2]);
        let (mean, std) = (0.586_278_6_f32, 0.279_500_9_f32);
        let expected: Vec<f32> =
            [0.0, 255.0, 128.0, 1.0].iter().map(|v: &f32| (v / 255.0 - mean) / std).collect();
        for channel in batch.data().chunks(4) {
            assert_eq!(channel, expected);
        }
    }

    #[test]
    fn a_small_image_is_centered_on_black() {
        let config = PreprocessConfig { pad_min_side: 6, ..PreprocessConfig::medclip(6, 1) };
        let image = GrayImage::new(3, 2, vec![9, 8, 7, 6, 5, 4]).unwrap();
        let padded = Preprocessor::new(config).unwrap().resized(&image);
        let mut expected = [0; 36];
        expected[2 * 6 + 1..][..3].copy_from_slice(&[9, 8, 7]);
        expected[3 * 6 + 1..][..3].copy_from_slice(&[6, 5, 4]);
        assert_eq!(padded.pixels(), expected);
    }

    #[test]
    fn a_point_is_found_again_in_the_square() {
        let of = |pad_min_side| {
            Preprocessor::new(PreprocessConfig { pad_min_side, ..PreprocessConfig::medclip(8, 1) }).unwrap()
        };
        assert_eq!(of(1).place([2.0, 1.0], [4, 2]), [0.5, 0.5]);
        assert_eq!(of(1).place([0.0, 0.0], [4, 2]), [0.0, 0.25]);
        assert_eq!(of(8).place([0.0, 0.0], [4, 2]), [0.25, 0.375]);
        assert_eq!(of(8).place([4.0, 2.0], [4, 2]), [0.75, 0.625]);
        assert_eq!(of(0).place([1.0, 1.0], [4, 2]), [0.25, 0.5]);
    }

    #[test]
    fn impossible_configurations_are_refused() {
        let good = PreprocessConfig::medclip(224, 1);
        for bad in [
            PreprocessConfig { image_size: 0, ..good.clone() },
            PreprocessConfig { image_size: 1 << 20, ..good.clone() },
            PreprocessConfig { channels: 2, ..good.clone() },
            PreprocessConfig { std: 0.0, ..good.clone() },
            PreprocessConfig { std: 1e-45, ..good.clone() },
            PreprocessConfig { mean: f32::NAN, ..good.clone() },
        ] {
            assert!(Preprocessor::new(bad.clone()).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn wrong_sizes_and_empty_batches_are_refused() {
        let preprocessor = Preprocessor::new(PreprocessConfig::medclip(4, 1)).unwrap();
        let image = GrayImage::new(4, 5, vec![0; 20]).unwrap();
        assert_eq!(
            preprocessor.normalize(&[image]),
            Err(PreprocessError::Size { index: 0, width: 4, height: 5, side: 4 })
        );
        assert_eq!(preprocessor.batch(&[]), Err(PreprocessError::Empty));
    }
}
