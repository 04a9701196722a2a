//! `LayerNormalization`, which candle-onnx lacks, by its definition: `(x − mean) / √(variance + ε) · scale + offset`.

use candle_onnx::onnx::NodeProto;

use super::builder::{Builder, attribute, input, int, of_int, of_ints, output, refuse, required};
use crate::verify::error::CandleError;

/// ε where a node has none.
const EPSILON: f32 = 1e-5;

/// Over the last axis.
pub(super) fn layer(builder: &mut Builder, node: &NodeProto) -> Result<(), CandleError> {
    if int(node, "axis").is_some_and(|axis| axis != -1) {
        return Err(refuse(node, "it normalizes over more than the last axis"));
    }
    let (x, scale, output) = (required(node, 0)?, required(node, 1)?, output(node)?);
    let inner = |part: &str| format!("{output}.{part}");
    let last = || vec![of_ints("axes", &[-1]), of_int("keepdims", 1)];
    let mean = builder.add("ReduceMean", &[x], inner("mean"), last());
    let centered = builder.add("Sub", &[x, &mean], inner("centered"), vec![]);
    let squared = builder.add("Mul", &[&centered, &centered], inner("squared"), vec![]);
    let variance = builder.add("ReduceMean", &[&squared], inner("variance"), last());
    let epsilon = attribute(node, "epsilon").map_or(EPSILON, |attribute| attribute.f);
    let epsilon = builder.scalar(inner("epsilon"), epsilon);
    let shifted = builder.add("Add", &[&variance, &epsilon], inner("shifted"), vec![]);
    let deviation = builder.add("Sqrt", &[&shifted], inner("deviation"), vec![]);
    let normal = builder.add("Div", &[&centered, &deviation], inner("normal"), vec![]);
    match input(node, 2) {
        None => builder.add("Mul", &[&normal, scale], output.to_owned(), vec![]),
        Some(offset) => {
            let scaled = builder.add("Mul", &[&normal, scale], inner("scaled"), vec![]);
            builder.add("Add", &[&scaled, offset], output.to_owned(), vec![])
        }
    };
    Ok(())
}
