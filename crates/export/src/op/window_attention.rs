//! Multi-head self-attention within windows, with a bias for every pair of tokens.

use crate::graph::{Graph, Value};
use crate::op::attention::{SelfAttention, softmax};
use crate::op::linear::linear;
use crate::op::math;
use crate::op::shape::{KEEP, reshape, split, transpose};
use crate::tensor::Tensor;

/// Entries up to which bias and mask are stored as one constant; beyond, two additions cost less than the memory.
const MAX_FOLDED: usize = 1 << 20;

/// What is added to the scores of the windows of a map.
#[derive(Debug)]
pub(crate) struct WindowBias {
    /// Windows in the map.
    pub(crate) windows: usize,
    /// `[heads, tokens, tokens]`, the same in every window.
    pub(crate) position: Tensor<f32, 3>,
    /// `[windows, tokens, tokens]`, the same for every head.
    pub(crate) mask: Option<Vec<f32>>,
}

impl WindowBias {
    /// `scores` with everything added.
    fn add(&self, graph: &mut Graph, name: &str, scores: Value<f32, 5>) -> Value<f32, 5> {
        let [heads, tokens, _] = self.position.shape();
        let pairs = tokens * tokens;
        let Some(mask) = &self.mask else {
            let position = graph.parameter(&format!("{name}.position"), &self.position);
            return math::add(graph, name, scores, position);
        };
        let masked =
            |window: usize, pair: usize| mask.get(window * pairs + pair).copied().unwrap_or(f32::NAN);
        if self.windows * heads * pairs > MAX_FOLDED {
            let position = graph.parameter(&format!("{name}.position"), &self.position);
            let shape = [self.windows, 1, tokens, tokens];
            let mask = Tensor::generate(shape, |at| masked(at / pairs, at % pairs));
            let mask = graph.constant(&format!("{name}.mask"), &mask);
            let biased = math::add(graph, &format!("{name}.unmasked"), scores, position);
            return math::add(graph, name, biased, mask);
        }
        let position = self.position.data();
        let folded = Tensor::generate([self.windows, heads, tokens, tokens], |at| {
            let bias = position.get(at % (heads * pairs)).copied().unwrap_or(f32::NAN);
            bias + masked(at / (heads * pairs), at % pairs)
        });
        let folded = graph.parameter(&format!("{name}.position_and_mask"), &folded);
        math::add(graph, name, scores, folded)
    }
}

/// `softmax(QKᵀ/√head + bias) V` in every window, heads side by side, then the output projection.
///
/// `x` is `[batch, windows · tokens, width]`, window by window.
pub(crate) fn window_attention(
    graph: &mut Graph,
    name: &str,
    x: Value<f32, 3>,
    bias: &WindowBias,
    layer: &SelfAttention,
) -> Value<f32, 3> {
    let merged = layer.merged();
    let [_, width] = merged.weight.shape();
    let (heads, [_, tokens, _]) = (layer.heads as i64, bias.position.shape());
    let (windows, tokens, width) = (bias.windows as i64, tokens as i64, width as i64);
    let inner = |part: &str| format!("{name}.self.{part}");

    let qkv = linear(graph, &inner("qkv"), x, &merged); // (B, N, 3·W)
    let sizes = [KEEP, windows, tokens, 3 * heads, width / heads.max(1)];
    let qkv = reshape(graph, &inner("heads"), qkv, sizes); // (B, n, T, 3·H, D)
    let qkv = transpose(graph, &inner("by_head"), qkv, [0, 1, 3, 2, 4]); // (B, n, 3·H, T, D)
    let [query, key, value] = split(graph, &inner("split"), qkv, 2); // each (B, n, H, T, D)

    let key = transpose(graph, &inner("key_transposed"), key, [0, 1, 2, 4, 3]); // (B, n, H, D, T)
    let scores = math::matmul(graph, &inner("scores"), query, key); // (B, n, H, T, T)
    let scores = bias.add(graph, &inner("biased"), scores);
    let weights = softmax(graph, &inner("softmax"), scores);
    let context = math::matmul(graph, &inner("context"), weights, value); // (B, n, H, T, D)

    let context = transpose(graph, &inner("by_token"), context, [0, 1, 3, 2, 4]); // (B, n, T, H, D)
    let context = reshape(graph, &inner("joined"), context, [KEEP, windows * tokens, width]); // (B, N, W)
    linear(graph, &format!("{name}.output.dense"), context, &layer.output)
}
