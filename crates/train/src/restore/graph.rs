//! An ONNX graph by the names of its nodes.

use std::collections::HashMap;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use candle_core::{DType, Result, Tensor, bail};
use candle_onnx::eval::get_tensor;
use candle_onnx::onnx::tensor_proto::DataLocation;
use candle_onnx::onnx::{NodeProto, TensorProto};
use medclip_core::graph::CONFIG_KEY;
use medclip_files::open_regular;

/// Nodes and stored tensors of a file.
pub(super) struct Graph {
    path: PathBuf,
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
            path: path.to_owned(),
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
            if tensor.data_location() == DataLocation::External {
                let raw_data = self.external(tensor)?;
                let whole = TensorProto { raw_data, data_location: 0, ..tensor.clone() };
                return get_tensor(&whole, value)?.to_dtype(DType::F32);
            }
            return get_tensor(tensor, value)?.to_dtype(DType::F32);
        }
        let producer = self.producers.get(value).and_then(|name| self.nodes.get(name));
        match producer.filter(|node| node.op_type == "Cast").and_then(|cast| cast.input.first()) {
            Some(narrow) if self.stored.contains_key(narrow) => self.stored(narrow),
            _ => bail!("{value} is not stored in the graph"),
        }
    }

    /// The values of a tensor that are in a file beside the graph's, which candle-onnx does not read.
    fn external(&self, tensor: &TensorProto) -> Result<Vec<u8>> {
        let told = |key: &str| {
            tensor.external_data.iter().find(|entry| entry.key == key).map(|entry| entry.value.as_str())
        };
        let number = |key: &str| told(key).and_then(|value| value.parse::<u64>().ok());
        let (Some(location), Some(offset), Some(length)) =
            (told("location"), number("offset"), number("length"))
        else {
            bail!("{} does not say where its values are", tensor.name);
        };
        // Only beside the graph, wherever a location points to.
        let name = Path::new(location).file_name().unwrap_or_default();
        let mut file = open_regular(&self.path.with_file_name(name))?;
        file.seek(SeekFrom::Start(offset))?;
        let mut values = Vec::new();
        if file.take(length).read_to_end(&mut values)? as u64 != length {
            bail!("{location} is too short for {}", tensor.name);
        }
        Ok(values)
    }
}
