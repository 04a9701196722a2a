//! A graph that this crate wrote, read back to be written in another form.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use half::f16;
use medclip_core::graph::IMAGE_MAP;
use medclip_files::read_regular;
use thiserror::Error;

use super::OnnxFile;
use crate::error::ExportError;
use crate::metadata::ModelInfo;
use medclip_onnx::{DataType, GraphProto, Message, ModelProto, NodeProto, TensorProto};

/// Why a graph cannot be read back.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReadGraphError {
    /// A file cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The graph, or the weights beside it.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Not an ONNX file.
    #[error("{} is not ONNX", path.display())]
    NotOnnx {
        /// The graph.
        path: PathBuf,
        /// Where it stops being one.
        source: medclip_onnx::DecodeError,
    },
    /// Another program's graph, which may hold what this crate does not know.
    #[error("{} was written by {producer:?}, only graphs of {} can be quantised", path.display(), env!("CARGO_PKG_NAME"))]
    Foreign {
        /// The graph.
        path: PathBuf,
        /// Who wrote it, as it says.
        producer: String,
    },
    /// Weights that are not where the graph says, or not as many.
    #[error("{}: the values of {tensor} are missing", path.display())]
    Values {
        /// The graph.
        path: PathBuf,
        /// The constant.
        tensor: String,
    },
}

/// Nodes, constants and metadata, every constant with its values.
#[derive(Debug)]
pub(crate) struct StoredGraph {
    graph: GraphProto,
    info: ModelInfo,
    /// Place of every constant.
    constants: HashMap<String, usize>,
    /// Place of the node that makes a value.
    makers: HashMap<String, usize>,
    /// Places of the nodes that embeddings need: all but those of the map alone.
    embedding: HashSet<usize>,
}

/// Most bytes of a graph or a file of weights beside it.
const MAX_BYTES: u64 = 16 << 30;

/// A constant in single precision.
#[derive(Debug, Clone)]
pub(crate) struct StoredValues {
    pub(crate) shape: Vec<usize>,
    pub(crate) data: Vec<f32>,
}

impl StoredGraph {
    /// Reads the graph in `path` with the weights beside it.
    pub(crate) fn open(path: &Path) -> Result<Self, ReadGraphError> {
        let read = |path: &Path| {
            read_regular(path, MAX_BYTES)
                .map_err(|source| ReadGraphError::Read { path: path.to_owned(), source })
        };
        let model = ModelProto::decode(&read(path)?[..])
            .map_err(|source| ReadGraphError::NotOnnx { path: path.to_owned(), source })?;
        let producer = model.producer_name.unwrap_or_default();
        if producer != env!("CARGO_PKG_NAME") {
            return Err(ReadGraphError::Foreign { path: path.to_owned(), producer });
        }
        let mut graph = model.graph.unwrap_or_default();
        let mut files: HashMap<String, Vec<u8>> = HashMap::new();
        for tensor in &mut graph.initializer {
            let fault =
                || ReadGraphError::Values { path: path.to_owned(), tensor: name(tensor.name.as_ref()) };
            if !tensor.external_data.is_empty() {
                let told = |key: &str| {
                    let entry = tensor.external_data.iter().find(|entry| entry.key.as_deref() == Some(key));
                    entry.and_then(|entry| entry.value.clone())
                };
                let number = |key: &str| told(key).and_then(|value| value.parse::<usize>().ok());
                let location = told("location").ok_or_else(fault)?;
                // A plain name: nothing outside of the graph's directory is read.
                if Path::new(&location).file_name().is_none_or(|last| last != location.as_str()) {
                    return Err(fault());
                }
                if !files.contains_key(&location) {
                    files.insert(location.clone(), read(&path.with_file_name(&location))?);
                }
                let (offset, length) = number("offset").zip(number("length")).ok_or_else(fault)?;
                let end = offset.checked_add(length).ok_or_else(fault)?;
                let values = files.get(&location).and_then(|file| file.get(offset..end)).ok_or_else(fault)?;
                tensor.raw_data = Some(values.to_vec());
                tensor.external_data.clear();
                tensor.data_location = None;
            }
            let bytes = tensor.raw_data.as_ref().map_or(0, Vec::len);
            if size_of_elements(tensor).is_some_and(|expected| expected != bytes) {
                let tensor = name(tensor.name.as_ref());
                return Err(ReadGraphError::Values { path: path.to_owned(), tensor });
            }
        }
        let properties = model.metadata_props.into_iter();
        let properties =
            properties.map(|entry| (entry.key.unwrap_or_default(), entry.value.unwrap_or_default()));
        let info = ModelInfo { doc: model.doc_string.unwrap_or_default(), properties: properties.collect() };
        let places = |names: Vec<String>| names.into_iter().enumerate().map(|(place, name)| (name, place));
        let constants = places(graph.initializer.iter().map(|tensor| name(tensor.name.as_ref())).collect());
        let makers = graph
            .node
            .iter()
            .enumerate()
            .flat_map(|(place, node)| node.output.iter().map(move |output| (output.clone(), place)));
        let makers: HashMap<String, usize> = makers.collect();
        let embedding = embedding_nodes(&graph, &makers);
        Ok(Self { constants: constants.collect(), makers, embedding, info, graph })
    }

