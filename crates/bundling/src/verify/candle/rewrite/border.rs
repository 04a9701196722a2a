//! Padding, which candle-onnx refuses, as rows of one number beside the input.

use candle_onnx::onnx::NodeProto;

use super::builder::{Builder, attribute, input, int, ints, of_int, output, refuse, required};
use crate::verify::error::CandleError;

/// A pool over the input with the least number around it, which is never the largest.
pub(super) fn max_pool(builder: &mut Builder, mut node: NodeProto) -> Result<(), CandleError> {
    if int(&node, "ceil_mode").is_some_and(|mode| mode != 0) {
        return Err(refuse(&node, "it rounds sizes up"));
    }
    let pads = ints(&node, "pads").unwrap_or_default().to_vec();
    if pads.iter().all(|&pad| pad == 0) {
        builder.keep(node);
        return Ok(());
    }
    let [top, left, bottom, right] = pads[..] else {
        return Err(refuse(&node, "it pads other axes than height and width"));
    };
    let around = [0, 0, top, left, 0, 0, bottom, right];
    let padded = format!("{}.input", output(&node)?);
    surround(builder, &node, &around, f32::MIN, &padded)?;
    if let Some(first) = node.input.first_mut() {
        *first = padded;
    }
    node.attribute.retain(|attribute| attribute.name != "pads");
    builder.keep(node);
    Ok(())
}

/// Zeros around the input.
pub(super) fn pad(builder: &mut Builder, node: &NodeProto) -> Result<(), CandleError> {
    if attribute(node, "mode").is_some_and(|mode| mode.s != b"constant") {
        return Err(refuse(node, "it pads with more than one number"));
    }
    if input(node, 2).is_some() || input(node, 3).is_some() {
        return Err(refuse(node, "it pads with other numbers than 0, or some axes only"));
    }
    let Some(pads) = builder.whole(required(node, 1)?) else {
        return Err(refuse(node, "its sizes are no constant"));
    };
    surround(builder, node, &pads, 0.0, output(node)?)
}

/// Rows of `value` before and after every axis of a node's input, as `pads` has them: all before, then all after. What is not
/// finite beside a border makes it not a number.
fn surround(
    builder: &mut Builder,
    node: &NodeProto,
    pads: &[i64],
    value: f32,
    name: &str,
) -> Result<(), CandleError> {
    if !pads.len().is_multiple_of(2) || pads.iter().any(|&pad| pad < 0) {
        return Err(refuse(node, "it cuts, or its sizes are not two an axis"));
    }
    let (before, after) = pads.split_at(pads.len() / 2);
    let nothing = builder.scalar(format!("{name}.nothing"), 0.0);
    let value = builder.scalar(format!("{name}.value"), value);
    let mut found = required(node, 0)?.to_owned();
    for (axis, (&before, &after)) in
        before.iter().zip(after).enumerate().filter(|(_, pads)| *pads != (&0, &0))
    {
        let inner = |part: &str| format!("{name}.{axis}.{part}");
        let place = |part: &str, place: i64, builder: &mut Builder| builder.vector(inner(part), &[place]);
        let (start, end) = (place("start", 0, builder), place("end", 1, builder));
        let along = place("axis", axis as i64, builder);
        let first = builder.add("Slice", &[&found, &start, &end, &along], inner("first"), vec![]);
        let zeros = builder.add("Mul", &[&first, &nothing], inner("zeros"), vec![]);
        let row = builder.add("Add", &[&zeros, &value], inner("row"), vec![]);
        let copies = |count: i64| std::iter::repeat_n(row.as_str(), count as usize);
        let parts: Vec<_> = copies(before).chain([found.as_str()]).chain(copies(after)).collect();
        found = builder.add("Concat", &parts, inner("wide"), vec![of_int("axis", axis as i64)]);
    }
    // Nothing may be left to pad.
    builder.add("Add", &[&found, &nothing], name.to_owned(), vec![]);
    Ok(())
}
