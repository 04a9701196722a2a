//! Swin transformer. Windows, shifts and merging are gathers over tokens, at most one a block where the map is whole
//! windows; the scale of the scores is folded into the queries, and the relative-position bias is looked up here.

use std::ops::RangeInclusive;

use medclip_core::architecture::SwinConfig;
use medclip_core::architecture::limits::{DEPTHS, FACTORS, SIZES, STAGES};
use medclip_core::architecture::swin::{Moves, SwinBlock, SwinStage, Windows, relative_positions};

use super::map::{Features, Locations};
use super::{check, read_layer_norm, read_linear};
use crate::error::ExportError;
use crate::graph::{Graph, Value};
use crate::op::attention::SelfAttention;
use crate::op::conv::{Conv, Padding, conv};
use crate::op::linear::{Linear, linear};
use crate::op::shape::{KEEP, REST, reshape, take, transpose};
use crate::op::window_attention::{WindowBias, window_attention};
use crate::op::{activation, math, norm, pool};
use crate::tensor::Tensor;
use crate::weights::{Parameter, Weights, WeightsError};

const PREFIX: &str = "vision_model.model";
/// Wider than a convolution may be.
const WIDTHS: RangeInclusive<usize> = 1..=1 << 14;

/// The tensors of the trunk and of its projection to `embedding_dim`.
pub(crate) fn parameters(config: &SwinConfig, embedding_dim: usize) -> Result<Vec<Parameter>, ExportError> {
    validate(config)?;
    let mut parameters = Vec::new();
    let mut add = |name: String, shape: &[usize]| parameters.push(Parameter::new(name, shape));
    let patch = config.patch_size;
    let projection = name("embeddings.patch_embeddings.projection");
    add(format!("{projection}.weight"), &[config.embed_dim, config.channels, patch, patch]);
    add(format!("{projection}.bias"), &[config.embed_dim]);
    let mut norms = vec![(name("embeddings.norm"), config.embed_dim), (name("layernorm"), config.features())];
    for (stage, (&depth, &heads)) in config.depths.iter().zip(&config.num_heads).enumerate() {
        let (width, inner) = (config.width(stage), config.width(stage) * config.mlp_ratio);
        for block in (0..depth).map(|block| block_name(stage, block)) {
            for (part, output, input) in [
                ("attention.self.query", width, width),
                ("attention.self.key", width, width),
                ("attention.self.value", width, width),
                ("attention.output.dense", width, width),
                ("intermediate.dense", inner, width),
                ("output.dense", width, inner),
            ] {
                add(format!("{block}.{part}.weight"), &[output, input]);
                add(format!("{block}.{part}.bias"), &[output]);
            }
            let rows = (2 * config.window_size - 1).pow(2);
            add(format!("{block}.attention.self.relative_position_bias_table"), &[rows, heads]);
            norms.push((format!("{block}.layernorm_before"), width));
            norms.push((format!("{block}.layernorm_after"), width));
        }
        if stage + 1 < config.depths.len() {
            add(format!("{}.reduction.weight", merge_name(stage)), &[2 * width, 4 * width]);
            norms.push((format!("{}.norm", merge_name(stage)), 4 * width));
        }
    }
    for (norm, width) in norms {
        add(format!("{norm}.weight"), &[width]);
        add(format!("{norm}.bias"), &[width]);
    }
    add("vision_model.projection_head.weight".to_owned(), &[embedding_dim, config.features()]);
    Ok(parameters)
}

/// Pixels `[batch, channels, side, side]` to the features of every token of the last map.
pub(crate) fn trunk(
    graph: &mut Graph,
    config: &SwinConfig,
    pixels: Value<f32, 4>,
    side: usize,
    weights: &Weights,
) -> Result<Features, ExportError> {
    let plan = config.plan(side)?;
    let mut trunk = Trunk { graph, weights, config };
    let mut x = trunk.embeddings(pixels, side)?; // (B, N, W)
    x = trunk.moved(&name("embeddings.order"), x, plan.embed.as_ref());
    for (index, stage) in plan.stages.iter().enumerate() {
        for (block, sizes) in stage.blocks.iter().enumerate() {
            x = trunk.block(&block_name(index, block), stage, sizes, x)?;
        }
        if let Some(merge) = &stage.merge {
            x = trunk.merge(&merge_name(index), stage, merge, x)?;
        }
    }
    let x = trunk.layer_norm(&name("layernorm"), x)?;
    let pooled = pool::mean(graph, &name("pooler"), x, 1);
    Ok(Features { pooled, locations: Locations::Tokens(x, plan.exit), side: plan.last_side })
}

