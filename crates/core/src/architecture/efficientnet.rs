//! Sizes of an EfficientNet-Lite.

use serde::{Deserialize, Serialize};

/// Sizes of an EfficientNet-Lite trunk (Tan and Le 2019; "Lite" drops squeeze-and-excitation and uses ReLU6).
///
/// Strided convolutions pad as TensorFlow's `SAME`: the odd pixel of padding goes to the bottom and right.
///
/// # Parameters
/// Under `vision_model.model.`: `stem.conv.weight` `[stem, channels, 3, 3]` (stride 2), `stem.bn.*`;
/// `blocks.I.expand.conv.weight` `[in·ratio, in, 1, 1]` (absent when the ratio is 1), `blocks.I.expand.bn.*`,
/// `blocks.I.depthwise.conv.weight` `[in·ratio, 1, k, k]`, `….depthwise.bn.*`,
/// `blocks.I.project.conv.weight` `[out, in·ratio, 1, 1]`, `….project.bn.*` (no activation after it);
/// `head.conv.weight` `[head, out, 1, 1]`, `head.bn.*`. I counts blocks over all stages. Every `bn` has
/// `weight`, `bias`, `running_mean`, `running_var`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EfficientNetConfig {
    /// Input channels: 1, or 3 for a gray channel repeated.
    pub channels: usize,
    /// Channels after the stem.
    pub stem: usize,
    /// Inverted-residual stages, in order.
    pub stages: Vec<EfficientNetStage>,
    /// Channels after the last 1×1 convolution: the features that are averaged over the image.
    pub head: usize,
    /// ε of every batch normalization.
    pub batch_norm_eps: f64,
}

/// A run of inverted-residual blocks with one kernel and width.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EfficientNetStage {
    /// Blocks in the stage; the stride applies to the first, the others add their input back.
    pub blocks: usize,
    /// Side of the depthwise kernel, 3 or 5.
    pub kernel: usize,
    /// Stride of the first block, 1 or 2.
    pub stride: usize,
    /// Widening inside a block; 1 leaves the expansion out.
    pub expand: usize,
    /// Output channels.
    pub channels: usize,
}

impl EfficientNetConfig {
    /// EfficientNet-Lite0, 3.4 M parameters in the trunk, with `channels` input channels.
    pub fn lite0(channels: usize) -> Self {
        let stage = |blocks, kernel, stride, expand, channels| EfficientNetStage {
            blocks,
            kernel,
            stride,
            expand,
            channels,
        };
        Self {
            channels,
            stem: 32,
            stages: vec![
                stage(1, 3, 1, 1, 16),
                stage(2, 3, 2, 6, 24),
                stage(2, 5, 2, 6, 40),
                stage(3, 3, 2, 6, 80),
                stage(3, 5, 1, 6, 112),
                stage(4, 5, 2, 6, 192),
                stage(1, 3, 1, 6, 320),
            ],
            head: 1280,
            batch_norm_eps: 1e-3,
        }
    }

    /// Every block of every stage in order, with its input width resolved.
    pub fn blocks(&self) -> Vec<EfficientNetBlock> {
        let mut input = self.stem;
        let mut blocks = Vec::new();
        for stage in &self.stages {
            for index in 0..stage.blocks {
                let stride = if index == 0 { stage.stride } else { 1 };
                blocks.push(EfficientNetBlock {
                    input,
                    hidden: input * stage.expand,
                    output: stage.channels,
                    kernel: stage.kernel,
                    stride,
                    expands: stage.expand != 1,
                    residual: stride == 1 && input == stage.channels,
                });
                input = stage.channels;
            }
        }
        blocks
    }
}

/// One inverted-residual block, resolved from its stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EfficientNetBlock {
    /// Input channels.
    pub input: usize,
    /// Channels of the depthwise convolution.
    pub hidden: usize,
    /// Output channels.
    pub output: usize,
    /// Side of the depthwise kernel.
    pub kernel: usize,
    /// Stride of the depthwise convolution.
    pub stride: usize,
    /// Whether a 1×1 expansion comes first.
    pub expands: bool,
    /// Whether the input is added to the output.
    pub residual: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lite0_has_sixteen_blocks_and_the_published_widths() {
        let blocks = EfficientNetConfig::lite0(1).blocks();
        assert_eq!(blocks.len(), 16);
        assert!(!blocks[0].expands && blocks[0].hidden == 32);
        assert_eq!(blocks[15].hidden, 1152);
        assert_eq!(blocks.iter().filter(|b| b.residual).count(), 9);
    }
}
