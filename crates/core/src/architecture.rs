//! Sizes of the two towers and the temperature between them. Values are data; kinds of tower are code.

use serde::{Deserialize, Serialize};

/// The two towers, the joint space and the temperature: what decides the shape of every weight.
///
/// Parameter names in a checkpoint start with `vision_model.` and `text_model.` as in the reference, with
/// `vision_model.projection_head.weight` `[embedding_dim, image features]`,
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
}

/// A kind of text tower with its sizes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum TextTower {
    /// BERT (Devlin et al. 2019) of any depth and width.
    Bert(BertConfig),
}

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
    /// Input channels: 1, or 3 for a grey channel repeated.
    pub channels: usize,
    /// Channels after the stem.
    pub stem: usize,
    /// Inverted-residual stages, in order.
    pub stages: Vec<EfficientNetStage>,
    /// Channels after the last 1×1 convolution: the features that are averaged over the image.
    pub head: usize,
    /// ε of every batch normalisation.
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

/// Sizes of a BERT trunk; field names follow Hugging Face's `config.json`.
///
/// # Parameters
/// Under `text_model.model.`: `embeddings.{word,position,token_type}_embeddings.weight`,
/// `embeddings.LayerNorm.{weight,bias}`, and per layer K under `encoder.layer.K.`:
/// `attention.self.{query,key,value}.{weight,bias}`, `attention.output.dense.*`, `attention.output.LayerNorm.*`,
/// `intermediate.dense.*`, `output.dense.*`, `output.LayerNorm.*`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BertConfig {
    /// Rows of the word embedding.
    pub vocab_size: usize,
    /// Width.
    pub hidden_size: usize,
    /// Depth.
    pub num_hidden_layers: usize,
    /// Heads; divides the width.
    pub num_attention_heads: usize,
    /// Width of the feed-forward layer.
    pub intermediate_size: usize,
    /// Longest sequence the position embedding allows.
    pub max_position_embeddings: usize,
    /// Rows of the segment embedding.
    pub type_vocab_size: usize,
    /// ε of every layer normalisation.
    pub layer_norm_eps: f64,
    /// How token states become one vector.
    pub pooling: TextPooling,
    /// Whether the projection has a bias (`text_model.projection_head.bias`).
    #[serde(default)]
    pub projection_bias: bool,
}

/// How the hidden states of a sentence become one vector.
///
/// Both average the states after layers 1, 2 and the last over the chosen tokens (index 0 being the embeddings).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TextPooling {
    /// Mean over the tokens the mask admits.
    Masked,
    /// Mean over all positions, padding included, as the published code does: an embedding then depends on the
    /// length its batch was padded to.
    Reference,
}

impl BertConfig {
    /// all-MiniLM-L6-v2: 6 layers of width 384.
    pub const fn minilm_l6() -> Self {
        Self {
            vocab_size: 30_522,
            hidden_size: 384,
            num_hidden_layers: 6,
            num_attention_heads: 12,
            intermediate_size: 1536,
            max_position_embeddings: 512,
            type_vocab_size: 2,
            layer_norm_eps: 1e-12,
            pooling: TextPooling::Masked,
            projection_bias: false,
        }
    }
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
    fn lite0_has_sixteen_blocks_and_the_published_widths() {
        let blocks = EfficientNetConfig::lite0(1).blocks();
        assert_eq!(blocks.len(), 16);
        assert!(!blocks[0].expands && blocks[0].hidden == 32);
        assert_eq!(blocks[15].hidden, 1152);
        assert_eq!(blocks.iter().filter(|b| b.residual).count(), 9);
    }

    #[test]
    fn logit_scale_is_clamped_even_for_nan() {
        assert_eq!(LogitScale::new(9.0).ln(), LogitScale::MAX);
        assert_eq!(LogitScale::new(-1.0).ln(), 0.0);
        assert_eq!(LogitScale::new(f32::NAN).ln(), 0.0);
    }
}
