//! BERT. Token type 0 is folded into the positions, the scale of the scores into the queries and the mean over
//! three layers into the projection.

use medclip_core::architecture::limits::{DEPTHS, SIZES};
use medclip_core::architecture::{BertConfig, TextPooling};

use super::{check, read_layer_norm, read_linear};
use crate::error::ExportError;
use crate::graph::{Graph, Value};
use crate::op::attention::{SelfAttention, mask_scores, self_attention};
use crate::op::linear::{Linear, linear};
use crate::op::shape::{KEEP, REST};
use crate::op::{activation, cast, embedding, math, norm, pool, shape};
use crate::tensor::Tensor;
use crate::weights::{Parameter, Weights, WeightsError};

const PREFIX: &str = "text_model.model";
const HEAD: &str = "text_model.projection_head";

/// Layers whose states are averaged besides the last, counted from 1.
const POOLED_LAYERS: [usize; 2] = [1, 2];

/// The tensors of the trunk and of its projection to `embedding_dim`.
pub(crate) fn parameters(config: &BertConfig, embedding_dim: usize) -> Result<Vec<Parameter>, ExportError> {
    validate(config)?;
    let (width, inner) = (config.hidden_size, config.intermediate_size);
    let mut parameters = Vec::new();
    let mut add = |name: String, shape: &[usize]| parameters.push(Parameter::new(name, shape));
    for (table, rows) in [
        ("word", config.vocab_size),
        ("position", config.max_position_embeddings),
        ("token_type", config.type_vocab_size),
    ] {
        add(format!("{PREFIX}.embeddings.{table}_embeddings.weight"), &[rows, width]);
    }
    add(format!("{PREFIX}.embeddings.LayerNorm.weight"), &[width]);
    add(format!("{PREFIX}.embeddings.LayerNorm.bias"), &[width]);
    for index in 0..config.num_hidden_layers {
        for (part, output, input) in [
            ("attention.self.query", width, width),
            ("attention.self.key", width, width),
            ("attention.self.value", width, width),
            ("attention.output.dense", width, width),
            ("intermediate.dense", inner, width),
            ("output.dense", width, inner),
        ] {
            add(format!("{}.{part}.weight", layer_name(index)), &[output, input]);
            add(format!("{}.{part}.bias", layer_name(index)), &[output]);
        }
        for part in ["attention.output.LayerNorm", "output.LayerNorm"] {
            add(format!("{}.{part}.weight", layer_name(index)), &[width]);
            add(format!("{}.{part}.bias", layer_name(index)), &[width]);
        }
    }
    add(format!("{HEAD}.weight"), &[embedding_dim, width]);
    if config.projection_bias {
        add(format!("{HEAD}.bias"), &[embedding_dim]);
    }
    Ok(parameters)
}

/// Tokens and mask `[batch, sequence]` to the sum over three layers of their pooled states `[batch, width]`;
/// [`head`] divides by three.
pub(crate) fn trunk(
    graph: &mut Graph,
    config: &BertConfig,
    tokens: Value<i64, 2>,
    mask: Value<i64, 2>,
    weights: &Weights,
) -> Result<Value<f32, 2>, WeightsError> {
    let mask = cast::to_f32(graph, &format!("{PREFIX}.mask"), mask);
    let scores = mask_scores(graph, &format!("{PREFIX}.mask_scores"), mask);
    let mut x = embeddings(graph, config, tokens, weights)?; // (B, S, W)
    let mut pooled: Option<Value<f32, 3>> = None;
    for index in 0..config.num_hidden_layers {
        x = layer(graph, config, index, x, scores, weights)?;
        for _ in 0..times_pooled(config, index) {
            pooled = Some(match pooled {
                None => x,
                Some(sum) => math::add(graph, &format!("{PREFIX}.states"), sum, x),
            });
        }
    }
    Ok(pool_tokens(graph, config.pooling, pooled.unwrap_or(x), mask))
}

/// The projection, divided by the number of states that [`trunk`] sums up.
pub(crate) fn head(config: &BertConfig, weights: &Weights) -> Result<Linear, WeightsError> {
    let weight = Linear { weight: weights.tensor(&format!("{HEAD}.weight"))?, bias: None };
    let states = (0..config.num_hidden_layers).map(|index| times_pooled(config, index)).sum::<usize>();
    let bias = if config.projection_bias { Some(weights.tensor(&format!("{HEAD}.bias"))?) } else { None };
    Ok(Linear { bias, ..weight.scaled(1.0 / states as f64) })
}

/// Word plus position plus token type 0, normalized.
fn embeddings(
    graph: &mut Graph,
    config: &BertConfig,
    tokens: Value<i64, 2>,
    weights: &Weights,
) -> Result<Value<f32, 3>, WeightsError> {
    let name = |part: &str| format!("{PREFIX}.embeddings.{part}");
    let table = |kind| weights.tensor::<2>(&name(&format!("{kind}_embeddings.weight")));
    let words = embedding::lookup(graph, &name("word_embeddings"), &table("word")?, tokens);

    let positions = positions_with_type(&table("position")?, &table("token_type")?);
    let positions = graph.weight(&name("position_embeddings.weight"), &positions);
    let length = shape::size(graph, &name("length"), tokens, 1);
    let positions = shape::take_rows(graph, &name("position_embeddings"), positions, length); // (S, W)

    let sum = math::add(graph, &name("sum"), words, positions);
    layer_norm(graph, config, &name("LayerNorm"), sum, weights)
}

