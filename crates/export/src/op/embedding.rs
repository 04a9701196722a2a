//! Look-ups in a table of vectors.

use crate::graph::{Graph, Value, attribute};
use crate::op::cast;
use crate::options::Storage;
use crate::tensor::Tensor;

/// Row `ids[i, j]` of `table`: `[batch, sequence]` to `[batch, sequence, width]`.
///
/// A table in half precision is widened after the look-up, so that it stays small in memory too.
pub(crate) fn lookup(
    graph: &mut Graph,
    name: &str,
    table: &Tensor<f32, 2>,
    ids: Value<i64, 2>,
) -> Value<f32, 3> {
    let weight = format!("{name}.weight");
    let rows = vec![attribute::int("axis", 0)];
    match graph.storage() {
        Storage::F32 => {
            let table = graph.parameter(&weight, table);
            graph.node(name, "Gather", &[table.id(), ids.id()], rows)
        }
        Storage::F16 => {
            let table = graph.half(&weight, table);
            let half: Value<half::f16, 3> =
                graph.node(&format!("{name}.half"), "Gather", &[table.id(), ids.id()], rows);
            cast::to_f32(graph, name, half)
        }
    }
}