struct Trunk<'a> {
    graph: &'a mut Graph,
    weights: &'a Weights,
    config: &'a SwinConfig,
}

impl Trunk<'_> {
    /// Patches as tokens in raster order, normalized.
    fn embeddings(&mut self, pixels: Value<f32, 4>, side: usize) -> Result<Value<f32, 3>, WeightsError> {
        let patch = self.config.patch_size;
        let projection = name("embeddings.patch_embeddings.projection");
        let layer = Conv {
            weight: self.weights.tensor(&format!("{projection}.weight"))?,
            bias: self.weights.tensor(&format!("{projection}.bias"))?,
            stride: patch,
            groups: 1,
            padding: Padding { before: 0, after: side.next_multiple_of(patch) - side },
        };
        let x = conv(self.graph, &projection, pixels, &layer); // (B, W, side / patch, side / patch)
        let x = reshape(self.graph, &name("embeddings.flat"), x, [KEEP, KEEP, REST]);
        let x = transpose(self.graph, &name("embeddings.tokens"), x, [0, 2, 1]); // (B, N, W)
        self.layer_norm(&name("embeddings.norm"), x)
    }

    /// One block: attention within windows and feed-forward, each after a normalization and added to its input.
    fn block(
        &mut self,
        block: &str,
        stage: &SwinStage,
        sizes: &SwinBlock,
        x: Value<f32, 3>,
    ) -> Result<Value<f32, 3>, WeightsError> {
        let name = |part: &str| format!("{block}.{part}");
        let input = self.moved(&name("order"), x, sizes.reorder.as_ref());
        let x = self.layer_norm(&name("layernorm_before"), input)?;
        let (into, back) =
            sizes.padding.as_ref().map_or((None, None), |(into, back)| (Some(into), Some(back)));
        let x = self.moved(&name("attention.windows"), x, into);
        let x = self.attention(&name("attention"), stage, &sizes.windows, x)?;
        let x = self.moved(&name("attention.tokens"), x, back);
        let input = math::add(self.graph, &name("attention.sum"), x, input);

        let x = self.layer_norm(&name("layernorm_after"), input)?;
        let wide = read_linear(self.weights, &name("intermediate.dense"))?;
        let x = linear(self.graph, &name("intermediate.dense"), x, &wide);
        let x = activation::gelu(self.graph, &name("intermediate.gelu"), x); // (B, N, inner)
        let narrow = read_linear(self.weights, &name("output.dense"))?;
        let x = linear(self.graph, &name("output.dense"), x, &narrow);
        Ok(math::add(self.graph, &name("output.sum"), x, input))
    }

    /// Attention between the tokens of each window.
    fn attention(
        &mut self,
        attention: &str,
        stage: &SwinStage,
        windows: &Windows,
        x: Value<f32, 3>,
    ) -> Result<Value<f32, 3>, WeightsError> {
        let name = |part: &str| format!("{attention}.{part}");
        let layer = SelfAttention {
            query: read_linear(self.weights, &name("self.query"))?,
            key: read_linear(self.weights, &name("self.key"))?,
            value: read_linear(self.weights, &name("self.value"))?,
            output: read_linear(self.weights, &name("output.dense"))?,
            heads: stage.heads,
        };
        let table: Tensor<f32, 2> = self.weights.tensor(&name("self.relative_position_bias_table"))?;
        let (count, tokens) = (windows.count(), windows.tokens());
        let bias = WindowBias {
            position: position_bias(&table, windows.window),
            mask: windows.mask().and_then(|mask| Tensor::new([count, 1, tokens, tokens], mask)),
        };
        Ok(window_attention(self.graph, attention, x, count * tokens, &bias, &layer))
    }

    /// Four tokens side by side, normalized and halved in width.
    fn merge(
        &mut self,
        merge: &str,
        stage: &SwinStage,
        moves: &Moves,
        x: Value<f32, 3>,
    ) -> Result<Value<f32, 3>, WeightsError> {
        let name = |part: &str| format!("{merge}.{part}");
        let x = self.moved(&name("order"), x, Some(moves)); // (B, 4·N, W)
        let sizes = [KEEP, (moves.len() / 4) as i64, 4 * stage.width as i64];
        let x = reshape(self.graph, &name("fours"), x, sizes); // (B, N, 4·W)
        let x = self.layer_norm(&name("norm"), x)?;
        let reduction = Linear { weight: self.weights.tensor(&name("reduction.weight"))?, bias: None };
        Ok(linear(self.graph, &name("reduction"), x, &reduction)) // (B, N, 2·W)
    }

    fn moved(&mut self, name: &str, x: Value<f32, 3>, moves: Option<&Moves>) -> Value<f32, 3> {
        match moves {
            Some(moves) => take(self.graph, name, x, 1, moves),
            None => x,
        }
    }

    fn layer_norm(&mut self, name: &str, x: Value<f32, 3>) -> Result<Value<f32, 3>, WeightsError> {
        let norm = read_layer_norm(self.weights, name, self.config.layer_norm_eps)?;
        Ok(norm::layer(self.graph, name, x, &norm))
    }
}

