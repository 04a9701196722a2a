//! Matrices, kernels and tables stored in half precision.

use std::collections::BTreeSet;

use half::f16;

use super::rewrite::Rewrite;
use crate::error::ExportError;
use crate::graph::attribute;
use crate::graph::stored::StoredGraph;
use medclip_onnx::{DataType, GraphProto};

/// The graph with every weight of two axes or more in half precision, behind a `Cast` that engines fold while loading.
///
/// # Errors
/// [`ExportError::HalfOverflow`].
pub(super) fn graph(source: &StoredGraph) -> Result<GraphProto, ExportError> {
    let mut rewrite = Rewrite::new(source);
    let mut done = BTreeSet::new();
    for node in source.nodes() {
        let takes_weights = ["Conv", "MatMul", "Gather"].iter().any(|operator| node.is(operator));
        let mut inputs = node.input.clone();
        for input in inputs.iter_mut().filter(|_| takes_weights) {
            let is_single =
                source.constant(input).is_some_and(|tensor| tensor.data_type == Some(DataType::Float as i32));
            let Some(values) = source.weight(input).filter(|values| is_single && values.shape.len() >= 2)
            else {
                continue;
            };
            let (stored, widened) = (format!("{input}.half"), format!("{input}.widened"));
            if done.insert(input.clone()) {
                let mut bytes = Vec::with_capacity(2 * values.data.len());
                for &value in &values.data {
                    let half = f16::from_f32(value);
                    if !half.is_finite() {
                        return Err(ExportError::HalfOverflow { name: input.clone(), value });
                    }
                    bytes.extend_from_slice(&half.to_le_bytes());
                }
                rewrite.constant(&stored, DataType::Float16, &values.shape, bytes);
                let to = vec![attribute::int("to", DataType::Float as i64)];
                rewrite.add("Cast", &[&stored], &[&widened], to);
            }
            *input = widened;
        }
        rewrite.keep(node, inputs);
    }
    Ok(rewrite.finish())
}
