//! Convolutions whose activations stay 8-bit numbers from layer to layer, in ranges fixed beforehand.
//!
//! A value becomes `DequantizeLinear(QuantizeLinear(x))`, weights and biases are stored as whole numbers behind a
//! `DequantizeLinear`. Read literally, which every engine can, that is single-precision arithmetic on rounded numbers; ONNX
//! Runtime fuses a layer between such pairs into one of whole numbers.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::rewrite::Rewrite;
use super::scale::{Affine, PerChannel, bias, least_scale};
use crate::graph::attribute;
use crate::graph::stored::StoredGraph;
use medclip_onnx::{DataType, GraphProto, NodeProto};

/// How each value is quantized, by name.
pub(super) type Ranges = BTreeMap<String, Affine>;

/// Convolutions and dense layers of a graph, in its order.
pub(super) fn layers(source: &StoredGraph) -> Vec<String> {
    let nodes = source.embedding_nodes().filter(|node| is_layer(source, node));
    nodes.map(|node| node.title().to_owned()).collect()
}

/// Values whose range has to be known, in the graph's order.
pub(super) fn measured(source: &StoredGraph) -> Vec<&str> {
    let mut known = HashSet::new();
    let read = source.embedding_nodes().flat_map(|node| match () {
        () if is_layer(source, node) => node.input.get(..1).unwrap_or_default(),
        () if is_sum(source, node) || is_view(node) => node.input.as_slice(),
        () => &[],
    });
    read.map(String::as_str).filter(|&value| known.insert(value)).collect()
}

/// The graph with these layers quantized.
pub(super) fn graph(source: &StoredGraph, ranges: &Ranges, quantized: &BTreeSet<&str>) -> GraphProto {
    let mut writer = Writer {
        source,
        ranges,
        rewrite: Rewrite::new(source),
        done: HashSet::new(),
        stored: HashMap::new(),
    };
    // Values that 8-bit layers make: what only passes them on is fused with them.
    let mut whole: HashSet<&str> = HashSet::new();
    for node in source.nodes() {
        if !source.is_of_embedding(node) {
            writer.keep_map(node);
            continue;
        }
        let first = node.input.first().map(String::as_str).unwrap_or_default();
        let is_whole = if is_layer(source, node) {
            let is_whole = quantized.contains(node.title()) && ranges.contains_key(first);
            if is_whole && writer.layer(node) {
                whole.extend(node.output.iter().map(String::as_str));
                continue;
            }
            false
        } else if node.is("Relu") || node.is("Clip") {
            if whole.contains(first) {
                whole.extend(node.output.iter().map(String::as_str));
            }
            false
        } else {
            (is_sum(source, node) || is_view(node))
                && node.input.iter().all(|x| whole.contains(x.as_str()) && ranges.contains_key(x))
        };
        if is_whole {
            let inputs = node.input.iter().map(|x| writer.rounded(x)).collect();
            writer.rewrite.keep(node, inputs);
            whole.extend(node.output.iter().map(String::as_str));
        } else {
            writer.rewrite.keep(node, node.input.clone());
        }
    }
    writer.rewrite.finish()
}

struct Writer<'a> {
    source: &'a StoredGraph,
    ranges: &'a Ranges,
    rewrite: Rewrite<'a>,
    /// Values that are rounded already.
    done: HashSet<String>,
    /// Weights of 8-bit layers as they are read, by the name that they had.
    stored: HashMap<String, String>,
}