/// The table `[(2·window − 1)², heads]` looked up for every pair of tokens: `[heads, tokens, tokens]`.
fn position_bias(table: &Tensor<f32, 2>, window: usize) -> Tensor<f32, 3> {
    let [_, heads] = table.shape();
    let (rows, tokens) = (relative_positions(window), window * window);
    Tensor::generate([heads, tokens, tokens], |at| {
        let (head, pair) = (at / rows.len(), at % rows.len());
        rows.get(pair).and_then(|row| table.data().get(row * heads + head)).copied().unwrap_or(f32::NAN)
    })
}

fn name(part: &str) -> String {
    format!("{PREFIX}.{part}")
}

fn block_name(stage: usize, block: usize) -> String {
    format!("{PREFIX}.encoder.layers.{stage}.blocks.{block}")
}

fn merge_name(stage: usize) -> String {
    format!("{PREFIX}.encoder.layers.{stage}.downsample")
}

fn validate(config: &SwinConfig) -> Result<(), ExportError> {
    let stages = config.depths.len();
    check("image.channels", config.channels, SIZES)?;
    check("image.patch_size", config.patch_size, FACTORS)?;
    check("image.window_size", config.window_size, FACTORS)?;
    check("image.mlp_ratio", config.mlp_ratio, FACTORS)?;
    check("image.embed_dim", config.embed_dim, WIDTHS)?;
    check("number of image.depths", stages, STAGES)?;
    check("number of image.num_heads", config.num_heads.len(), stages..=stages)?;
    for (stage, (&depth, &heads)) in config.depths.iter().zip(&config.num_heads).enumerate() {
        let width = config.width(stage);
        check(format!("image.depths[{stage}]"), depth, DEPTHS)?;
        check(format!("image.num_heads[{stage}]"), heads, 1..=width)?;
        check(format!("width of stage {stage} modulo image.num_heads[{stage}]"), width % heads, 0..=0)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn swin_tiny_has_the_published_number_of_parameters() {
        let parameters = parameters(&SwinConfig::tiny(3), 512).unwrap();
        let trunk = parameters.iter().filter(|p| p.name.starts_with(PREFIX));
        let count: usize = trunk.map(|p| p.shape.iter().product::<usize>()).sum();
        // 28,288,354 with the classifier of 769,000.
        assert_eq!(count, 27_519_354);
    }

    #[test]
    fn impossible_sizes_are_named() {
        let config = SwinConfig { num_heads: vec![3, 6, 12, 7], ..SwinConfig::tiny(1) };
        let error = parameters(&config, 512).unwrap_err().to_string();
        assert!(error.contains("modulo image.num_heads[3] is 5, needs 0"), "{error}");
        assert!(parameters(&SwinConfig { num_heads: vec![0; 4], ..config.clone() }, 512).is_err());
        assert!(parameters(&SwinConfig { depths: vec![], num_heads: vec![], ..config }, 512).is_err());
    }
}
