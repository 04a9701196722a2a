//! A finished graph on its way into a file.

use std::io::{self, Write};

use prost::encoding::{WireType, encode_key, encode_varint, encoded_len_varint};

use super::external::ExternalData;
use crate::error::ExportError;
use crate::metadata::ModelInfo;
use medclip_onnx::{GraphProto, Message, ModelProto, OperatorSetIdProto, StringStringEntryProto};

/// Operator set 20 is the first with `Gelu`; IR version 9 belongs to it.
const OPERATOR_SET: i64 = 20;
const IR_VERSION: i64 = 9;

/// What protobuf allows in one message.
const MAX_BYTES: usize = i32::MAX as usize;

/// Fields of `ModelProto` and `GraphProto` that are written in pieces.
const GRAPH: u32 = 7;
const INITIALIZER: u32 = 5;

/// A finished graph: what an `.onnx` file holds.
///
/// Written as it is encoded, one constant after the other, each of which is freed behind it: the weights are in memory once.
#[derive(Debug, Clone)]
pub struct OnnxFile {
    /// What comes before the graph and behind it; concatenated messages are one message.
    before: ModelProto,
    graph: GraphProto,
    after: ModelProto,
    graph_len: usize,
}

impl OnnxFile {
    /// # Errors
    /// [`ExportError::TooLarge`].
    pub(super) fn new(graph: GraphProto, info: ModelInfo) -> Result<Self, ExportError> {
        let entry = |(key, value)| StringStringEntryProto { key: Some(key), value: Some(value) };
        let version = OperatorSetIdProto { domain: Some(String::new()), version: Some(OPERATOR_SET) };
        let file = Self {
            before: ModelProto {
                ir_version: Some(IR_VERSION),
                producer_name: Some(env!("CARGO_PKG_NAME").to_owned()),
                producer_version: Some(env!("CARGO_PKG_VERSION").to_owned()),
                doc_string: Some(info.doc),
                ..ModelProto::default()
            },
            after: ModelProto {
                opset_import: vec![version],
                metadata_props: info.properties.into_iter().map(entry).collect(),
                ..ModelProto::default()
            },
            graph_len: graph.encoded_len(),
            graph,
        };
        match file.encoded_len() {
            len if len > MAX_BYTES => Err(ExportError::TooLarge { len, limit: MAX_BYTES }),
            _ => Ok(file),
        }
    }

    /// Bytes of the file.
    pub fn encoded_len(&self) -> usize {
        // A key of a field below 16 is one byte.
        let graph = 1 + encoded_len_varint(self.graph_len as u64) + self.graph_len;
        self.before.encoded_len() + graph + self.after.encoded_len()
    }

    /// Moves the large constants into a file of their own, which the graph expects beside its own under `name`.
    ///
    /// An engine can then map the weights into memory where it would parse and copy them.
    #[must_use]
    pub fn detach(mut self, name: &str) -> (Self, ExternalData) {
        let data = ExternalData::take(&mut self.graph.initializer, name);
        self.graph_len = self.graph.encoded_len();
        (self, data)
    }

    /// Writes the file; the same graph gives the same bytes.
    ///
    /// # Errors
    /// What `out` gives.
    pub fn write_to(self, out: &mut (impl Write + ?Sized)) -> io::Result<()> {
        let Self { before, mut graph, after, graph_len } = self;
        out.write_all(&before.encode_to_vec())?;
        out.write_all(&head(GRAPH, graph_len))?;
        let constants = std::mem::take(&mut graph.initializer);
        let (inputs, outputs) = (std::mem::take(&mut graph.input), std::mem::take(&mut graph.output));
        out.write_all(&graph.encode_to_vec())?;
        for constant in constants {
            out.write_all(&head(INITIALIZER, constant.encoded_len()))?;
            out.write_all(&constant.encode_to_vec())?;
        }
        out.write_all(
            &GraphProto { input: inputs, output: outputs, ..GraphProto::default() }.encode_to_vec(),
        )?;
        out.write_all(&after.encode_to_vec())
    }

    /// The file in memory.
    pub fn into_bytes(self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.encoded_len());
        // Memory takes whatever it is given.
        self.write_to(&mut bytes).unwrap_or_default();
        bytes
    }
}

fn head(field: u32, len: usize) -> Vec<u8> {
    let mut head = Vec::new();
    encode_key(field, WireType::LengthDelimited, &mut head);
    encode_varint(len as u64, &mut head);
    head
}

#[cfg(test)]
mod tests {
    use super::*;
    use medclip_onnx::{DataType, NodeProto, TensorProto, ValueInfoProto};

    #[test]
    fn pieces_are_the_message_encoded_at_once() {
        let constant = |name: &str| TensorProto {
            dims: vec![300],
            data_type: Some(DataType::Float as i32),
            name: Some(name.to_owned()),
            raw_data: Some(vec![1; 1200]),
            ..TensorProto::default()
        };
        let port = |name: &str| ValueInfoProto { name: Some(name.to_owned()), ..ValueInfoProto::default() };
        let graph = GraphProto {
            node: vec![NodeProto { op_type: Some("Add".to_owned()), ..NodeProto::default() }],
            name: Some("sample".to_owned()),
            initializer: vec![constant("a"), constant("b")],
            input: vec![port("x")],
            output: vec![port("y")],
        };
        let info =
            ModelInfo { doc: "words".to_owned(), properties: vec![("key".to_owned(), "value".to_owned())] };
        let file = OnnxFile::new(graph.clone(), info).unwrap();
        let whole = ModelProto {
            graph: Some(graph),
            opset_import: file.after.opset_import.clone(),
            metadata_props: file.after.metadata_props.clone(),
            ..file.before.clone()
        };
        assert_eq!(file.encoded_len(), whole.encoded_len());
        assert_eq!(file.into_bytes(), whole.encode_to_vec());
    }
}
