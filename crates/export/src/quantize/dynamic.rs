//! Dense layers with 8-bit products whose input's range is found while they run.
//!
//! `y = x · W` becomes `q, s, z = DynamicQuantizeLinear(x)`, `y = s · scale · MatMulInteger(q, Wq, z)`: the pattern that
//! ONNX Runtime fuses into one operator. Products of two activations, as attention scores are, stay as they were.

use std::collections::{BTreeSet, HashSet};

use super::rewrite::Rewrite;
use super::scale::PerChannel;
use crate::graph::attribute;
use crate::graph::stored::StoredGraph;
use medclip_onnx::{DataType, GraphProto, NodeProto};

/// The dense layers of a graph, in its order.
pub(super) fn layers(source: &StoredGraph) -> Vec<String> {
    let nodes = source.embedding_nodes().filter(|node| is_layer(source, node));
    nodes.map(|node| node.title().to_owned()).collect()
}

/// The graph with these layers quantized.
pub(super) fn graph(source: &StoredGraph, quantized: &BTreeSet<&str>) -> GraphProto {
    let mut rewrite = Rewrite::new(source);
    let mut done = HashSet::new();
    for node in source.nodes() {
        let layer = || {
            let [x, weight] = node.input.as_slice() else { return None };
            let [output] = node.output.as_slice() else { return None };
            Some((x, weight, output, source.weight(weight)?))
        };
        let Some((x, weight, output, values)) = Some(node)
            .filter(|node| quantized.contains(node.title()) && is_layer(source, node))
            .and_then(|_| layer())
        else {
            let mut inputs = node.input.clone();
            // A node of the map has the weights that embeddings are made by.
            if !source.is_of_embedding(node)
                && is_layer(source, node)
                && let [_, weight] = inputs.as_mut_slice()
                && done.contains(&*weight)
            {
                *weight = widened(&mut rewrite, weight);
            }
            rewrite.keep(node, inputs);
            continue;
        };
        let (q, scale, zero) = (format!("{x}.q"), format!("{x}.scale"), format!("{x}.zero"));
        if done.insert(x) {
            rewrite.add("DynamicQuantizeLinear", &[x], &[&q, &scale, &zero], vec![]);
        }
        let (weight_q, weight_scale) = (format!("{weight}.q"), format!("{weight}.scale"));
        if done.insert(weight) {
            let whole = PerChannel::new(&values.data, &values.shape, 1, |_| 0.0);
            let bytes = whole.values.iter().map(|&value| value.cast_unsigned()).collect();
            rewrite.constant(&weight_q, DataType::Int8, &values.shape, bytes);
            rewrite.floats(&weight_scale, &[whole.scales.len()], &whole.scales);
        }
        let part = |part: &str| format!("{output}.{part}");
        let (sum, float, factor) = (part("sum"), part("float"), part("scale"));
        rewrite.add("MatMulInteger", &[&q, &weight_q, &zero], &[&sum], vec![]);
        rewrite.add("Cast", &[&sum], &[&float], vec![attribute::int("to", DataType::Float as i64)]);
        rewrite.add("Mul", &[&scale, &weight_scale], &[&factor], vec![]);
        rewrite.add("Mul", &[&float, &factor], &[output], vec![]);
    }
    rewrite.finish()
}

/// An 8-bit weight in single precision.
fn widened(rewrite: &mut Rewrite<'_>, weight: &str) -> String {
    let (whole, scale, widened) =
        (format!("{weight}.q"), format!("{weight}.scale"), format!("{weight}.widened"));
    let along = vec![attribute::int("axis", 1)];
    rewrite.add("DequantizeLinear", &[&whole, &scale], &[&widened], along);
    widened
}

fn is_layer(source: &StoredGraph, node: &NodeProto) -> bool {
    node.is("MatMul") && node.input.get(1).is_some_and(|weight| source.weight_rank(weight) == Some(2))
}