impl Writer<'_> {
    /// A node of the map, with the weights that embeddings are made by.
    fn keep_map(&mut self, node: &NodeProto) {
        let read = |input: &String| self.stored.get(input).unwrap_or(input).clone();
        let inputs = node.input.iter().map(read).collect();
        self.rewrite.keep(node, inputs);
    }

    /// The value as 8-bit numbers give it.
    fn rounded(&mut self, x: &str) -> String {
        let rounded = format!("{x}.rounded");
        let Some(&Affine { scale, zero }) = self.ranges.get(x) else { return x.to_owned() };
        if self.done.insert(x.to_owned()) {
            let (q, scale_name, zero_name) = (format!("{x}.q"), format!("{x}.scale"), format!("{x}.zero"));
            self.rewrite.floats(&scale_name, &[], &[scale]);
            self.rewrite.constant(&zero_name, DataType::Uint8, &[], vec![zero]);
            self.rewrite.add("QuantizeLinear", &[x, &scale_name, &zero_name], &[&q], vec![]);
            self.rewrite.add("DequantizeLinear", &[&q, &scale_name, &zero_name], &[&rounded], vec![]);
        }
        rounded
    }

    /// Quantizes a layer; `false`, and nothing done, where its parts are not what they should be.
    fn layer(&mut self, node: &NodeProto) -> bool {
        let (Some(x), Some(weight)) = (node.input.first(), node.input.get(1)) else { return false };
        let Some(values) = self.source.weight(weight) else { return false };
        let Some(&activation) = self.ranges.get(x) else { return false };
        let axis = usize::from(!node.is("Conv"));
        let offsets = match node.input.get(2).map(|bias| self.source.weight(bias)) {
            None => None,
            Some(None) => return false,
            Some(Some(offsets)) => Some(offsets.data),
        };
        let whole = PerChannel::new(&values.data, &values.shape, axis, |channel| {
            let offset = offsets.as_ref().and_then(|offsets| offsets.get(channel)).copied();
            least_scale(offset.unwrap_or_default(), activation.scale)
        });

        // Named by the layer: a bias that two layers share has a scale in each.
        let name = |part: &str| format!("{}.{part}", node.title());
        let mut inputs = vec![self.rounded(x)];
        let bytes = whole.values.iter().map(|&value| value.cast_unsigned()).collect();
        let along = || vec![attribute::int("axis", axis as i64)];
        let read =
            self.add_stored(&name("weight"), DataType::Int8, &values.shape, bytes, &whole.scales, along());
        self.stored.insert(weight.clone(), read.clone());
        inputs.push(read);
        if let Some(offsets) = offsets {
            let scales: Vec<f32> = whole.scales.iter().map(|scale| scale * activation.scale).collect();
            let bytes = bias(&offsets, &scales).into_iter().flat_map(i32::to_le_bytes).collect();
            let along = vec![attribute::int("axis", 0)];
            inputs.push(self.add_stored(
                &name("bias"),
                DataType::Int32,
                &[offsets.len()],
                bytes,
                &scales,
                along,
            ));
        }
        self.rewrite.keep(node, inputs);
        true
    }

    /// Whole numbers behind what widens them.
    fn add_stored(
        &mut self,
        name: &str,
        kind: DataType,
        shape: &[usize],
        bytes: Vec<u8>,
        scales: &[f32],
        attributes: Vec<medclip_onnx::AttributeProto>,
    ) -> String {
        let (q, scale, rounded) = (format!("{name}.q"), format!("{name}.scale"), format!("{name}.rounded"));
        self.rewrite.constant(&q, kind, shape, bytes);
        self.rewrite.floats(&scale, &[scales.len()], scales);
        self.rewrite.add("DequantizeLinear", &[&q, &scale], &[&rounded], attributes);
        rounded
    }
}

fn is_layer(source: &StoredGraph, node: &NodeProto) -> bool {
    let rank = node.input.get(1).and_then(|weight| source.weight_rank(weight));
    (node.is("Conv") && rank == Some(4)) || (node.is("MatMul") && rank == Some(2))
}

/// Whether it adds two activations.
fn is_sum(source: &StoredGraph, node: &NodeProto) -> bool {
    node.is("Add") && node.input.iter().all(|x| source.constant(x).is_none())
}

/// Whether it passes on what it gets, or means of it.
fn is_view(node: &NodeProto) -> bool {
    ["MaxPool", "GlobalAveragePool", "Flatten"].iter().any(|operator| node.is(operator))
}
