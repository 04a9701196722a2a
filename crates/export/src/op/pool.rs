//! Reductions over axes.

use crate::graph::{Graph, Value, attribute};
use crate::tensor::Tensor;

/// Largest value under a square window, zeros of padding left out.
pub(crate) fn max(
    graph: &mut Graph,
    name: &str,
    x: Value<f32, 4>,
    [kernel, stride, padding]: [usize; 3],
) -> Value<f32, 4> {
    let attributes = vec![
        attribute::ints("kernel_shape", [kernel as i64; 2]),
        attribute::ints("strides", [stride as i64; 2]),
        attribute::ints("pads", [padding as i64; 4]),
    ];
    graph.node(name, "MaxPool", &[x.id()], attributes)
}

/// Mean over height and width: `[batch, channels, height, width]` to `[batch, channels]`.
pub(crate) fn global_average(graph: &mut Graph, name: &str, x: Value<f32, 4>) -> Value<f32, 2> {
    let mean: Value<f32, 4> = graph.node(name, "GlobalAveragePool", &[x.id()], vec![]);
    graph.node(&format!("{name}.flat"), "Flatten", &[mean.id()], vec![attribute::int("axis", 1)])
}

/// Sum along the last axis, kept with size 1.
pub(crate) fn sum_last<const RANK: usize>(
    graph: &mut Graph,
    name: &str,
    x: Value<f32, RANK>,
) -> Value<f32, RANK> {
    let axes = graph.constant("last_axis", &Tensor::vector(vec![-1_i64]));
    graph.node(name, "ReduceSum", &[x.id(), axes.id()], vec![attribute::int("keepdims", 1)])
}

/// Mean over `axis`, which disappears.
pub(crate) fn mean<const FROM: usize, const TO: usize>(
    graph: &mut Graph,
    name: &str,
    x: Value<f32, FROM>,
    axis: i64,
) -> Value<f32, TO> {
    const { assert!(TO + 1 == FROM, "one axis disappears") };
    let axes = graph.constant(&format!("{name}.axes"), &Tensor::vector(vec![axis]));
    graph.node(name, "ReduceMean", &[x.id(), axes.id()], vec![attribute::int("keepdims", 0)])
}
