//! What an ONNX file says of itself.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use medclip_core::graph::WEIGHTS_KEY;
use medclip_files::open_regular;
use medclip_onnx::{
    DecodeError, DimensionValue, GraphProto, LOCATION, Message, ModelProto, OperatorSetIdProto, TensorProto,
    ValueInfoProto, element_name, outline,
};
use serde::Serialize;

use crate::error::LoadError;

/// What an ONNX file says of itself, weights aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GraphInfo {
    /// ONNX file format version.
    pub ir_version: i64,
    /// Version of the default operator set.
    pub opset: i64,
    /// Name of the writer.
    pub producer: String,
    /// Operators in the graph.
    pub nodes: usize,
    /// Stored parameters.
    pub parameters: u64,
    /// Those of them that are stored in half precision.
    pub half_parameters: u64,
    /// Matrix products of 8-bit numbers.
    pub integer_products: usize,
    /// Inputs without stored values, in order.
    pub inputs: Vec<Port>,
    /// Outputs, in order.
    pub outputs: Vec<Port>,
    /// Free-form properties the writer left.
    pub metadata: BTreeMap<String, String>,
    /// Files beside its own that hold weights.
    pub external_files: BTreeSet<String>,
}

impl GraphInfo {
    /// SHA-256 of the weights it was written from, where it says so.
    pub fn weights_sha256(&self) -> Option<&str> {
        self.metadata.get(WEIGHTS_KEY).map(String::as_str)
    }

    /// Reads the ONNX file at `path` without preparing it to run.
    ///
    /// # Errors
    /// [`LoadError::NotOnnx`] when it cannot be read or is not ONNX.
    pub fn read(path: &Path) -> Result<Self, LoadError> {
        let not_onnx = |source| LoadError::NotOnnx { path: path.to_owned(), source };
        let outline = open_regular(path).and_then(|file| outline(&mut BufReader::new(file)));
        let bytes = outline.map_err(|error| not_onnx(error.into()))?;
        Self::parse(&bytes).map_err(|error| not_onnx(error.into()))
    }

    /// Paths of the files that hold weights of the graph in `path`.
    ///
    /// # Errors
    /// [`LoadError::ExternalData`] for a file that is not there, or would be outside of the graph's directory.
    pub(crate) fn external_paths(&self, path: &Path) -> Result<Vec<PathBuf>, LoadError> {
        let beside = |name: &String| {
            let data = path.with_file_name(name);
            // A name with a separator, or `..`, is not the last part of the path it makes.
            let is_plain = Path::new(name).file_name().is_some_and(|last| last == name.as_str());
            if is_plain && data.is_file() {
                return Ok(data);
            }
            Err(LoadError::ExternalData { path: path.to_owned(), file: name.clone() })
        };
        self.external_files.iter().map(beside).collect()
    }

    /// Reads the contents of an ONNX file.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, DecodeError> {
        ModelProto::decode(bytes).map(|model| describe(&model))
    }
}

/// An input or output of a graph.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Port {
    /// Name in the graph.
    pub name: String,
    /// Element type as ONNX spells it, such as `"float"` or `"int64"`.
    pub element: String,
    /// Size along each axis.
    pub shape: Vec<Dimension>,
}

/// Size along one axis.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Dimension {
    /// The same for every call.
    Fixed(usize),
    /// Free, with the graph's name for it.
    Free(String),
}

impl fmt::Display for Port {
    /// `pixel_values: float [batch, 1, 224, 224]`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} [", self.name, self.element)?;
        for (axis, dimension) in self.shape.iter().enumerate() {
            let comma = if axis == 0 { "" } else { ", " };
            match dimension {
                Dimension::Fixed(size) => write!(f, "{comma}{size}")?,
                Dimension::Free(name) => write!(f, "{comma}{name}")?,
            }
        }
        f.write_str("]")
    }
}

fn describe(model: &ModelProto) -> GraphInfo {
    let is_default = |domain: &str| domain.is_empty() || domain == "ai.onnx";
    let opset = model.opset_import.iter().find(|import| is_default(import.domain()));
    let empty = GraphProto::default();
    let graph = model.graph.as_ref().unwrap_or(&empty);
    let is_stored = |name: &str| graph.initializer.iter().any(|tensor| tensor.name() == name);
    let elements = |tensor: &TensorProto| tensor.dims.iter().map(|&size| size.max(0) as u64).product::<u64>();
    let is_half = |tensor: &&TensorProto| element_name(tensor.data_type.unwrap_or_default()) == "float16";
    // A declared output that nothing makes counts as none.
    let is_made = |name: &str| graph.node.iter().any(|node| node.output.iter().any(|output| output == name));
    GraphInfo {
        ir_version: model.ir_version(),
        opset: opset.map_or(0, OperatorSetIdProto::version),
        producer: model.producer_name().to_owned(),
        nodes: graph.node.len(),
        parameters: graph.initializer.iter().map(elements).sum(),
        half_parameters: graph.initializer.iter().filter(is_half).map(elements).sum(),
        integer_products: graph.node.iter().filter(|node| node.op_type() == "MatMulInteger").count(),
        inputs: graph.input.iter().filter(|input| !is_stored(input.name())).map(port).collect(),
        outputs: graph.output.iter().filter(|output| is_made(output.name())).map(port).collect(),
        metadata: model
            .metadata_props
            .iter()
            .map(|entry| (entry.key().to_owned(), entry.value().to_owned()))
            .collect(),
        external_files: graph
            .initializer
            .iter()
            .flat_map(|tensor| &tensor.external_data)
            .filter(|entry| entry.key() == "location" && entry.value() != LOCATION)
            .map(|entry| entry.value().to_owned())
            .collect(),
    }
}

fn port(info: &ValueInfoProto) -> Port {
    let tensor = info.r#type.as_ref().and_then(|r#type| r#type.tensor_type.clone()).unwrap_or_default();
    let dimensions = tensor.shape.iter().flat_map(|shape| &shape.dim);
    let shape = dimensions.map(|dimension| match &dimension.value {
        Some(DimensionValue::Size(size)) if *size > 0 => Dimension::Fixed(*size as usize),
        Some(DimensionValue::Symbol(name)) => Dimension::Free(name.clone()),
        _ => Dimension::Free("?".to_owned()),
    });
    Port {
        name: info.name().to_owned(),
        element: element_name(tensor.elem_type.unwrap_or_default()).to_owned(),
        shape: shape.collect(),
    }
}