/// Every position with the first token type added, in double precision.
fn positions_with_type(positions: &Tensor<f32, 2>, types: &Tensor<f32, 2>) -> Tensor<f32, 2> {
    let [_, width] = types.shape();
    let mut first_type = types.data().iter().take(width).cycle();
    positions
        .map(|&value| (f64::from(value) + first_type.next().map_or(0.0, |&value| f64::from(value))) as f32)
}

/// One encoder layer: attention and feed-forward, each added to its input and normalized.
fn layer(
    graph: &mut Graph,
    config: &BertConfig,
    index: usize,
    x: Value<f32, 3>,
    mask: Value<f32, 4>,
    weights: &Weights,
) -> Result<Value<f32, 3>, WeightsError> {
    let name = |part: &str| format!("{}.{part}", layer_name(index));
    let attention = SelfAttention {
        query: read_linear(weights, &name("attention.self.query"))?,
        key: read_linear(weights, &name("attention.self.key"))?,
        value: read_linear(weights, &name("attention.self.value"))?,
        output: read_linear(weights, &name("attention.output.dense"))?,
        heads: config.num_attention_heads,
    };
    let attended = self_attention(graph, &name("attention"), x, mask, &attention);
    let sum = math::add(graph, &name("attention.sum"), attended, x);
    let x = layer_norm(graph, config, &name("attention.output.LayerNorm"), sum, weights)?;

    let wide =
        linear(graph, &name("intermediate.dense"), x, &read_linear(weights, &name("intermediate.dense"))?);
    let wide = activation::gelu(graph, &name("intermediate.gelu"), wide); // (B, S, inner)
    let narrow = linear(graph, &name("output.dense"), wide, &read_linear(weights, &name("output.dense"))?);
    let sum = math::add(graph, &name("output.sum"), narrow, x);
    layer_norm(graph, config, &name("output.LayerNorm"), sum, weights)
}

fn layer_norm(
    graph: &mut Graph,
    config: &BertConfig,
    name: &str,
    x: Value<f32, 3>,
    weights: &Weights,
) -> Result<Value<f32, 3>, WeightsError> {
    Ok(norm::layer(graph, name, x, &read_layer_norm(weights, name, config.layer_norm_eps)?))
}

/// States `[batch, sequence, width]` to their mean `[batch, width]` over the tokens that `pooling` chooses.
fn pool_tokens(
    graph: &mut Graph,
    pooling: TextPooling,
    states: Value<f32, 3>,
    mask: Value<f32, 2>,
) -> Value<f32, 2> {
    let name = |part| format!("{PREFIX}.pool.{part}");
    match pooling {
        TextPooling::Reference => pool::mean(graph, &name("mean"), states, 1),
        TextPooling::Masked => {
            let count = pool::sum_last(graph, &name("count"), mask); // (B, 1)
            let one = graph.constant("one", &Tensor::scalar(1.0_f32));
            let count = math::max(graph, &name("at_least_one"), count, one);
            let shares = math::div(graph, &name("shares"), mask, count); // (B, S)
            let shares: Value<f32, 3> = shape::unsqueeze(graph, &name("shares_row"), shares, &[1]); // (B, 1, S)
            let mean = math::matmul(graph, &name("mean"), shares, states); // (B, 1, W)
            shape::reshape(graph, &name("flat"), mean, [KEEP, REST])
        }
    }
}

/// How often the states after layer `index` enter the mean: twice when the second layer is the last.
fn times_pooled(config: &BertConfig, index: usize) -> usize {
    usize::from(POOLED_LAYERS.contains(&(index + 1))) + usize::from(index + 1 == config.num_hidden_layers)
}

fn layer_name(index: usize) -> String {
    format!("{PREFIX}.encoder.layer.{index}")
}

fn validate(config: &BertConfig) -> Result<(), ExportError> {
    check("text.vocab_size", config.vocab_size, SIZES)?;
    check("text.hidden_size", config.hidden_size, SIZES)?;
    check("text.intermediate_size", config.intermediate_size, SIZES)?;
    check("text.max_position_embeddings", config.max_position_embeddings, SIZES)?;
    check("text.type_vocab_size", config.type_vocab_size, SIZES)?;
    check("text.num_hidden_layers", config.num_hidden_layers, POOLED_LAYERS.len()..=*DEPTHS.end())?;
    check("text.num_attention_heads", config.num_attention_heads, 1..=config.hidden_size)?;
    let rest = config.hidden_size % config.num_attention_heads;
    check("text.hidden_size modulo text.num_attention_heads", rest, 0..=0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minilm_has_the_published_number_of_parameters() {
        let parameters = parameters(&BertConfig::minilm_l6(), 512).unwrap();
        let trunk = parameters.iter().filter(|p| p.name.starts_with(PREFIX));
        let count: usize = trunk.map(|p| p.shape.iter().product::<usize>()).sum();
        // 22,713,216 with the pooler of 384·385, which nothing here reads.
        assert_eq!(count, 22_565_376);
    }

    #[test]
    fn three_states_are_pooled_at_any_depth() {
        for depth in [2, 3, 6] {
            let config = BertConfig { num_hidden_layers: depth, ..BertConfig::minilm_l6() };
            assert_eq!((0..depth).map(|index| times_pooled(&config, index)).sum::<usize>(), 3);
        }
    }

    #[test]
    fn impossible_sizes_are_named() {
        let config = BertConfig { num_attention_heads: 5, ..BertConfig::minilm_l6() };
        let error = parameters(&config, 512).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the architecture is impossible: text.hidden_size modulo text.num_attention_heads is 4, needs 0"
        );
        assert!(parameters(&BertConfig { num_hidden_layers: 1, ..config }, 512).is_err());
    }
}
