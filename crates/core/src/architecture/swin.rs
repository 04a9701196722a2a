//! Sizes of a Swin transformer.

mod plan;
mod windows;

use serde::{Deserialize, Serialize};

pub use plan::{Moves, SwinBlock, SwinPlan, SwinSizeError, SwinStage};
pub use windows::{Windows, relative_positions};

/// Sizes of a Swin transformer trunk (Liu et al. 2021, version 1); field names follow Hugging Face's `config.json`.
///
/// # Parameters
/// Under `vision_model.model.`, as Hugging Face's `SwinModel` of transformers 4 names them:
/// `embeddings.patch_embeddings.projection.{weight,bias}` (`[embed_dim, channels, patch, patch]`),
/// `embeddings.norm.*`; per block J of stage I under `encoder.layers.I.blocks.J.`: `layernorm_before.*`,
/// `attention.self.relative_position_bias_table` (`[(2·window − 1)², heads]`),
/// `attention.self.{query,key,value}.*`, `attention.output.dense.*`, `layernorm_after.*`, `intermediate.dense.*`,
/// `output.dense.*`; after every stage but the last `encoder.layers.I.downsample.{norm.*,reduction.weight}`; and
/// `layernorm.*` over the last features.
///
/// # Image sizes
/// Maps are padded with zeros to whole patches, whole windows and an even side, as `SwinModel` does. A stage whose map
/// is smaller than a window is refused ([`SwinSizeError`]), as `SwinModel` fails there too. Stochastic depth is not
/// part of the tower.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SwinConfig {
    /// Input channels: 1, or 3 for a gray channel repeated.
    pub channels: usize,
    /// Side of a patch in pixels.
    pub patch_size: usize,
    /// Width of the first stage; doubles with every further one.
    pub embed_dim: usize,
    /// Blocks of each stage.
    pub depths: Vec<usize>,
    /// Heads of each stage; each divides the stage's width.
    pub num_heads: Vec<usize>,
    /// Side of an attention window in tokens.
    pub window_size: usize,
    /// Width of a feed-forward layer over that of its stage.
    pub mlp_ratio: usize,
    /// ε of every layer normalization.
    pub layer_norm_eps: f64,
}

impl SwinConfig {
    /// Swin-T, patch 4 and window 7, with `channels` input channels: 27.5 M parameters.
    pub fn tiny(channels: usize) -> Self {
        Self {
            channels,
            patch_size: 4,
            embed_dim: 96,
            depths: vec![2, 2, 6, 2],
            num_heads: vec![3, 6, 12, 24],
            window_size: 7,
            mlp_ratio: 4,
            layer_norm_eps: 1e-5,
        }
    }

    /// Width of stage `stage`, counted from 0.
    pub fn width(&self, stage: usize) -> usize {
        self.embed_dim << stage
    }

    /// Width of the last stage: the features that are averaged over tokens.
    pub fn features(&self) -> usize {
        self.width(self.depths.len().saturating_sub(1))
    }
}
