//! How much training images are changed.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// How much training images are changed.
///
/// The order is that of MedCLIP's transforms: flip, brightness and contrast, affine movement about the center (black
/// outside), random crop. The last two are one bilinear warp.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AugmentConfig {
    /// Probability of a horizontal flip. It moves the heart to the right.
    pub flip: f32,
    /// Brightness factor, uniform in 1 ± this.
    pub brightness: f32,
    /// Contrast factor about the image's mean, uniform in 1 ± this.
    pub contrast: f32,
    /// Rotation in degrees, uniform in ± this.
    pub rotate_degrees: f32,
    /// Movement along each axis as a fraction of the side, uniform in ± this.
    pub translate: f32,
    /// Range of the scale factor.
    pub scale: (f32, f32),
    /// Side of the image before cropping, as a multiple of the model's image size.
    pub resize: f32,
    /// Share of a batch's pairs of images that are blended, pixels and label vectors alike, one image weighing 0.5–1 and the
    /// other the rest (Zhang et al. 2018).
    #[serde(skip_serializing_if = "is_zero")]
    pub mixup: f32,
    /// Exponent of the gray levels, its logarithm uniform in ± this: films of other latitudes.
    #[serde(skip_serializing_if = "is_zero")]
    pub gamma: f32,
    /// Share of the images that lose a rectangle of 2 to 15 % of their area.
    #[serde(skip_serializing_if = "is_zero")]
    pub erase: f32,
    /// Share of the visits of normal films that get an opacity drawn into a lung, and its label.
    #[serde(skip_serializing_if = "is_zero")]
    pub opacities: f32,
}

// Left out of what identifies a run, so that runs begun before there was a choice go on.
#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_zero(share: &f32) -> bool {
    *share == 0.0
}

impl Default for AugmentConfig {
    /// METHOD: the reference implementation's values.
    fn default() -> Self {
        Self {
            flip: 0.5,
            brightness: 0.2,
            contrast: 0.2,
            rotate_degrees: 10.0,
            translate: 0.0625,
            scale: (0.8, 1.1),
            resize: 256.0 / 224.0,
            mixup: 0.0,
            gamma: 0.0,
            erase: 0.0,
            opacities: 0.0,
        }
    }
}

/// An augmentation setting outside its range.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("augment.{field} must be {expected}")]
pub struct AugmentError {
    /// The field.
    pub field: &'static str,
    /// What it may be.
    pub expected: &'static str,
}

impl AugmentConfig {
    /// No change at all: training then sees what evaluation sees.
    pub const NONE: Self = Self {
        flip: 0.0,
        brightness: 0.0,
        contrast: 0.0,
        rotate_degrees: 0.0,
        translate: 0.0,
        scale: (1.0, 1.0),
        resize: 1.0,
        mixup: 0.0,
        gamma: 0.0,
        erase: 0.0,
        opacities: 0.0,
    };

    /// Side of the images to augment from, for a model that takes `image_size`.
    pub fn source_side(&self, image_size: usize) -> usize {
        (image_size as f32 * self.resize).round() as usize
    }

    /// Checks every field.
    ///
    /// # Errors
    /// [`AugmentError`] naming the first field out of range.
    pub fn validate(&self) -> Result<(), AugmentError> {
        let share = |value: f32| (0.0..=1.0).contains(&value);
        let (low, high) = self.scale;
        let checks = [
            ("flip", share(self.flip), "in 0–1"),
            ("brightness", share(self.brightness), "in 0–1"),
            ("contrast", share(self.contrast), "in 0–1"),
            ("rotate_degrees", (0.0..=180.0).contains(&self.rotate_degrees), "in 0–180"),
            ("translate", share(self.translate), "in 0–1"),
            ("scale", 0.1 <= low && low <= high && high <= 10.0, "two rising numbers in 0.1–10"),
            ("mixup", share(self.mixup), "in 0–1"),
            ("gamma", (0.0..=2.0).contains(&self.gamma), "in 0–2"),
            ("erase", share(self.erase), "in 0–1"),
            ("opacities", share(self.opacities), "in 0–1"),
            ("resize", (1.0..=4.0).contains(&self.resize), "in 1–4"),
        ];
        match checks.into_iter().find(|(_, holds, _)| !holds) {
            Some((field, _, expected)) => Err(AugmentError { field, expected }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_values_out_of_range() {
        let wrong = AugmentConfig { scale: (1.1, 0.9), ..AugmentConfig::default() };
        assert_eq!(wrong.validate().unwrap_err().field, "scale");
        let wrong = AugmentConfig { flip: f32::NAN, ..AugmentConfig::default() };
        assert_eq!(wrong.validate().unwrap_err().to_string(), "augment.flip must be in 0–1");
        assert_eq!(AugmentConfig::default().source_side(160), 183);
    }
}
