//! A graph under rewriting: nodes and constants are added, what nothing reads any more is left out in the end.

use std::collections::HashSet;

use crate::graph::stored::StoredGraph;
use medclip_onnx::{AttributeProto, DataType, GraphProto, NodeProto, TensorProto};

pub(super) struct Rewrite<'a> {
    source: &'a StoredGraph,
    nodes: Vec<NodeProto>,
    constants: Vec<TensorProto>,
}

impl<'a> Rewrite<'a> {
    pub(super) fn new(source: &'a StoredGraph) -> Self {
        Self { source, nodes: Vec::new(), constants: Vec::new() }
    }

    /// A node as it was, reading other values.
    pub(super) fn keep(&mut self, node: &NodeProto, inputs: Vec<String>) {
        self.nodes.push(NodeProto { input: inputs, ..node.clone() });
    }

    /// A new node, called like its first output.
    pub(super) fn add(
        &mut self,
        operator: &str,
        inputs: &[&str],
        outputs: &[&str],
        attribute: Vec<AttributeProto>,
    ) {
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        self.nodes.push(NodeProto {
            input: owned(inputs),
            output: owned(outputs),
            name: outputs.first().map(|&name| name.to_owned()),
            op_type: Some(operator.to_owned()),
            attribute,
        });
    }

    /// A constant of these bytes.
    pub(super) fn constant(&mut self, name: &str, kind: DataType, shape: &[usize], bytes: Vec<u8>) {
        self.constants.push(TensorProto {
            dims: shape.iter().map(|&size| size as i64).collect(),
            data_type: Some(kind as i32),
            name: Some(name.to_owned()),
            raw_data: Some(bytes),
            ..TensorProto::default()
        });
    }

    pub(super) fn floats(&mut self, name: &str, shape: &[usize], values: &[f32]) {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.constant(name, DataType::Float, shape, bytes);
    }

    /// The graph of what its outputs need.
    pub(super) fn finish(self) -> GraphProto {
        let old = self.source.graph();
        let mut needed: HashSet<String> =
            old.output.iter().filter_map(|output| output.name.clone()).collect();
        let mut nodes: Vec<NodeProto> = Vec::with_capacity(self.nodes.len());
        for node in self.nodes.into_iter().rev() {
            if node.output.iter().any(|output| needed.contains(output)) {
                needed.extend(node.input.iter().cloned());
                nodes.push(node);
            }
        }
        nodes.reverse();
        let is_needed = |tensor: &TensorProto| tensor.name.as_ref().is_some_and(|name| needed.contains(name));
        let kept = old.initializer.iter().filter(|tensor| is_needed(tensor)).cloned();
        GraphProto {
            node: nodes,
            name: old.name.clone(),
            initializer: kept.chain(self.constants.into_iter().filter(|tensor| is_needed(tensor))).collect(),
            input: old.input.clone(),
            output: old.output.clone(),
        }
    }
}
