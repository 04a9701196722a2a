//! Multi-head self-attention within windows, with a bias for every pair of tokens.

use crate::graph::{Graph, Value};
use crate::op::attention::{SelfAttention, softmax};
use crate::op::linear::{Linear, linear};
use crate::op::math;
use crate::op::shape::{REST, reshape, transpose};
use crate::tensor::Tensor;

/// What is added to the scores of the windows of a map.
///
/// Both parts folded into one constant for every window would be faster by less than what can be measured, and larger
/// by heads times the mask in every block; blocks share a mask.
#[derive(Debug)]
pub(crate) struct WindowBias {
    /// `[heads, tokens, tokens]`, the same in every window.
    pub(crate) position: Tensor<f32, 3>,
    /// `[windows, 1, tokens, tokens]`, the same for every head.
    pub(crate) mask: Option<Tensor<f32, 4>>,
}

impl WindowBias {
    /// `scores`, `[batch · windows, heads, tokens, tokens]`, with everything added.
    fn add(&self, graph: &mut Graph, name: &str, scores: Value<f32, 4>) -> Value<f32, 4> {
        let position = graph.parameter(&format!("{name}.position"), &self.position);
        let Some(mask) = &self.mask else { return math::add(graph, name, scores, position) };
        let [heads, tokens, _] = self.position.shape().map(|size| size as i64);
        let [windows, ..] = mask.shape();
        let mask = graph.constant(&format!("{name}.mask"), mask);
        let scores = math::add(graph, &format!("{name}.unmasked"), scores, position);
        let by_image = [REST, windows as i64, heads, tokens, tokens];
        let scores: Value<f32, 5> = reshape(graph, &format!("{name}.by_image"), scores, by_image);
        let scores = math::add(graph, &format!("{name}.masked"), scores, mask);
        reshape(graph, name, scores, [REST, heads, tokens, tokens])
    }
}

/// `softmax(QKᵀ/√head + bias) V` in every window, heads side by side, then the output projection.
///
/// `x` is `[batch, places, width]`, window by window. Unlike [`super::attention::self_attention`] this keeps query, key
/// and value apart: their products are large, and splitting them again costs more than one product for all saves.
pub(crate) fn window_attention(
    graph: &mut Graph,
    name: &str,
    x: Value<f32, 3>,
    places: usize,
    bias: &WindowBias,
    layer: &SelfAttention,
) -> Value<f32, 3> {
    let [heads, tokens, _] = bias.position.shape();
    let [width, _] = layer.output.weight.shape();
    let sizes = [REST, tokens as i64, heads as i64, (width / heads.max(1)) as i64];
    let inner = |part: &str| format!("{name}.self.{part}");
    let mut by_head = |part: &str, layer: &Linear, order: [i64; 4]| {
        let part = inner(part);
        let x = linear(graph, &part, x, layer); // (B, N, W)
        let x: Value<f32, 4> = reshape(graph, &format!("{part}.heads"), x, sizes); // (B·n, T, H, D)
        transpose(graph, &format!("{part}.by_head"), x, order)
    };
    let query = by_head("query", &layer.scaled_query(), [0, 2, 1, 3]); // (B·n, H, T, D)
    let key = by_head("key", &layer.key, [0, 2, 3, 1]); // (B·n, H, D, T)
    let value = by_head("value", &layer.value, [0, 2, 1, 3]); // (B·n, H, T, D)

    let scores = math::matmul(graph, &inner("scores"), query, key); // (B·n, H, T, T)
    let scores = bias.add(graph, &inner("biased"), scores);
    let weights = softmax(graph, &inner("softmax"), scores);
    let context = math::matmul(graph, &inner("context"), weights, value); // (B·n, H, T, D)

    let context = transpose(graph, &inner("by_token"), context, [0, 2, 1, 3]); // (B·n, T, H, D)
    let sizes = [REST, places as i64, width as i64];
    let context = reshape(graph, &inner("joined"), context, sizes); // (B, N, W)
    linear(graph, &format!("{name}.output.dense"), context, &layer.output)
}
