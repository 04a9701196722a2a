//! Views: the same numbers in another shape or order.

use crate::graph::{Element, Graph, Value, attribute};
use crate::tensor::Tensor;

/// Keeps an axis of the input, in [`reshape`].
pub(crate) const KEEP: i64 = 0;
/// Takes whatever is left, in [`reshape`].
pub(crate) const REST: i64 = -1;

/// Another shape: sizes, [`KEEP`] for an axis of the input at the same place, [`REST`] at most once.
pub(crate) fn reshape<T: Element, const FROM: usize, const TO: usize>(
    graph: &mut Graph,
    name: &str,
    x: Value<T, FROM>,
    sizes: [i64; TO],
) -> Value<T, TO> {
    let sizes = graph.constant(&format!("{name}.sizes"), &Tensor::vector(sizes.to_vec()));
    graph.node(name, "Reshape", &[x.id(), sizes.id()], vec![])
}

/// Axis i of the result is axis `order[i]` of `x`.
pub(crate) fn transpose<T: Element, const RANK: usize>(
    graph: &mut Graph,
    name: &str,
    x: Value<T, RANK>,
    order: [i64; RANK],
) -> Value<T, RANK> {
    graph.node(name, "Transpose", &[x.id()], vec![attribute::ints("perm", order)])
}

/// Entry i along `axis` of the result is entry `indices[i]` of `x`, zeros where there is none.
pub(crate) fn take<const RANK: usize>(
    graph: &mut Graph,
    name: &str,
    x: Value<f32, RANK>,
    axis: usize,
    indices: &[Option<usize>],
) -> Value<f32, RANK> {
    let x = if indices.contains(&None) { with_zeros(graph, &format!("{name}.padded"), x, axis) } else { x };
    // The zeros are the last entry.
    let places = indices.iter().map(|index| index.map_or(-1, |index| index as i64)).collect();
    let places = graph.constant(&format!("{name}.places"), &Tensor::vector(places));
    graph.node(name, "Gather", &[x.id(), places.id()], vec![attribute::int("axis", axis as i64)])
}

/// One more entry along `axis`, of zeros.
fn with_zeros<const RANK: usize>(
    graph: &mut Graph,
    name: &str,
    x: Value<f32, RANK>,
    axis: usize,
) -> Value<f32, RANK> {
    let pads = (0..2 * RANK).map(|place| i64::from(place == RANK + axis)).collect();
    let pads = graph.constant(&format!("{name}.pads"), &Tensor::vector(pads));
    graph.node(name, "Pad", &[x.id(), pads.id()], vec![])
}

/// Inserts axes of size 1 at these places of the result.
pub(crate) fn unsqueeze<T: Element, const FROM: usize, const TO: usize>(
    graph: &mut Graph,
    name: &str,
    x: Value<T, FROM>,
    axes: &[i64],
) -> Value<T, TO> {
    let axes = graph.constant(&format!("{name}.axes"), &Tensor::vector(axes.to_vec()));
    graph.node(name, "Unsqueeze", &[x.id(), axes.id()], vec![])
}

/// `N` equal parts along `axis`.
pub(crate) fn split<T: Element, const RANK: usize, const N: usize>(
    graph: &mut Graph,
    name: &str,
    x: Value<T, RANK>,
    axis: i64,
) -> [Value<T, RANK>; N] {
    let attributes = vec![attribute::int("axis", axis), attribute::int("num_outputs", N as i64)];
    graph.node_with_outputs(name, "Split", &[x.id()], attributes)
}

/// The size of one axis, as a vector of one.
pub(crate) fn size<T: Element, const RANK: usize>(
    graph: &mut Graph,
    name: &str,
    x: Value<T, RANK>,
    axis: i64,
) -> Value<i64, 1> {
    let attributes = vec![attribute::int("start", axis), attribute::int("end", axis + 1)];
    graph.node(name, "Shape", &[x.id()], attributes)
}

/// The first `count` entries along the first axis.
pub(crate) fn take_rows<T: Element, const RANK: usize>(
    graph: &mut Graph,
    name: &str,
    x: Value<T, RANK>,
    count: Value<i64, 1>,
) -> Value<T, RANK> {
    let zero = graph.constant(&format!("{name}.start"), &Tensor::vector(vec![0_i64]));
    graph.node(name, "Slice", &[x.id(), zero.id(), count.id(), zero.id()], vec![])
}
