//! Swin transformer, an image tower of the published model.

use candle_core::{Result, Tensor, bail};
use medclip_core::SwinConfig;
use medclip_core::architecture::swin::{Moves, SwinBlock, SwinStage, Windows, relative_positions};

use crate::compute::ComputePrecision;
use crate::op::{
    AttentionMask, Groups, Padding, attention, embedding, filter_rows, linear, move_tokens, patches, pool,
    product,
};
use crate::params::{Init, ParameterStore};
use crate::tape::Tape;
use crate::tower::convolution::{Rows, by_image};
use crate::tower::layer::{INITIALIZER_RANGE, Linear, Norm, Projections};

/// The trunk: pixels to features averaged over tokens.
pub struct Swin {
    config: SwinConfig,
    precision: ComputePrecision,
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
        let (config, precision) = (config.clone(), store.precision());
        Ok(Self { config, precision, patch_weight, patch_bias, patch_norm, stages, norm })
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
        let tape = &mut Tape::new().with_precision(self.precision);
        let (x, batch, _) = self.last_map(tape, pixels)?;
        let rows = x.dim(0)?;
        let features = pool(tape, &x, batch, vec![batch as f32 / rows as f32; rows])?;
        std::mem::take(tape).finish(&features)
    }

    /// Features of every token of the last map, row by row.
    ///
    /// # Shapes
    /// - `pixels`: `[batch, channels, side, side]`
    /// - returns: `[batch, locations, features]`
    /// # Errors
    /// As [`Self::forward`].
    pub fn locations(&self, pixels: &Tensor) -> Result<Tensor> {
        let mut tape = Tape::new().with_precision(self.precision);
        let (x, batch, exit) = self.last_map(&mut tape, pixels)?;
        let x = moved(&mut tape, &x, batch, exit.as_ref())?;
        by_image(&tape.finish(&x)?, batch)
    }

    /// Tokens of the last map, the size of the batch, and how the tokens are moved to raster order.
    fn last_map(&self, tape: &mut Tape, pixels: &Tensor) -> Result<(Tensor, usize, Option<Moves>)> {
        let (batch, channels, height, side) = pixels.dims4()?;
        if channels != self.config.channels || height != side {
            bail!("image tower takes {} channels and squares, got {:?}", self.config.channels, pixels.dims());
        }
        let plan = self.config.plan(side).map_err(candle_core::Error::wrap)?;
        let mut x = self.embeddings(tape, pixels)?; // (B·N, W)
        x = moved(tape, &x, batch, plan.embed.as_ref())?;
        for (stage, sizes) in self.stages.iter().zip(&plan.stages) {
            for (block, windows) in stage.blocks.iter().zip(&sizes.blocks) {
                x = block.forward(tape, &x, batch, sizes, windows)?;
            }
            if let (Some(merge), Some(moves)) = (&stage.merge, &sizes.merge) {
                x = merge.forward(tape, &x, batch, moves)?;
            }
        }
        Ok((self.norm.forward(tape, &x)?, batch, plan.exit))
    }

    /// Patches as tokens in raster order, normalized.
    fn embeddings(&self, tape: &mut Tape, pixels: &Tensor) -> Result<Tensor> {
        let (pixels, patch) = (Rows::from_pixels(tape, pixels)?, self.config.patch_size);
        let after = pixels.width.next_multiple_of(patch) - pixels.width;
        let geometry = pixels.geometry(patch, patch, Padding::Explicit { before: 0, after });
        let x = patches(tape, &pixels.values, geometry)?;
        let filters = filter_rows(tape, &self.patch_weight)?;
        let x = linear(tape, &x, &filters, &self.patch_bias)?;
        self.patch_norm.forward(tape, &x)
    }
}

/// Attention within windows and feed-forward, each after a normalization and added to its input.
struct Block {
    before: Norm,
    projections: Projections,
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
        let projections = Projections::new(store, &format!("{prefix}.attention.self"), width)?;
        let mut linear = |name: &str, out, input| Linear::new(store, &format!("{prefix}.{name}"), out, input);
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
        Ok(Self { before, projections, bias_table, attention_output, after, intermediate, output })
    }

    fn forward(
        &self,
        tape: &mut Tape,
        x: &Tensor,
        batch: usize,
        stage: &SwinStage,
        sizes: &SwinBlock,
    ) -> Result<Tensor> {
        let input = moved(tape, x, batch, sizes.reorder.as_ref())?;
        let x = self.before.forward(tape, &input)?;
        let input = match &sizes.padding {
            None => {
                let mixed = self.mix(tape, &x, batch, stage.heads, &sizes.windows)?;
                self.attention_output.forward_add(tape, &mixed, &input)?
            }
            Some((into, back)) => {
                let x = move_tokens(tape, &x, batch, into)?;
                let mixed = self.mix(tape, &x, batch, stage.heads, &sizes.windows)?;
                let mixed = move_tokens(tape, &mixed, batch, back)?;
                self.attention_output.forward_add(tape, &mixed, &input)?
            }
        };
        let x = self.after.forward(tape, &input)?;
        let wide = self.intermediate.forward_gelu(tape, &x)?; // (B·N, inner)
        self.output.forward_add(tape, &wide, &input)
    }

    /// Values mixed within each window, whose tokens stand one after another.
    fn mix(
        &self,
        tape: &mut Tape,
        x: &Tensor,
        batch: usize,
        heads: usize,
        windows: &Windows,
    ) -> Result<Tensor> {
        let projected = self.projections.forward(tape, x)?;
        let bias = self.position_bias(tape, windows)?;
        let groups = Groups { groups: batch * windows.count(), tokens: windows.tokens(), heads };
        let mask = windows.mask().map_or(AttentionMask::None, AttentionMask::Pairs);
        attention(tape, &projected, groups, Some(&bias), mask)
    }

    /// The table looked up for every pair of tokens: `[heads, tokens, tokens]`.
    fn position_bias(&self, tape: &mut Tape, windows: &Windows) -> Result<Tensor> {
        let (_, heads) = self.bias_table.dims2()?;
        let tokens = windows.tokens();
        let pairs = embedding(tape, &self.bias_table, relative_positions(windows.window))?;
        let pairs = tape.transpose(&pairs)?;
        tape.reshape(&pairs, (heads, tokens, tokens))
    }
}

/// Four tokens side by side, normalized and halved in width.
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

    fn forward(&self, tape: &mut Tape, x: &Tensor, batch: usize, moves: &Moves) -> Result<Tensor> {
        let (_, width) = x.dims2()?;
        let x = move_tokens(tape, x, batch, moves)?;
        let x = tape.reshape(&x, (x.dim(0)? / 4, 4 * width))?; // (B·N, 4·W)
        let x = self.norm.forward(tape, &x)?;
        product(tape, &x, &self.reduction) // (B·N, 2·W)
    }
}

fn moved(tape: &mut Tape, x: &Tensor, batch: usize, moves: Option<&Moves>) -> Result<Tensor> {
    match moves {
        Some(moves) => move_tokens(tape, x, batch, moves),
        None => Ok(x.clone()),
    }
}
