//! Sizes of the two towers and the temperature between them. Values are data; kinds of tower are code.

mod bert;
mod efficientnet;
pub mod limits;
mod resnet;
pub mod swin;

use serde::{Deserialize, Serialize};

pub use bert::{BertConfig, TextPooling};
pub use efficientnet::{EfficientNetBlock, EfficientNetConfig, EfficientNetStage};
pub use resnet::{ResNetBlock, ResNetConfig};
pub use swin::SwinConfig;

/// The two towers, the joint space and the temperature: what decides the shape of every weight.
///
/// Parameter names in a checkpoint start with `vision_model.` and `text_model.` as in the reference, with
/// `vision_model.projection_head.weight` `[embedding_dim, image features]` (in a ResNet `vision_model.model.fc.weight`),
/// `text_model.projection_head.weight` `[embedding_dim, text features]` and the scalar `logit_scale`
/// (natural logarithm of the inverse temperature) beside the trunks'.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Architecture {
    /// Size of the joint space; the paper uses 512.
    pub embedding_dim: usize,
    /// The image tower.
    pub image: ImageTower,
    /// The text tower.
    pub text: TextTower,
}

/// A kind of image tower with its sizes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ImageTower {
    /// EfficientNet-Lite: inverted residuals without squeeze-and-excitation, ReLU6, for edge devices.
    EfficientnetLite(EfficientNetConfig),
    /// Swin transformer, version 1; the published model's is Swin-T.
    Swin(SwinConfig),
    /// ResNet of bottleneck blocks; the published model's is ResNet-50.
    Resnet(ResNetConfig),
}

impl ImageTower {
    /// Input channels.
    pub const fn channels(&self) -> usize {
        match self {
            Self::EfficientnetLite(config) => config.channels,
            Self::Swin(config) => config.channels,
            Self::Resnet(config) => config.channels,
        }
    }

    /// Width of the features that are projected into the joint space.
    pub fn features(&self) -> usize {
        match self {
            Self::EfficientnetLite(config) => config.head,
            Self::Swin(config) => config.features(),
            Self::Resnet(config) => config.features(),
        }
    }

    /// Name of the projection's weight, `[embedding_dim, features]`.
    pub const fn projection(&self) -> &'static str {
        match self {
            Self::EfficientnetLite(_) | Self::Swin(_) => "vision_model.projection_head.weight",
            Self::Resnet(_) => "vision_model.model.fc.weight",
        }
    }
}

/// A kind of text tower with its sizes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum TextTower {
    /// BERT (Devlin et al. 2019) of any depth and width.
    Bert(BertConfig),
}

/// Natural logarithm of the inverse temperature, clamped at construction to the range the method allows.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct LogitScale(f32);

impl LogitScale {
    /// Largest value, ln 100 rounded as the reference rounds it.
    pub const MAX: f32 = 4.6052;
    /// ln(1/0.07), the start of training.
    pub const INITIAL: f32 = 2.659_26;

    /// `ln_scale` clamped to [0, 4.6052]; not-a-number becomes 0.
    pub fn new(ln_scale: f32) -> Self {
        // Unlike `clamp`, `max` turns not-a-number into the bound.
        let least = ln_scale.max(0.0);
        Self(least.min(Self::MAX))
    }

    /// The logarithm.
    pub const fn ln(self) -> f32 {
        self.0
    }

    /// The factor that multiplies cosines, in [1, 100].
    pub fn factor(self) -> f32 {
        self.0.exp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logit_scale_is_clamped_even_for_nan() {
        assert_eq!(LogitScale::new(9.0).ln(), LogitScale::MAX);
        assert_eq!(LogitScale::new(-1.0).ln(), 0.0);
        assert_eq!(LogitScale::new(f32::NAN).ln(), 0.0);
    }
}
