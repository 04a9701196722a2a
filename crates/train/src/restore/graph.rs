//! An ONNX graph by the names of its nodes.

use std::collections::HashMap;
use std::path::Path;

use candle_core::{DType, Result, Tensor, bail};
use candle_onnx::eval::get_tensor;
use candle_onnx::onnx::{NodeProto, TensorProto};
use medclip_core::graph::CONFIG_KEY;

/// Nodes and stored tensors of a file.
pub(super) struct Graph {
    config: Option<String>,
    nodes: HashMap<String, NodeProto>,
    /// Names of nodes by what they give.
    producers: HashMap<String, String>,
    stored: HashMap<String, TensorProto>,
}

impl Graph {
    pub(super) fn open(path: &Path) -> Result<Self> {
        let model = candle_onnx::read_file(path)?;
        let config = model.metadata_props.into_iter().find(|entry| entry.key == CONFIG_KEY);
        let graph = model.graph.unwrap_or_default();
        let outputs = |node: &NodeProto| {
            node.output.iter().map(|output| (output.clone(), node.name.clone())).collect::<Vec<_>>()
        };
        Ok(Self {
            config: config.map(|entry| entry.value),
            producers: graph.node.iter().flat_map(outputs).collect(),
            nodes: graph.node.into_iter().map(|node| (node.name.clone(), node)).collect(),
            stored: graph.initializer.into_iter().map(|tensor| (tensor.name.clone(), tensor)).collect(),
        })
    }

    /// The configuration it says it was written for.
    pub(super) fn config(&self) -> Option<&str> {
        self.config.as_deref()
    }

    /// What the node called `name` does.
    pub(super) fn operator(&self, name: &str) -> Option<&str> {
        self.nodes.get(name).map(|node| node.op_type.as_str())
    }

    /// The stored tensor that is input `index` of the node called `name`, in single precision.
    pub(super) fn input(&self, name: &str, index: usize) -> Result<Tensor> {
        let Some(input) = self.nodes.get(name).and_then(|node| node.input.get(index)) else {
            bail!("the graph has no node {name} with an input {index}");
        };
        self.stored(input)
    }

    /// A stored tensor, or one that a cast widens.
    fn stored(&self, value: &str) -> Result<Tensor> {
        if let Some(tensor) = self.stored.get(value) {
            return get_tensor(tensor, value)?.to_dtype(DType::F32);
        }
        let producer = self.producers.get(value).and_then(|name| self.nodes.get(name));
        match producer.filter(|node| node.op_type == "Cast").and_then(|cast| cast.input.first()) {
            Some(narrow) if self.stored.contains_key(narrow) => self.stored(narrow),
            _ => bail!("{value} is not stored in the graph"),
        }
    }
}
