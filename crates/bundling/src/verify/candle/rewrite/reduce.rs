//! Reductions over axes. candle-onnx lacks `GlobalAveragePool`, ignores the axes that an input gives to `ReduceMean`, and counts
//! no axis of `ReduceSum` and `ReduceL2` from the last.

use candle_onnx::onnx::NodeProto;
use candle_onnx::onnx::tensor_proto::DataType;

use super::builder::{Builder, input, int, ints, of_int, of_ints, output, refuse, required};
use crate::verify::error::CandleError;

/// The mean over height and width, both kept with size 1.
pub(super) fn global_average(builder: &mut Builder, node: &NodeProto) -> Result<(), CandleError> {
    let attributes = vec![of_ints("axes", &[2, 3]), of_int("keepdims", 1)];
    builder.add("ReduceMean", &[required(node, 0)?], output(node)?.to_owned(), attributes);
    Ok(())
}

/// The mean over axes that an attribute or a constant gives.
pub(super) fn mean(builder: &mut Builder, node: NodeProto) -> Result<(), CandleError> {
    let Some(axes) = axes(builder, &node)? else {
        builder.keep(node);
        return Ok(());
    };
    let keep = of_int("keepdims", int(&node, "keepdims").unwrap_or(1));
    let attributes = vec![of_ints("axes", &axes), keep];
    builder.add("ReduceMean", &[required(&node, 0)?], output(&node)?.to_owned(), attributes);
    Ok(())
}

/// The sum over axes, some of which may be counted from the last.
pub(super) fn sum(builder: &mut Builder, node: NodeProto) -> Result<(), CandleError> {
    match axes(builder, &node)? {
        Some(axes) if axes.iter().any(|&axis| axis < 0) => {
            keeps(&node)?;
            let (x, output) = (required(&node, 0)?, output(&node)?);
            total(builder, x, &axes, output);
        }
        _ => builder.keep(node),
    }
    Ok(())
}

/// The length along axes: the root of the sum of squares.
pub(super) fn l2(builder: &mut Builder, node: &NodeProto) -> Result<(), CandleError> {
    let Some(axes) = axes(builder, node)? else {
        return Err(refuse(node, "it does not say over which axes"));
    };
    keeps(node)?;
    let (x, output) = (required(node, 0)?, output(node)?);
    let squared = builder.add("Mul", &[x, x], format!("{output}.squared"), vec![]);
    let sum = format!("{output}.sum");
    total(builder, &squared, &axes, &sum);
    builder.add("Sqrt", &[&sum], output.to_owned(), vec![]);
    Ok(())
}

/// The sum over `axes`, kept with size 1: the mean times the number of elements.
fn total(builder: &mut Builder, x: &str, axes: &[i64], output: &str) {
    let inner = |part: &str| format!("{output}.{part}");
    let attributes = vec![of_ints("axes", axes), of_int("keepdims", 1)];
    let mut found = builder.add("ReduceMean", &[x], inner("mean"), attributes);
    let sizes = builder.add("Shape", &[x], inner("sizes"), vec![]);
    for (index, axis) in axes.iter().enumerate() {
        let place = builder.vector(inner(&format!("axis.{index}")), &[*axis]);
        let rows = vec![of_int("axis", 0)];
        let size = builder.add("Gather", &[&sizes, &place], inner(&format!("size.{index}")), rows);
        let single = vec![of_int("to", DataType::Float as i64)];
        let factor = builder.add("Cast", &[&size], inner(&format!("factor.{index}")), single);
        let name = if index + 1 == axes.len() { output.to_owned() } else { inner(&format!("part.{index}")) };
        found = builder.add("Mul", &[&found, &factor], name, vec![]);
    }
}

/// The axes of a reduction, where it names some.
fn axes(builder: &Builder, node: &NodeProto) -> Result<Option<Vec<i64>>, CandleError> {
    if int(node, "noop_with_empty_axes").is_some_and(|noop| noop != 0) {
        return Err(refuse(node, "it may reduce nothing"));
    }
    match input(node, 1) {
        None => Ok(ints(node, "axes").map(<[i64]>::to_vec)),
        Some(name) => match builder.whole(name) {
            Some(axes) if !axes.is_empty() => Ok(Some(axes)),
            _ => Err(refuse(node, "its axes are no constant")),
        },
    }
}

/// Refuses a reduction whose axes disappear.
fn keeps(node: &NodeProto) -> Result<(), CandleError> {
    match int(node, "keepdims") {
        None | Some(1) => Ok(()),
        Some(_) => Err(refuse(node, "axes disappear that are counted from the last")),
    }
}
