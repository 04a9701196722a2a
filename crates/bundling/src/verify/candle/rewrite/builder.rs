//! Nodes and constants of the rewritten graph.

use std::collections::HashMap;

use candle_onnx::onnx::attribute_proto::AttributeType;
use candle_onnx::onnx::tensor_proto::DataType;
use candle_onnx::onnx::{AttributeProto, NodeProto, TensorProto};

use crate::verify::error::CandleError;

/// The rewritten graph as it grows.
pub(super) struct Builder {
    nodes: Vec<NodeProto>,
    constants: Vec<TensorProto>,
    /// Places in `constants` by name.
    places: HashMap<String, usize>,
}

/// Refuses a node.
pub(super) fn refuse(node: &NodeProto, reason: &'static str) -> CandleError {
    CandleError::Operator { operator: node.op_type.clone(), node: node.name.clone(), reason }
}

/// Input `index`, where there is one.
pub(super) fn input(node: &NodeProto, index: usize) -> Option<&str> {
    node.input.get(index).map(String::as_str).filter(|name| !name.is_empty())
}

/// Input `index`, which the operator has to have.
pub(super) fn required(node: &NodeProto, index: usize) -> Result<&str, CandleError> {
    input(node, index).ok_or_else(|| refuse(node, "an input is missing"))
}

/// The only output.
pub(super) fn output(node: &NodeProto) -> Result<&str, CandleError> {
    match node.output.as_slice() {
        [output] => Ok(output),
        _ => Err(refuse(node, "it has another number of outputs than one")),
    }
}

/// An attribute that is a whole number.
pub(super) fn int(node: &NodeProto, name: &str) -> Option<i64> {
    attribute(node, name).map(|attribute| attribute.i)
}

/// An attribute that is a list of whole numbers.
pub(super) fn ints<'a>(node: &'a NodeProto, name: &str) -> Option<&'a [i64]> {
    attribute(node, name).map(|attribute| attribute.ints.as_slice())
}

/// An attribute.
pub(super) fn attribute<'a>(node: &'a NodeProto, name: &str) -> Option<&'a AttributeProto> {
    node.attribute.iter().find(|attribute| attribute.name == name)
}

/// A list of whole numbers as an attribute.
pub(super) fn of_ints(name: &str, ints: &[i64]) -> AttributeProto {
    let r#type = AttributeType::Ints as i32;
    AttributeProto { name: name.to_owned(), r#type, ints: ints.to_vec(), ..AttributeProto::default() }
}

/// A whole number as an attribute.
pub(super) fn of_int(name: &str, i: i64) -> AttributeProto {
    AttributeProto {
        name: name.to_owned(),
        r#type: AttributeType::Int as i32,
        i,
        ..AttributeProto::default()
    }
}

impl Builder {
    pub(super) fn new(constants: Vec<TensorProto>) -> Self {
        let places = constants.iter().enumerate().map(|(place, tensor)| (tensor.name.clone(), place));
        Self { nodes: Vec::new(), places: places.collect(), constants }
    }

    pub(super) fn finish(self) -> (Vec<NodeProto>, Vec<TensorProto>) {
        (self.nodes, self.constants)
    }

    /// Takes a node as it is.
    pub(super) fn keep(&mut self, node: NodeProto) {
        self.nodes.push(node);
    }

    /// Adds a node that gives `output`, which it returns.
    pub(super) fn add(
        &mut self,
        operator: &str,
        inputs: &[&str],
        output: String,
        attributes: Vec<AttributeProto>,
    ) -> String {
        self.nodes.push(NodeProto {
            name: output.clone(),
            op_type: operator.to_owned(),
            input: inputs.iter().map(|&input| input.to_owned()).collect(),
            output: vec![output.clone()],
            attribute: attributes,
            ..NodeProto::default()
        });
        output
    }

    /// Adds a number that every element is combined with.
    pub(super) fn scalar(&mut self, name: String, value: f32) -> String {
        let raw_data = value.to_le_bytes().to_vec();
        self.constant(TensorProto {
            name,
            data_type: DataType::Float as i32,
            raw_data,
            ..TensorProto::default()
        })
    }

    /// Adds a vector of whole numbers.
    pub(super) fn vector(&mut self, name: String, values: &[i64]) -> String {
        self.constant(TensorProto {
            name,
            data_type: DataType::Int64 as i32,
            dims: vec![values.len() as i64],
            raw_data: values.iter().flat_map(|value| value.to_le_bytes()).collect(),
            ..TensorProto::default()
        })
    }

    fn constant(&mut self, tensor: TensorProto) -> String {
        let name = tensor.name.clone();
        self.places.insert(name.clone(), self.constants.len());
        self.constants.push(tensor);
        name
    }

    /// The whole numbers of a constant.
    pub(super) fn whole(&self, name: &str) -> Option<Vec<i64>> {
        let tensor = self.constants.get(*self.places.get(name)?)?;
        if tensor.data_type != DataType::Int64 as i32 {
            return None;
        }
        if !tensor.int64_data.is_empty() {
            return Some(tensor.int64_data.clone());
        }
        Some(tensor.raw_data.as_chunks().0.iter().map(|&bytes| i64::from_le_bytes(bytes)).collect())
    }
}