    pub(crate) const fn graph(&self) -> &GraphProto {
        &self.graph
    }

    pub(crate) fn nodes(&self) -> &[NodeProto] {
        &self.graph.node
    }

    /// Nodes that embeddings need. What only the map needs stays as it is in every precision.
    pub(crate) fn embedding_nodes(&self) -> impl Iterator<Item = &NodeProto> {
        let nodes = self.graph.node.iter().enumerate();
        nodes.filter(|(place, _)| self.embedding.contains(place)).map(|(_, node)| node)
    }

    /// Whether embeddings need the node.
    pub(crate) fn is_of_embedding(&self, node: &NodeProto) -> bool {
        let place = node.output.first().and_then(|output| self.makers.get(output));
        place.is_some_and(|place| self.embedding.contains(place))
    }

    /// The node that makes a value.
    pub(crate) fn maker(&self, value: &str) -> Option<&NodeProto> {
        self.makers.get(value).and_then(|&place| self.graph.node.get(place))
    }

    /// The constant called `name`.
    pub(crate) fn constant(&self, name: &str) -> Option<&TensorProto> {
        self.constants.get(name).and_then(|&place| self.graph.initializer.get(place))
    }

    /// A weight: a constant of single precision, or one of half precision behind the `Cast` that widens it.
    pub(crate) fn weight(&self, value: &str) -> Option<StoredValues> {
        let tensor = self.weight_tensor(value)?;
        let bytes = tensor.raw_data.as_deref()?;
        let data = match tensor.data_type? {
            kind if kind == DataType::Float as i32 => {
                bytes.as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect()
            }
            kind if kind == DataType::Float16 as i32 => {
                bytes.as_chunks().0.iter().map(|&bytes| f16::from_le_bytes(bytes).to_f32()).collect()
            }
            _ => return None,
        };
        Some(StoredValues { shape: tensor.dims.iter().map(|&size| size as usize).collect(), data })
    }

    /// Sizes of a weight.
    pub(crate) fn weight_rank(&self, value: &str) -> Option<usize> {
        self.weight_tensor(value).map(|tensor| tensor.dims.len())
    }

    fn weight_tensor(&self, value: &str) -> Option<&TensorProto> {
        self.constant(value).or_else(|| {
            let cast = self.maker(value).filter(|node| node.op_type.as_deref() == Some("Cast"))?;
            self.constant(cast.input.first()?)
        })
    }

    /// Another graph with this one's metadata.
    pub(crate) fn file(&self, graph: GraphProto) -> Result<OnnxFile, ExportError> {
        OnnxFile::new(graph, self.info.clone())
    }
}

fn name(name: Option<&String>) -> String {
    name.cloned().unwrap_or_default()
}

fn embedding_nodes(graph: &GraphProto, makers: &HashMap<String, usize>) -> HashSet<usize> {
    let outputs = graph.output.iter().filter_map(|output| output.name.as_deref());
    let mut waiting: Vec<&str> = outputs.filter(|name| *name != IMAGE_MAP).collect();
    let mut needed = HashSet::new();
    while let Some(value) = waiting.pop() {
        let Some(&place) = makers.get(value) else { continue };
        if needed.insert(place) {
            waiting
                .extend(graph.node.get(place).into_iter().flat_map(|node| &node.input).map(String::as_str));
        }
    }
    needed
}

/// Bytes a constant must have, where its type is one that graphs here use.
fn size_of_elements(tensor: &TensorProto) -> Option<usize> {
    let element = match tensor.data_type? {
        kind if kind == DataType::Float as i32 => 4,
        kind if kind == DataType::Float16 as i32 => 2,
        kind if kind == DataType::Int64 as i32 => 8,
        _ => return None,
    };
    tensor.dims.iter().try_fold(element, |len: usize, &size| len.checked_mul(usize::try_from(size).ok()?))
}
