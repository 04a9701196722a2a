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
        Self::scaled(channels, 1.0, 1.0)
    }

    /// EfficientNet-Lite1, 4.1 M parameters in the trunk: deeper by a tenth. Its ImageNet weights are for 240 pixels.
    pub fn lite1(channels: usize) -> Self {
        Self::scaled(channels, 1.0, 1.1)
    }

    /// EfficientNet-Lite2, 4.8 M parameters in the trunk: deeper by a fifth and wider by a tenth. Its ImageNet weights are for
    /// 260 pixels.
    pub fn lite2(channels: usize) -> Self {
        Self::scaled(channels, 1.1, 1.2)
    }

    /// Lite0 with stages of other widths and depths. Stem, head, and the depth of the first and last stage stay as they are.
    ///
    /// # Source
    /// `tensorflow/tpu`, `models/official/efficientnet/lite/efficientnet_lite_builder.py`, and `round_filters` and
    /// `round_repeats` in `efficientnet_model.py`.
    fn scaled(channels: usize, width: f64, depth: f64) -> Self {
        let stage = |blocks, kernel, stride, expand, channels| EfficientNetStage {
            blocks,
            kernel,
            stride,
            expand,
            channels,
        };
        let mut stages = vec![
            stage(1, 3, 1, 1, 16),
            stage(2, 3, 2, 6, 24),
            stage(2, 5, 2, 6, 40),
            stage(3, 3, 2, 6, 80),
            stage(3, 5, 1, 6, 112),
            stage(4, 5, 2, 6, 192),
            stage(1, 3, 1, 6, 320),
        ];
        let last = stages.len() - 1;
        for (index, stage) in stages.iter_mut().enumerate() {
            stage.channels = round_width(stage.channels as f64 * width);
            if index != 0 && index != last {
                stage.blocks = (stage.blocks as f64 * depth).ceil() as usize;
            }
        }
        Self { channels, stem: 32, stages, head: 1280, batch_norm_eps: 1e-3 }
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

/// The multiple of 8 nearest to `width`, but no less than nine tenths of it.
fn round_width(width: f64) -> usize {
    let rounded = ((width + 4.0) as usize / 8 * 8).max(8);
    if (rounded as f64) < 0.9 * width { rounded + 8 } else { rounded }
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
    fn larger_ones_have_the_published_widths_and_depths() {
        let shape = |config: EfficientNetConfig| -> (Vec<usize>, Vec<usize>) {
            config.stages.iter().map(|stage| (stage.channels, stage.blocks)).unzip()
        };
        let (widths, depths) = shape(EfficientNetConfig::lite1(1));
        assert_eq!((widths, depths), (vec![16, 24, 40, 80, 112, 192, 320], vec![1, 3, 3, 4, 4, 5, 1]));
        let (widths, depths) = shape(EfficientNetConfig::lite2(1));
        assert_eq!((widths, depths), (vec![16, 24, 48, 88, 120, 208, 352], vec![1, 3, 3, 4, 4, 5, 1]));
    }

    #[test]
    fn lite0_has_sixteen_blocks_and_the_published_widths() {
        let blocks = EfficientNetConfig::lite0(1).blocks();
        assert_eq!(blocks.len(), 16);
        assert!(!blocks[0].expands && blocks[0].hidden == 32);
        assert_eq!(blocks[15].hidden, 1152);
        assert_eq!(blocks.iter().filter(|b| b.residual).count(), 9);
    }
}
