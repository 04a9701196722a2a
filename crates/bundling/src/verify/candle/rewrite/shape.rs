//! Shapes and views. In candle-onnx a part of `Shape` has one entry too many, several axes of `Unsqueeze` are inserted as if the
//! others were not, and the parts of `Split` are views that its matrix product refuses.

use candle_onnx::onnx::NodeProto;

use super::builder::{Builder, input, int, ints, of_int, output, refuse, required};
use crate::verify::error::CandleError;

/// Sizes of some axes: those of all, and then the ones that are wanted.
pub(super) fn shape(builder: &mut Builder, node: NodeProto) -> Result<(), CandleError> {
    let (start, end) = match (int(&node, "start").unwrap_or(0), int(&node, "end")) {
        (0, None) => {
            builder.keep(node);
            return Ok(());
        }
        (start @ 0.., Some(end)) if start < end => (start, end),
        _ => return Err(refuse(&node, "it counts axes from the last")),
    };
    let output = output(&node)?;
    let all = builder.add("Shape", &[required(&node, 0)?], format!("{output}.all"), vec![]);
    let places = builder.vector(format!("{output}.places"), &(start..end).collect::<Vec<_>>());
    builder.add("Gather", &[&all, &places], output.to_owned(), vec![of_int("axis", 0)]);
    Ok(())
}

/// Axes of size 1, one after the other from the first.
pub(super) fn unsqueeze(builder: &mut Builder, node: &NodeProto) -> Result<(), CandleError> {
    let axes =
        input(node, 1).map_or_else(|| ints(node, "axes").map(<[i64]>::to_vec), |name| builder.whole(name));
    let Some(mut axes) = axes.filter(|axes| !axes.is_empty() && axes.iter().all(|&axis| axis >= 0)) else {
        return Err(refuse(node, "its axes are no constant, or counted from the last"));
    };
    axes.sort_unstable();
    let output = output(node)?;
    let mut found = required(node, 0)?.to_owned();
    for (index, axis) in axes.iter().enumerate() {
        let last = index + 1 == axes.len();
        let place = builder.vector(format!("{output}.axis.{index}"), &[*axis]);
        let name = if last { output.to_owned() } else { format!("{output}.part.{index}") };
        found = builder.add("Unsqueeze", &[&found, &place], name, vec![]);
    }
    Ok(())
}

/// Parts, each copied by a product with 1.
pub(super) fn split(builder: &mut Builder, mut node: NodeProto) -> Result<(), CandleError> {
    let name = node.output.first().ok_or_else(|| refuse(&node, "it has no output"))?;
    let one = builder.scalar(format!("{name}.one"), 1.0);
    let outputs = node.output.clone();
    for output in &mut node.output {
        output.push_str(".view");
    }
    let views = node.output.clone();
    builder.keep(node);
    for (view, output) in views.iter().zip(outputs) {
        builder.add("Mul", &[view, &one], output, vec![]);
    }
    Ok(())
}
