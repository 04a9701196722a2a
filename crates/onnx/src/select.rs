//! A graph reduced to some of its outputs.
//!
//! ONNX Runtime computes every node of a graph, asked for or not. What only other outputs need is left out before it sees the
//! graph; tract and rten do the same by themselves.
//!
//! # Source
//! Fields by number as in `onnx/onnx.proto`: 7 of `ModelProto`; 1, 5 and 12 of `GraphProto`; 1 and 2 of `NodeProto`, 8 of
//! `TensorProto`, 1 of `ValueInfoProto`.

use std::collections::HashSet;

use prost::DecodeError;
use prost::bytes::Buf;
use prost::encoding::{
    DecodeContext, WireType, decode_key, decode_varint, encode_key, encode_varint, skip_field,
};

const GRAPH: u32 = 7;
const NODE: u32 = 1;
const INITIALIZER: u32 = 5;
const OUTPUT: u32 = 12;

/// The model with the outputs in `wanted` alone, and without nodes and initializers that nothing reads any more.
///
/// # Errors
/// What is not protobuf.
pub fn select(model: &[u8], wanted: &[&str]) -> Result<Vec<u8>, DecodeError> {
    let mut out = Vec::with_capacity(model.len());
    for field in fields(model)? {
        match field.contents {
            Some(graph) if field.number == GRAPH => write(GRAPH, &reduced(graph, wanted)?, &mut out),
            _ => out.extend_from_slice(field.whole),
        }
    }
    Ok(out)
}

fn reduced(graph: &[u8], wanted: &[&str]) -> Result<Vec<u8>, DecodeError> {
    let fields = fields(graph)?;
    let mut needed: HashSet<&[u8]> = wanted.iter().map(|name| name.as_bytes()).collect();
    let mut kept = vec![true; fields.len()];
    // A node stands after those that it reads from.
    for (field, kept) in fields.iter().zip(&mut kept).rev() {
        let Some(node) = field.contents.filter(|_| field.number == NODE) else { continue };
        *kept = texts(node, 2)?.iter().any(|output| needed.contains(output));
        if *kept {
            needed.extend(texts(node, 1)?);
        }
    }
    let mut out = Vec::with_capacity(graph.len());
    for (field, is_kept) in fields.iter().zip(kept) {
        let is_wanted = match (field.number, field.contents) {
            (NODE, _) => is_kept,
            (INITIALIZER, Some(tensor)) => texts(tensor, 8)?.iter().any(|name| needed.contains(name)),
            (OUTPUT, Some(output)) => {
                texts(output, 1)?.iter().any(|name| wanted.iter().any(|wanted| wanted.as_bytes() == *name))
            }
            _ => true,
        };
        if is_wanted {
            out.extend_from_slice(field.whole);
        }
    }
    Ok(out)
}

/// One field of a message.
struct Field<'a> {
    number: u32,
    /// With its key.
    whole: &'a [u8],
    /// Of a field with a length.
    contents: Option<&'a [u8]>,
}

fn fields(message: &[u8]) -> Result<Vec<Field<'_>>, DecodeError> {
    let mut rest = message;
    let mut fields = Vec::new();
    while rest.has_remaining() {
        let start = rest;
        let (number, wire) = decode_key(&mut rest)?;
        let mut contents = None;
        if wire == WireType::LengthDelimited {
            let mut after = rest;
            let length = decode_varint(&mut after)?;
            contents = usize::try_from(length).ok().and_then(|length| after.get(..length));
        }
        skip_field(wire, number, &mut rest, DecodeContext::default())?;
        fields.push(Field { number, whole: &start[..start.len() - rest.len()], contents });
    }
    Ok(fields)
}

/// Values of a text field.
fn texts(message: &[u8], number: u32) -> Result<Vec<&[u8]>, DecodeError> {
    let of_number = fields(message)?.into_iter().filter(|field| field.number == number);
    Ok(of_number.filter_map(|field| field.contents).collect())
}

fn write(number: u32, contents: &[u8], out: &mut Vec<u8>) {
    encode_key(number, WireType::LengthDelimited, out);
    encode_varint(contents.len() as u64, out);
    out.extend_from_slice(contents);
}

#[cfg(test)]
mod tests {
    use prost::Message;

    use super::*;
    use crate::{GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto};

    fn node(inputs: &[&str], output: &str) -> NodeProto {
        NodeProto {
            input: inputs.iter().map(|&name| name.to_owned()).collect(),
            output: vec![output.to_owned()],
            name: Some(output.to_owned()),
            op_type: Some("Add".to_owned()),
            ..NodeProto::default()
        }
    }

    fn model() -> ModelProto {
        let tensor = |name: &str| TensorProto { name: Some(name.to_owned()), ..TensorProto::default() };
        let output = |name: &str| ValueInfoProto { name: Some(name.to_owned()), ..ValueInfoProto::default() };
        let graph = GraphProto {
            name: Some("image".to_owned()),
            node: vec![node(&["x", "a"], "f"), node(&["f", "b"], "map"), node(&["f", "a"], "embeds")],
            initializer: vec![tensor("a"), tensor("b")],
            output: vec![output("embeds"), output("map")],
            ..GraphProto::default()
        };
        ModelProto { producer_name: Some("medclip".to_owned()), graph: Some(graph), ..ModelProto::default() }
    }

    fn names(graph: &GraphProto) -> [Vec<&str>; 3] {
        [
            graph.node.iter().filter_map(|node| node.name.as_deref()).collect(),
            graph.initializer.iter().filter_map(|tensor| tensor.name.as_deref()).collect(),
            graph.output.iter().filter_map(|output| output.name.as_deref()).collect(),
        ]
    }

    #[test]
    fn what_only_the_other_output_needs_is_left_out() {
        let whole = model();
        let part = ModelProto::decode(&select(&whole.encode_to_vec(), &["embeds"]).unwrap()[..]).unwrap();
        assert_eq!(part.producer_name, whole.producer_name);
        let graph = part.graph.unwrap();
        assert_eq!(names(&graph), [vec!["f", "embeds"], vec!["a"], vec!["embeds"]]);
        assert_eq!(graph.name.as_deref(), Some("image"));
    }

    #[test]
    fn all_outputs_are_the_whole_model() {
        let bytes = model().encode_to_vec();
        assert_eq!(select(&bytes, &["embeds", "map"]).unwrap(), bytes);
    }

    #[test]
    fn what_is_cut_is_an_error() {
        let bytes = model().encode_to_vec();
        for end in 1..bytes.len() {
            let _no_panic = select(&bytes[..end], &["embeds"]);
        }
        assert!(select(&bytes[..bytes.len() - 1], &["embeds"]).is_err());
        assert!(select(&[0xff; 3], &["embeds"]).is_err());
    }
}
