//! Swin transformer, an image tower of the published model.

use candle_core::{Result, Tensor, bail};
use medclip_core::SwinConfig;
use medclip_core::architecture::swin::{Moves, SwinBlock, SwinStage, Windows, relative_positions};

use crate::op::{Activation, Padding, bias_activation, filter_rows, move_tokens, patches, window_softmax};
use crate::params::{Init, ParameterStore};
use crate::tower::convolution::Rows;
use crate::tower::layer::{INITIALIZER_RANGE, Linear, Norm};

/// The trunk: pixels to features averaged over tokens.
pub struct Swin {
    config: SwinConfig,
    patch_weight: Tensor,
    patch_bias: Tensor,
    patch_norm: Norm,
    stages: Vec<Stage>,
    norm: Norm,
}

struct Stage {
    blocks: Vec<Block>,
    merge: Option<Merge>,
}

impl Swin {
    /// Adds the trunk's parameters to `store` under `prefix`.
    ///
    /// # Errors
    /// When a name is taken or the heads of a stage do not divide its width.
    pub fn new(config: &SwinConfig, store: &mut ParameterStore, prefix: &str) -> Result<Self> {
        let (patch, width, eps) = (config.patch_size, config.embed_dim, config.layer_norm_eps);
        let projection = format!("{prefix}embeddings.patch_embeddings.projection");
        let patch_weight = store.parameter(
            &format!("{projection}.weight"),
            (width, config.channels, patch, patch),
            Init::Normal(INITIALIZER_RANGE),
        )?;
        let patch_bias = store.parameter(&format!("{projection}.bias"), width, Init::Constant(0.0))?;
        let patch_norm = Norm::new(store, &format!("{prefix}embeddings.norm"), width, eps)?;
        let mut stages = Vec::new();
        for (index, (&depth, &heads)) in config.depths.iter().zip(&config.num_heads).enumerate() {
            let (name, width) = (format!("{prefix}encoder.layers.{index}"), config.width(index));
            if heads == 0 || !width.is_multiple_of(heads) {
                bail!("{heads} heads do not divide a width of {width}");
            }
            let blocks = (0..depth)
                .map(|block| Block::new(store, &format!("{name}.blocks.{block}"), config, [width, heads]))
                .collect::<Result<_>>()?;
            let merge = (index + 1 < config.depths.len())
                .then(|| Merge::new(store, &format!("{name}.downsample"), width, eps))
                .transpose()?;
            stages.push(Stage { blocks, merge });
        }
        let norm = Norm::new(store, &format!("{prefix}layernorm"), config.features(), eps)?;
        Ok(Self { config: config.clone(), patch_weight, patch_bias, patch_norm, stages, norm })
    }

    /// Features of a batch.
    ///
    /// # Shapes
    /// - `pixels`: `[batch, channels, side, side]`
    /// - returns: `[batch, features]`
    /// # Errors
    /// When the channels differ from the configuration, or a map is smaller than a window.
    /// # Source
    /// Liu et al. 2021; `SwinModel` of transformers 4, padding included, without stochastic depth.
    pub fn forward(&self, pixels: &Tensor) -> Result<Tensor> {
        let (batch, channels, height, side) = pixels.dims4()?;
        if channels != self.config.channels || height != side {
            bail!("image tower takes {} channels and squares, got {:?}", self.config.channels, pixels.dims());
        }
        let plan = self.config.plan(side).map_err(candle_core::Error::wrap)?;
        let mut x = self.embeddings(pixels)?; // (B·N, W)
        x = moved(&x, batch, plan.embed.as_ref())?;
        for (stage, sizes) in self.stages.iter().zip(&plan.stages) {
            for (block, windows) in stage.blocks.iter().zip(&sizes.blocks) {
                x = block.forward(&x, batch, sizes, windows)?;
            }
            if let (Some(merge), Some(moves)) = (&stage.merge, &sizes.merge) {
                x = merge.forward(&x, batch, moves)?;
            }
        }
        let x = self.norm.forward(&x)?;
        x.reshape((batch, (), self.config.features()))?.mean(1)
    }

    /// Patches as tokens in raster order, normalised.
    fn embeddings(&self, pixels: &Tensor) -> Result<Tensor> {
        let (pixels, patch) = (Rows::from_pixels(pixels)?, self.config.patch_size);
        let after = pixels.width.next_multiple_of(patch) - pixels.width;
        let geometry = pixels.geometry(patch, patch, Padding::Explicit { before: 0, after });
        let x = patches(&pixels.values, geometry)?.matmul(&filter_rows(&self.patch_weight)?.t()?)?;
        self.patch_norm.forward(&bias_activation(&x, &self.patch_bias, Activation::Identity)?)
    }
}

/// Attention within windows and feed-forward, each after a normalisation and added to its input.
struct Block {
    before: Norm,
    query: Linear,
    key: Linear,
    value: Linear,
    bias_table: Tensor,
    attention_output: Linear,
    after: Norm,
    intermediate: Linear,
    output: Linear,
}

