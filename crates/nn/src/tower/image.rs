//! The image tower of a model, whichever kind it is.

use candle_core::{Result, Tensor};
use medclip_core::ImageTower;

use crate::params::ParameterStore;
use crate::tower::convolution::Phase;
use crate::tower::efficientnet_lite::EfficientNetLite;
use crate::tower::resnet::ResNet;
use crate::tower::swin::Swin;

/// The trunk of an image tower.
pub enum ImageTrunk {
    /// EfficientNet-Lite.
    EfficientnetLite(EfficientNetLite),
    /// Swin transformer.
    Swin(Swin),
    /// ResNet.
    Resnet(ResNet),
}

impl ImageTrunk {
    /// Adds the trunk's parameters to `store` under `prefix`.
    ///
    /// # Errors
    /// When a name is taken or the sizes are inconsistent.
    pub fn new(config: &ImageTower, store: &mut ParameterStore, prefix: &str) -> Result<Self> {
        Ok(match config {
            ImageTower::EfficientnetLite(config) => {
                Self::EfficientnetLite(EfficientNetLite::new(config, store, prefix)?)
            }
            ImageTower::Swin(config) => Self::Swin(Swin::new(config, store, prefix)?),
            ImageTower::Resnet(config) => Self::Resnet(ResNet::new(config, store, prefix)?),
        })
    }

    /// Keeps the batch normalizations of the first `blocks` blocks, and of what is below them, at their running
    /// statistics while training.
    #[must_use]
    pub fn with_frozen_blocks(self, blocks: usize) -> Self {
        match self {
            Self::EfficientnetLite(trunk) => Self::EfficientnetLite(trunk.with_frozen_blocks(blocks)),
            Self::Swin(trunk) => Self::Swin(trunk),
            Self::Resnet(trunk) => Self::Resnet(trunk.with_frozen_blocks(blocks)),
        }
    }

    /// Features of a batch.
    ///
    /// # Shapes
    /// - `pixels`: `[batch, channels, side, side]`
    /// - returns: `[batch, features]`
    /// # Errors
    /// When the channels differ from the configuration, or the tower has no form for the size.
    pub fn forward(&self, pixels: &Tensor, phase: Phase) -> Result<Tensor> {
        match self {
            Self::EfficientnetLite(trunk) => trunk.forward(pixels, phase),
            Self::Swin(trunk) => trunk.forward(pixels),
            Self::Resnet(trunk) => trunk.forward(pixels, phase),
        }
    }

    /// Features at every location of a batch, row by row, of which [`Self::forward`] gives the mean, with running statistics.
    ///
    /// # Shapes
    /// - `pixels`: `[batch, channels, side, side]`
    /// - returns: `[batch, locations, features]`
    /// # Errors
    /// As [`Self::forward`].
    pub fn locations(&self, pixels: &Tensor) -> Result<Tensor> {
        match self {
            Self::EfficientnetLite(trunk) => trunk.locations(pixels),
            Self::Swin(trunk) => trunk.locations(pixels),
            Self::Resnet(trunk) => trunk.locations(pixels),
        }
    }
}

/// How many blocks from the bottom have to be frozen for a parameter to be frozen with them; none where it always
/// trains.
///
/// What comes before the first block (stem, patch embedding) goes with that block, and the merging of a Swin with the
/// block before it. Blocks are counted over all stages. `name` is relative to the trunk.
pub fn frozen_with(tower: &ImageTower, name: &str) -> Option<usize> {
    let mut parts = name.split('.');
    let first = parts.next()?;
    let mut number = |at: usize| parts.nth(at)?.parse::<usize>().ok();
    match tower {
        ImageTower::EfficientnetLite(_) => match first {
            "stem" => Some(1),
            "blocks" => Some(number(0)? + 1),
            _ => None,
        },
        ImageTower::Swin(config) => match first {
            "embeddings" => Some(1),
            "encoder" => {
                let stage = number(1)?;
                let below = |stages: usize| config.depths.iter().take(stages).sum::<usize>();
                Some(number(1).map_or(below(stage + 1), |block| below(stage) + block + 1))
            }
            _ => None,
        },
        ImageTower::Resnet(config) => match first {
            "conv1" | "bn1" => Some(1),
            _ => {
                let stage: usize = first.strip_prefix("layer")?.parse().ok()?;
                let below: usize = config.blocks.iter().take(stage.checked_sub(1)?).sum();
                Some(below + number(0)? + 1)
            }
        },
    }
}

/// Blocks over all stages, as [`frozen_with`] counts them.
pub fn block_count(tower: &ImageTower) -> usize {
    match tower {
        ImageTower::EfficientnetLite(config) => config.blocks().len(),
        ImageTower::Swin(config) => config.depths.iter().sum(),
        ImageTower::Resnet(config) => config.blocks.iter().sum(),
    }
}

#[cfg(test)]
mod tests {
    use medclip_core::{EfficientNetConfig, ResNetConfig, SwinConfig};

    use super::*;

    #[test]
    fn parameters_freeze_from_the_bottom() {
        let lite = ImageTower::EfficientnetLite(EfficientNetConfig::lite0(1));
        let swin = ImageTower::Swin(SwinConfig::tiny(1));
        let resnet = ImageTower::Resnet(ResNetConfig::resnet50(1));
        for (tower, name, expected) in [
            (&lite, "stem.conv.weight", Some(1)),
            (&lite, "blocks.2.project.bn.weight", Some(3)),
            (&lite, "head.conv.weight", None),
            (&swin, "embeddings.norm.bias", Some(1)),
            (&swin, "encoder.layers.0.blocks.1.output.dense.weight", Some(2)),
            (&swin, "encoder.layers.0.downsample.reduction.weight", Some(2)),
            (&swin, "encoder.layers.2.blocks.0.layernorm_before.weight", Some(5)),
            (&swin, "layernorm.weight", None),
            (&resnet, "conv1.weight", Some(1)),
            (&resnet, "bn1.bias", Some(1)),
            (&resnet, "layer1.0.downsample.1.weight", Some(1)),
            (&resnet, "layer4.2.conv3.weight", Some(16)),
            (&resnet, "fc.weight", None),
        ] {
            assert_eq!(frozen_with(tower, name), expected, "{name}");
        }
    }
}
