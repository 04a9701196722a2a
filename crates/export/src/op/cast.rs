//! Changes of element type.

use crate::graph::{Element, Graph, Value, attribute};
use medclip_onnx::DataType;

/// Every element in single precision.
pub(crate) fn to_f32<T: Element, const RANK: usize>(
    graph: &mut Graph,
    name: &str,
    x: Value<T, RANK>,
) -> Value<f32, RANK> {
    graph.node(name, "Cast", &[x.id()], vec![attribute::int("to", DataType::Float as i64)])
}
