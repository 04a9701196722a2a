//! Pointwise non-linearities.

use crate::graph::{Graph, Value};
use crate::tensor::Tensor;

/// `max(x, 0)`.
pub(crate) fn relu<const RANK: usize>(
    graph: &mut Graph,
    name: &str,
    x: Value<f32, RANK>,
) -> Value<f32, RANK> {
    graph.node(name, "Relu", &[x.id()], vec![])
}

/// `min(max(x, 0), 6)`.
pub(crate) fn relu6<const RANK: usize>(
    graph: &mut Graph,
    name: &str,
    x: Value<f32, RANK>,
) -> Value<f32, RANK> {
    let low = graph.constant("relu6.low", &Tensor::scalar(0.0_f32));
    let high = graph.constant("relu6.high", &Tensor::scalar(6.0_f32));
    graph.node(name, "Clip", &[x.id(), low.id(), high.id()], vec![])
}

/// `x · Φ(x)` with the exact error function, as BERT has it.
pub(crate) fn gelu<const RANK: usize>(
    graph: &mut Graph,
    name: &str,
    x: Value<f32, RANK>,
) -> Value<f32, RANK> {
    graph.node(name, "Gelu", &[x.id()], vec![])
}
