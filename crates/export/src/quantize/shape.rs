//! Sizes of the activations of a convolutional tower, for one image.

use std::collections::HashMap;

use super::QuantizeError;
use crate::graph::stored::StoredGraph;
use medclip_onnx::{DimensionValue, NodeProto};

/// Channels, height and width, the batch left out; fewer axes behind a `Flatten`.
pub(super) type Sizes = Vec<usize>;

/// Sizes of `values` by name.
pub(super) fn sizes<'a>(
    source: &'a StoredGraph,
    values: &[&'a str],
) -> Result<HashMap<&'a str, Sizes>, QuantizeError> {
    let mut known: HashMap<&str, Sizes> = HashMap::new();
    for input in &source.graph().input {
        known.insert(input.name.as_deref().unwrap_or_default(), input_sizes(input));
    }
    for node in source.nodes() {
        let first = node.input.first().and_then(|x| known.get(x.as_str()));
        let (Some(sizes), Some(output)) =
            (first.and_then(|x| output_sizes(source, node, x)), node.output.first())
        else {
            continue;
        };
        known.insert(output, sizes);
    }
    for &value in values {
        if !known.contains_key(value) {
            let operator = source.maker(value).and_then(|node| node.op_type.clone()).unwrap_or_default();
            return Err(QuantizeError::Shape { value: value.to_owned(), operator });
        }
    }
    Ok(known)
}

fn input_sizes(input: &medclip_onnx::ValueInfoProto) -> Sizes {
    let tensor = input.r#type.as_ref().and_then(|kind| kind.tensor_type.as_ref());
    let dims = tensor.and_then(|tensor| tensor.shape.as_ref()).map(|shape| shape.dim.as_slice());
    let size = |dim: &medclip_onnx::DimensionProto| match dim.value {
        Some(DimensionValue::Size(size)) => size as usize,
        _ => 0,
    };
    dims.unwrap_or_default().iter().skip(1).map(size).collect()
}

fn output_sizes(source: &StoredGraph, node: &NodeProto, x: &Sizes) -> Option<Sizes> {
    match (node.op_type.as_deref()?, x.as_slice()) {
        ("Conv", &[_, height, width]) => {
            let weight = node.input.get(1)?;
            let out = source.weight(weight)?.shape.first().copied()?;
            let [height, width] = windows(node, [height, width])?;
            Some(vec![out, height, width])
        }
        ("MaxPool", &[channels, height, width]) => {
            let [height, width] = windows(node, [height, width])?;
            Some(vec![channels, height, width])
        }
        ("GlobalAveragePool", &[channels, _, _]) => Some(vec![channels, 1, 1]),
        ("Flatten", sizes) => Some(vec![sizes.iter().product()]),
        ("Relu" | "Clip" | "Add", sizes) => Some(sizes.to_vec()),
        _ => None,
    }
}

/// Places of a window along height and width.
fn windows(node: &NodeProto, sizes: [usize; 2]) -> Option<[usize; 2]> {
    let of = |name: &str, axis: usize| node.ints(name)?.get(axis).map(|&value| value as usize);
    let along = |axis: usize| {
        let (kernel, stride) = (of("kernel_shape", axis)?, of("strides", axis)?);
        let padded = sizes[axis] + of("pads", axis)? + of("pads", axis + 2)?;
        Some(padded.checked_sub(kernel)? / stride.max(1) + 1)
    };
    Some([along(0)?, along(1)?])
}
