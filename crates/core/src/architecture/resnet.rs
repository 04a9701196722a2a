//! Sizes of a ResNet of bottleneck blocks.

use serde::{Deserialize, Serialize};

/// Sizes of a bottleneck ResNet trunk (He et al. 2016, stride in the 3×3 convolution as torchvision has it).
///
/// # Parameters
/// Under `vision_model.model.`, as torchvision names them: `conv1.weight` (`[width, channels, 7, 7]`), `bn1.*`; per
/// block J of stage I, counted from 1, under `layerI.J.`: `conv1.weight` (1×1), `conv2.weight` (3×3), `conv3.weight`
/// (1×1, to four times the width), `bn1.*`, `bn2.*`, `bn3.*`, and in each stage's first block `downsample.0.weight`,
/// `downsample.1.*`; and `fc.weight` (`[embedding_dim, features]`), which is the projection. Every `bn` has `weight`,
/// `bias`, `running_mean`, `running_var`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResNetConfig {
    /// Input channels: 1, or 3 for a gray channel repeated.
    pub channels: usize,
    /// Width after the first convolution and inside the blocks of the first stage; doubles with every further stage.
    pub width: usize,
    /// Blocks of each stage.
    pub blocks: Vec<usize>,
    /// ε of every batch normalization.
    pub batch_norm_eps: f64,
}

impl ResNetConfig {
    /// Output channels of a block over its inner width.
    pub const EXPANSION: usize = 4;

    /// ResNet-50 with `channels` input channels: 23.5 M parameters.
    pub fn resnet50(channels: usize) -> Self {
        Self { channels, width: 64, blocks: vec![3, 4, 6, 3], batch_norm_eps: 1e-5 }
    }

    /// Channels of the last stage: the features that are averaged over the image.
    pub fn features(&self) -> usize {
        (self.width << self.blocks.len().saturating_sub(1)) * Self::EXPANSION
    }

    /// Every block of every stage in order, with its widths resolved.
    pub fn resolved(&self) -> Vec<ResNetBlock> {
        let mut input = self.width;
        let mut blocks = Vec::new();
        for (stage, &count) in self.blocks.iter().enumerate() {
            let inner = self.width << stage;
            for index in 0..count {
                let stride = if stage > 0 && index == 0 { 2 } else { 1 };
                blocks.push(ResNetBlock { stage: stage + 1, index, input, inner, stride });
                input = inner * Self::EXPANSION;
            }
        }
        blocks
    }
}

/// One bottleneck block, resolved from its stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResNetBlock {
    /// The stage, counted from 1.
    pub stage: usize,
    /// Place in the stage, counted from 0.
    pub index: usize,
    /// Input channels.
    pub input: usize,
    /// Channels of the 3×3 convolution.
    pub inner: usize,
    /// Stride of the 3×3 convolution.
    pub stride: usize,
}

impl ResNetBlock {
    /// Output channels.
    pub const fn output(&self) -> usize {
        self.inner * ResNetConfig::EXPANSION
    }

    /// Whether the shortcut is a convolution.
    pub const fn downsamples(&self) -> bool {
        self.index == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resnet50_has_sixteen_blocks_and_the_published_widths() {
        let config = ResNetConfig::resnet50(3);
        let blocks = config.resolved();
        assert_eq!((blocks.len(), config.features()), (16, 2048));
        assert_eq!((blocks[0].input, blocks[1].input, blocks[3].input), (64, 256, 256));
        assert_eq!(blocks.iter().filter(|block| block.stride == 2).count(), 3);
        assert_eq!(blocks[15].output(), 2048);
    }
}