impl Block {
    fn new(
        store: &mut ParameterStore,
        prefix: &str,
        config: &SwinConfig,
        [width, heads]: [usize; 2],
    ) -> Result<Self> {
        let (inner, eps) = (width * config.mlp_ratio, config.layer_norm_eps);
        let mut linear = |name: &str, out, input| Linear::new(store, &format!("{prefix}.{name}"), out, input);
        let query = linear("attention.self.query", width, width)?;
        let key = linear("attention.self.key", width, width)?;
        let value = linear("attention.self.value", width, width)?;
        let attention_output = linear("attention.output.dense", width, width)?;
        let intermediate = linear("intermediate.dense", inner, width)?;
        let output = linear("output.dense", width, inner)?;
        let bias_table = store.parameter(
            &format!("{prefix}.attention.self.relative_position_bias_table"),
            ((2 * config.window_size - 1).pow(2), heads),
            Init::Normal(INITIALIZER_RANGE),
        )?;
        let before = Norm::new(store, &format!("{prefix}.layernorm_before"), width, eps)?;
        let after = Norm::new(store, &format!("{prefix}.layernorm_after"), width, eps)?;
        Ok(Self { before, query, key, value, bias_table, attention_output, after, intermediate, output })
    }

    fn forward(&self, x: &Tensor, batch: usize, stage: &SwinStage, sizes: &SwinBlock) -> Result<Tensor> {
        let input = moved(x, batch, sizes.reorder.as_ref())?;
        let x = self.before.forward(&input)?;
        let (into, back) =
            sizes.padding.as_ref().map_or((None, None), |(into, back)| (Some(into), Some(back)));
        let x = moved(&x, batch, into)?;
        let x = self.attention(&x, batch, stage.heads, &sizes.windows)?;
        let input = (moved(&x, batch, back)? + input)?;

        let x = self.after.forward(&input)?;
        let wide = self.intermediate.forward(&x, Activation::Gelu)?; // (B·N, inner)
        self.output.forward(&wide, Activation::Identity)? + input
    }

    /// Attention between the tokens of each window, which stand one after another.
    fn attention(&self, x: &Tensor, batch: usize, heads: usize, windows: &Windows) -> Result<Tensor> {
        let (rows, width) = x.dims2()?;
        let size = width / heads;
        let shape = (batch * windows.count(), windows.tokens(), heads, size);
        let split = |t: Tensor| t.reshape(shape)?.transpose(1, 2)?.contiguous();
        let query = split(self.query.forward(x, Activation::Identity)?)?; // (B·n, H, T, D)
        let key = split(self.key.forward(x, Activation::Identity)?)?;
        let value = split(self.value.forward(x, Activation::Identity)?)?;
        let scores = query.matmul(&key.t()?)?; // (B·n, H, T, T)
        let bias = self.position_bias(windows)?;
        let weights = window_softmax(&scores, &bias, windows.mask(), 1.0 / (size as f32).sqrt())?;
        let mixed = weights.matmul(&value)?.transpose(1, 2)?.contiguous()?.reshape((rows, width))?;
        self.attention_output.forward(&mixed, Activation::Identity)
    }

    /// The table looked up for every pair of tokens: `[heads, tokens, tokens]`.
    fn position_bias(&self, windows: &Windows) -> Result<Tensor> {
        let (_, heads) = self.bias_table.dims2()?;
        let (pairs, tokens) = (relative_positions(windows.window), windows.tokens());
        let pairs: Vec<u32> = pairs.into_iter().map(|row| row as u32).collect();
        let pairs = Tensor::from_vec(pairs, tokens * tokens, self.bias_table.device())?;
        self.bias_table.index_select(&pairs, 0)?.t()?.contiguous()?.reshape((heads, tokens, tokens))
    }
}

/// Four tokens side by side, normalised and halved in width.
struct Merge {
    norm: Norm,
    reduction: Tensor,
}

impl Merge {
    fn new(store: &mut ParameterStore, prefix: &str, width: usize, eps: f64) -> Result<Self> {
        let shape = (2 * width, 4 * width);
        let init = Init::Normal(INITIALIZER_RANGE);
        Ok(Self {
            norm: Norm::new(store, &format!("{prefix}.norm"), 4 * width, eps)?,
            reduction: store.parameter(&format!("{prefix}.reduction.weight"), shape, init)?,
        })
    }

    fn forward(&self, x: &Tensor, batch: usize, moves: &Moves) -> Result<Tensor> {
        let (_, width) = x.dims2()?;
        let x = moved(x, batch, Some(moves))?.reshape(((), 4 * width))?; // (B·N, 4·W)
        self.norm.forward(&x)?.matmul(&self.reduction.t()?) // (B·N, 2·W)
    }
}

fn moved(x: &Tensor, batch: usize, moves: Option<&Moves>) -> Result<Tensor> {
    match moves {
        Some(moves) => move_tokens(x, batch, moves),
        None => Ok(x.clone()),
    }
}
