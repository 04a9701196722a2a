//! Arithmetic between values.

use crate::graph::{Graph, Value};

/// `a + b`, `b` broadcast from the right.
pub(crate) fn add<const RANK: usize, const OTHER: usize>(
    graph: &mut Graph,
    name: &str,
    a: Value<f32, RANK>,
    b: Value<f32, OTHER>,
) -> Value<f32, RANK> {
    broadcast(graph, name, "Add", a, b)
}

/// `a − b`, `b` broadcast from the right.
pub(crate) fn sub<const RANK: usize, const OTHER: usize>(
    graph: &mut Graph,
    name: &str,
    a: Value<f32, RANK>,
    b: Value<f32, OTHER>,
) -> Value<f32, RANK> {
    broadcast(graph, name, "Sub", a, b)
}

/// `a · b` by element, `b` broadcast from the right.
pub(crate) fn mul<const RANK: usize, const OTHER: usize>(
    graph: &mut Graph,
    name: &str,
    a: Value<f32, RANK>,
    b: Value<f32, OTHER>,
) -> Value<f32, RANK> {
    broadcast(graph, name, "Mul", a, b)
}

/// `a / b` by element, `b` broadcast from the right.
pub(crate) fn div<const RANK: usize, const OTHER: usize>(
    graph: &mut Graph,
    name: &str,
    a: Value<f32, RANK>,
    b: Value<f32, OTHER>,
) -> Value<f32, RANK> {
    broadcast(graph, name, "Div", a, b)
}

/// The larger of `a` and `b` by element, `b` broadcast from the right.
pub(crate) fn max<const RANK: usize, const OTHER: usize>(
    graph: &mut Graph,
    name: &str,
    a: Value<f32, RANK>,
    b: Value<f32, OTHER>,
) -> Value<f32, RANK> {
    broadcast(graph, name, "Max", a, b)
}

/// Matrix product over the last two axes; the leading ones are equal or absent from `b`.
pub(crate) fn matmul<const RANK: usize, const OTHER: usize>(
    graph: &mut Graph,
    name: &str,
    a: Value<f32, RANK>,
    b: Value<f32, OTHER>,
) -> Value<f32, RANK> {
    const { assert!(2 <= OTHER && OTHER <= RANK, "matrices have two axes") };
    graph.node(name, "MatMul", &[a.id(), b.id()], vec![])
}

fn broadcast<const RANK: usize, const OTHER: usize>(
    graph: &mut Graph,
    name: &str,
    operator: &'static str,
    a: Value<f32, RANK>,
    b: Value<f32, OTHER>,
) -> Value<f32, RANK> {
    const { assert!(OTHER <= RANK, "the second operand broadcasts to the first") };
    graph.node(name, operator, &[a.id(), b.id()], vec![])
}
