//! `Max`, which candle-onnx lacks, as `−min(−a, −b, …)`: exact for every number.

use candle_onnx::onnx::NodeProto;

use super::builder::{Builder, output};
use crate::verify::error::CandleError;

/// The largest of the inputs by element.
pub(super) fn maximum(builder: &mut Builder, node: &NodeProto) -> Result<(), CandleError> {
    let output = output(node)?;
    let mut negated = Vec::new();
    for (index, input) in node.input.iter().enumerate() {
        negated.push(builder.add("Neg", &[input], format!("{output}.negated.{index}"), vec![]));
    }
    let negated: Vec<_> = negated.iter().map(String::as_str).collect();
    let least = builder.add("Min", &negated, format!("{output}.least"), vec![]);
    builder.add("Neg", &[&least], output.to_owned(), vec![]);
    Ok(())
}
