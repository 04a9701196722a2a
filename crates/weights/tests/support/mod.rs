//! Files as `torch.save` writes them, made here.

#![allow(dead_code, reason = "a module of several test binaries")]

pub mod random;

use std::io::{Cursor, Write};

use safetensors::Dtype;
use safetensors::tensor::TensorView;
use zip::write::{SimpleFileOptions, ZipWriter};

/// What a checkpoint holds.
#[derive(Clone)]
pub enum Node {
    /// Two single-precision numbers: this one and 0.
    Tensor(f32),
    Dict(Vec<(&'static str, Node)>),
    Int(u8),
    /// `argparse.Namespace` with an attribute.
    Settings,
    /// This pickle of a value.
    Raw(&'static [u8]),
}

pub fn dict(entries: &[(&'static str, Node)]) -> Node {
    Node::Dict(entries.to_vec())
}

/// A state dictionary of two tensors, the first of which starts with `value`.
pub fn model(value: f32) -> Node {
    dict(&[("linear.weight", Node::Tensor(value)), ("linear.bias", Node::Tensor(0.5))])
}

/// A pickle, and the first number of every storage.
struct Writer {
    pickle: Vec<u8>,
    values: Vec<f32>,
}

impl Writer {
    fn of(root: &Node) -> Self {
        let mut writer = Self { pickle: b"\x80\x02".to_vec(), values: Vec::new() };
        writer.node(root);
        writer.pickle.push(b'.');
        writer
    }

    fn text(&mut self, text: &str) {
        self.pickle.push(b'X');
        self.pickle.extend((text.len() as u32).to_le_bytes());
        self.pickle.extend(text.as_bytes());
    }

    fn node(&mut self, node: &Node) {
        match node {
            Node::Tensor(value) => {
                self.pickle.extend(b"ctorch._utils\n_rebuild_tensor_v2\n((");
                self.text("storage");
                self.pickle.extend(b"ctorch\nFloatStorage\n");
                self.text(&self.values.len().to_string());
                self.text("cpu");
                self.pickle.extend(b"K\x02tQK\x00K\x02\x85K\x01\x85\x89ccollections\nOrderedDict\n)RtR");
                self.values.push(*value);
            }
            Node::Dict(entries) => {
                self.pickle.extend(b"}(");
                for (key, value) in entries {
                    self.text(key);
                    self.node(value);
                }
                self.pickle.push(b'u');
            }
            Node::Int(value) => self.pickle.extend([b'K', *value]),
            Node::Raw(pickle) => self.pickle.extend(*pickle),
            Node::Settings => {
                self.pickle.extend(b"cargparse\nNamespace\n)\x81}");
                self.text("lr");
                self.pickle.extend(b"K\x01sb");
            }
        }
    }
}

/// The zip archive of PyTorch since 1.6.
pub fn archive(root: &Node) -> Vec<u8> {
    let Writer { pickle, values } = Writer::of(root);
    let options = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let storages = values.iter().map(|value| [value.to_le_bytes(), [0; 4]].concat()).enumerate();
    let storages = storages.map(|(index, bytes)| (format!("a/data/{index}"), bytes));
    for (name, bytes) in [("a/data.pkl".to_owned(), pickle)].into_iter().chain(storages) {
        zip.start_file(name, options).unwrap();
        zip.write_all(&bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// The format before that.
pub fn legacy(root: &Node) -> Vec<u8> {
    let Writer { pickle, values } = Writer::of(root);
    let mut file = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80\x02}.".to_vec();
    file.extend(&pickle);
    file.extend(b"\x80\x02](");
    for index in 0..values.len() {
        let key = index.to_string();
        file.push(b'X');
        file.extend((key.len() as u32).to_le_bytes());
        file.extend(key.as_bytes());
    }
    file.extend(b"e.");
    for value in values {
        file.extend(2_u64.to_le_bytes());
        file.extend(value.to_le_bytes());
        file.extend([0; 4]);
    }
    file
}

/// A safetensors file of tensors of two numbers.
pub fn safetensors(tensors: &[(&str, f32)]) -> Vec<u8> {
    let data: Vec<Vec<u8>> =
        tensors.iter().map(|(_, value)| [value.to_le_bytes(), [0; 4]].concat()).collect();
    let view = |data| TensorView::new(Dtype::F32, vec![2], data).unwrap();
    let views = tensors.iter().zip(&data).map(|((name, _), data)| (*name, view(data)));
    safetensors::serialize(views, None).unwrap()
}
