//! Dense layers.

use crate::graph::{Graph, Value};
use crate::op::math;
use crate::tensor::Tensor;

/// A dense layer as `PyTorch` stores it: `weight` is `[out, in]`.
#[derive(Debug)]
pub(crate) struct Linear {
    pub(crate) weight: Tensor<f32, 2>,
    pub(crate) bias: Option<Tensor<f32, 1>>,
}

impl Linear {
    /// The layer followed by a multiplication.
    pub(crate) fn scaled(&self, factor: f64) -> Self {
        let scale = |&value: &f32| (f64::from(value) * factor) as f32;
        Self { weight: self.weight.map(scale), bias: self.bias.as_ref().map(|bias| bias.map(scale)) }
    }
}

/// `x · weightᵀ + bias` over the last axis. The weight is stored transposed, as `MatMul` wants it.
pub(crate) fn linear<const RANK: usize>(
    graph: &mut Graph,
    name: &str,
    x: Value<f32, RANK>,
    layer: &Linear,
) -> Value<f32, RANK> {
    let weight = stored(graph, name, layer);
    applied(graph, name, x, weight, layer)
}

/// As [`linear`], with the weight that is stored already.
pub(crate) fn applied<const RANK: usize>(
    graph: &mut Graph,
    name: &str,
    x: Value<f32, RANK>,
    weight: Value<f32, 2>,
    layer: &Linear,
) -> Value<f32, RANK> {
    match &layer.bias {
        None => math::matmul(graph, name, x, weight),
        Some(bias) => {
            let product = math::matmul(graph, &format!("{name}.matmul"), x, weight);
            let bias = graph.parameter(&format!("{name}.bias"), bias);
            math::add(graph, name, product, bias)
        }
    }
}

/// The weight as [`linear`] stores it, `[in, out]`.
pub(crate) fn stored(graph: &mut Graph, name: &str, layer: &Linear) -> Value<f32, 2> {
    graph.weight(&format!("{name}.weight"), &layer.weight.transposed())
}
