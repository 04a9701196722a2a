//! Multi-head self-attention.

use crate::graph::{Graph, Value, attribute};
use crate::op::linear::{Linear, linear};
use crate::op::math;
use crate::op::shape::{KEEP, REST, reshape, split, transpose, unsqueeze};
use crate::tensor::Tensor;

/// Subtracted from the score of a masked token: `exp` of the difference is 0 in single precision.
const MASKED_SCORE: f32 = 1e4;

/// One attention layer: every projection `[width, width]` with a bias of `[width]`.
#[derive(Debug)]
pub(crate) struct SelfAttention {
    pub(crate) query: Linear,
    pub(crate) key: Linear,
    pub(crate) value: Linear,
    pub(crate) output: Linear,
    pub(crate) heads: usize,
}

impl SelfAttention {
    /// The query with the `1/√(width / heads)` of the scores folded in.
    pub(super) fn scaled_query(&self) -> Linear {
        let [width, _] = self.query.weight.shape();
        self.query.scaled((self.heads as f64 / width as f64).sqrt())
    }

    /// Scaled query, key and value as one layer of `3 · width` outputs.
    fn merged(&self) -> Linear {
        let query = self.scaled_query();
        let bias = [&query, &self.key, &self.value].map(|part| part.bias.clone());
        Linear {
            weight: Tensor::stack([query.weight, self.key.weight.clone(), self.value.weight.clone()]),
            bias: bias.into_iter().collect::<Option<Vec<_>>>().map(Tensor::concat),
        }
    }
}

/// What a mask adds to attention scores: `[batch, sequence]` of 1 (attend) and 0 (ignore) becomes
/// `[batch, 1, 1, sequence]` of 0 and −10⁴.
pub(crate) fn mask_scores(graph: &mut Graph, name: &str, mask: Value<f32, 2>) -> Value<f32, 4> {
    let one = graph.constant("one", &Tensor::scalar(1.0_f32));
    let large = graph.constant(&format!("{name}.large"), &Tensor::scalar(MASKED_SCORE));
    let negated = math::sub(graph, &format!("{name}.negated"), mask, one);
    let flat = math::mul(graph, &format!("{name}.flat"), negated, large);
    unsqueeze(graph, name, flat, &[1, 2])
}

/// `softmax(QKᵀ/√head + mask) V`, heads side by side, then the output projection.
///
/// `x` is `[batch, sequence, width]`; `mask` comes from [`mask_scores`].
pub(crate) fn self_attention(
    graph: &mut Graph,
    name: &str,
    x: Value<f32, 3>,
    mask: Value<f32, 4>,
    layer: &SelfAttention,
) -> Value<f32, 3> {
    let merged = layer.merged();
    let [_, width] = merged.weight.shape();
    let heads = layer.heads;
    let inner = |part: &str| format!("{name}.self.{part}");

    let qkv = linear(graph, &inner("qkv"), x, &merged); // (B, S, 3·W)
    let sizes = [KEEP, KEEP, 3 * heads as i64, (width / heads.max(1)) as i64];
    let qkv = reshape(graph, &inner("heads"), qkv, sizes); // (B, S, 3·H, D)
    let qkv = transpose(graph, &inner("by_head"), qkv, [0, 2, 1, 3]); // (B, 3·H, S, D)
    let [query, key, value] = split(graph, &inner("split"), qkv, 1); // each (B, H, S, D)

    let key = transpose(graph, &inner("key_transposed"), key, [0, 1, 3, 2]); // (B, H, D, S)
    let scores = math::matmul(graph, &inner("scores"), query, key); // (B, H, S, S)
    let scores = math::add(graph, &inner("masked"), scores, mask);
    let weights = softmax(graph, &inner("softmax"), scores);
    let context = math::matmul(graph, &inner("context"), weights, value); // (B, H, S, D)

    let context = transpose(graph, &inner("by_token"), context, [0, 2, 1, 3]); // (B, S, H, D)
    let context = reshape(graph, &inner("joined"), context, [KEEP, KEEP, REST]); // (B, S, W)
    linear(graph, &format!("{name}.output.dense"), context, &layer.output)
}

/// `exp(xᵢ) / Σ exp(xⱼ)` over the last axis.
pub(super) fn softmax<const RANK: usize>(
    graph: &mut Graph,
    name: &str,
    x: Value<f32, RANK>,
) -> Value<f32, RANK> {
    graph.node(name, "Softmax", &[x.id()], vec![attribute::int("axis", -1)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merging_scales_only_the_query() {
        let layer = |value: f32| Linear {
            weight: Tensor::new([4, 4], vec![value; 16]).unwrap(),
            bias: Some(Tensor::vector(vec![value; 4])),
        };
        let attention = SelfAttention {
            query: layer(2.0),
            key: layer(3.0),
            value: layer(4.0),
            output: layer(0.0),
            heads: 1,
        };
        let merged = attention.merged();
        assert_eq!(merged.weight.shape(), [12, 4]);
        assert_eq!(merged.bias.unwrap().data(), [1.0, 1.0, 1.0, 1.0, 3.0, 3.0, 3.0, 3.0, 4.0, 4.0, 4.0, 4.0]);
        assert_eq!(merged.weight.data()[..5], [1.0; 5]);
    }
}
