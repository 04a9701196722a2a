//! Normalizations.

use crate::graph::{Graph, Value, attribute};
use crate::op::math;
use crate::tensor::Tensor;

/// Smallest length [`l2`] divides by, as in `torch.nn.functional.normalize`.
const MIN_LENGTH: f32 = 1e-12;

/// Scale, offset and ε of a layer normalization over the last axis.
#[derive(Debug)]
pub(crate) struct LayerNorm {
    pub(crate) weight: Tensor<f32, 1>,
    pub(crate) bias: Tensor<f32, 1>,
    pub(crate) eps: f64,
}

/// `(x − mean) / sqrt(variance + ε) · weight + bias` over the last axis.
pub(crate) fn layer<const RANK: usize>(
    graph: &mut Graph,
    name: &str,
    x: Value<f32, RANK>,
    norm: &LayerNorm,
) -> Value<f32, RANK> {
    let weight = graph.parameter(&format!("{name}.weight"), &norm.weight);
    let bias = graph.parameter(&format!("{name}.bias"), &norm.bias);
    let attributes = vec![attribute::int("axis", -1), attribute::float("epsilon", norm.eps as f32)];
    graph.node(name, "LayerNormalization", &[x.id(), weight.id(), bias.id()], attributes)
}

/// `x / max(‖x‖₂, 1e-12)` over the last axis, and what it was divided by.
pub(crate) fn l2<const RANK: usize>(
    graph: &mut Graph,
    name: &str,
    x: Value<f32, RANK>,
) -> (Value<f32, RANK>, Value<f32, RANK>) {
    let axes = graph.constant("last_axis", &Tensor::vector(vec![-1_i64]));
    let length: Value<f32, RANK> = graph.node(
        &format!("{name}.length"),
        "ReduceL2",
        &[x.id(), axes.id()],
        vec![attribute::int("keepdims", 1)],
    );
    let floor = graph.constant(&format!("{name}.floor"), &Tensor::scalar(MIN_LENGTH));
    let length = math::max(graph, &format!("{name}.divisor"), length, floor);
    (math::div(graph, name, x, length), length)
}

/// Running statistics, scale and offset of a batch normalization, one entry a channel.
#[derive(Debug)]
pub(crate) struct BatchNorm {
    pub(crate) weight: Tensor<f32, 1>,
    pub(crate) bias: Tensor<f32, 1>,
    pub(crate) mean: Tensor<f32, 1>,
    pub(crate) variance: Tensor<f32, 1>,
    pub(crate) eps: f64,
}

impl BatchNorm {
    /// Per channel the factor and the offset that it applies when its statistics are frozen:
    /// `y = x · γ/√(σ² + ε) + (β − μ · γ/√(σ² + ε))`.
    pub(crate) fn affine(&self) -> Vec<(f64, f64)> {
        let scaled = self.weight.data().iter().zip(self.variance.data());
        let shifted = self.bias.data().iter().zip(self.mean.data());
        scaled
            .zip(shifted)
            .map(|((&weight, &variance), (&bias, &mean))| {
                let factor = f64::from(weight) / (f64::from(variance) + self.eps).sqrt();
                (factor, f64::from(bias) - f64::from(mean) * factor)
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batch_norm_is_an_affine_map() {
        let one = |value| Tensor::vector(vec![value]);
        let norm =
            BatchNorm { weight: one(3.0), bias: one(1.0), mean: one(2.0), variance: one(3.75), eps: 0.25 };
        assert_eq!(norm.affine(), [(1.5, -2.0)]);
    }
}
