//! Values of a graph and their types.

use std::marker::PhantomData;

use half::f16;

use medclip_onnx::{
    DataType, DimensionProto, DimensionValue, TensorShapeProto, TensorTypeProto, TypeProto, ValueInfoProto,
};

/// An element type ONNX knows.
pub(crate) trait Element: Copy {
    /// Its number in the format.
    const DATA_TYPE: DataType;

    /// Appends the element as `raw_data` wants it, little-endian.
    fn append_to(self, bytes: &mut Vec<u8>);
}

impl Element for f32 {
    const DATA_TYPE: DataType = DataType::Float;

    fn append_to(self, bytes: &mut Vec<u8>) {
        bytes.extend(self.to_le_bytes());
    }
}

impl Element for f16 {
    const DATA_TYPE: DataType = DataType::Float16;

    fn append_to(self, bytes: &mut Vec<u8>) {
        bytes.extend(self.to_le_bytes());
    }
}

impl Element for i64 {
    const DATA_TYPE: DataType = DataType::Int64;

    fn append_to(self, bytes: &mut Vec<u8>) {
        bytes.extend(self.to_le_bytes());
    }
}

/// A tensor flowing through the graph, with elements `T` and `RANK` axes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Value<T, const RANK: usize> {
    id: ValueId,
    element: PhantomData<T>,
}

impl<T, const RANK: usize> Value<T, RANK> {
    pub(super) const fn new(id: ValueId) -> Self {
        Self { id, element: PhantomData }
    }

    /// The value without its type, as a node's input.
    pub(crate) const fn id(self) -> ValueId
    where
        T: Copy,
    {
        self.id
    }
}

/// Which value of its graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ValueId(pub(super) usize);

/// Size of an axis of an input or output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dimension {
    /// Known now.
    Fixed(usize),
    /// Known when the graph runs; equal symbols are equal sizes.
    Symbol(&'static str),
}

pub(crate) fn info<T: Element>(name: &str, shape: &[Dimension], doc: &str) -> ValueInfoProto {
    let dim = |dimension: &Dimension| DimensionProto {
        value: Some(match *dimension {
            Dimension::Fixed(size) => DimensionValue::Size(size as i64),
            Dimension::Symbol(name) => DimensionValue::Symbol(name.to_owned()),
        }),
    };
    let tensor_type = TensorTypeProto {
        elem_type: Some(T::DATA_TYPE as i32),
        shape: Some(TensorShapeProto { dim: shape.iter().map(dim).collect() }),
    };
    ValueInfoProto {
        name: Some(name.to_owned()),
        r#type: Some(TypeProto { tensor_type: Some(tensor_type) }),
        doc_string: Some(doc.to_owned()),
    }
}
