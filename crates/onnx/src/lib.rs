//! The messages of ONNX files: one schema for what reads graphs, writes them and rewrites them. Nothing here runs a graph.
//!
//! [`outline()`] reads a file past its weights, however large they are. [`element_name`] spells types of elements as ONNX does.
//!
//! [`select()`] leaves out what only some outputs of a graph need.
//!
//! Internal: programs use the crate `medclip`.

mod element;
mod messages;
mod node;
mod outline;
mod select;

pub use element::element_name;
pub use messages::{
    AttributeProto, AttributeType, DataLocation, DataType, DimensionProto, DimensionValue, GraphProto,
    ModelProto, NodeProto, OperatorSetIdProto, StringStringEntryProto, TensorProto, TensorShapeProto,
    TensorTypeProto, TypeProto, ValueInfoProto,
};
pub use outline::{LOCATION, outline};
pub use prost::{DecodeError, Message};
pub use select::select;
