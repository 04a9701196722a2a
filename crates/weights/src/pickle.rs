//! A machine for the pickles of state dictionaries that calls nothing.

mod global;
mod input;
mod machine;
mod opcode;

use std::collections::BTreeMap;
use std::io::Read;

use crate::element::ElementType;
use crate::error::PickleFault;
use crate::view::View;

pub(crate) use global::Global;

/// Place of a value among all values of a pickle.
pub(crate) type Id = usize;

/// A value. Values refer to each other by place, so that neither depth nor cycles matter.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    None,
    Bool(bool),
    Int(i64),
    Text(String),
    Tuple(Vec<Id>),
    List(Vec<Id>),
    Dict(Vec<(Id, Id)>),
    Global(Global),
    /// Index into [`Pickle::storages`].
    Storage(usize),
    Tensor(View),
    /// Something that no tensor is made of: a float, bytes, a device.
    Other,
}

impl Value {
    /// What it is, in words.
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::None => "None",
            Self::Bool(_) | Self::Int(_) | Self::Other => "a number or another plain value",
            Self::Text(_) => "a string",
            Self::Tuple(_) => "a tuple",
            Self::List(_) => "a list",
            Self::Dict(_) => "a dictionary",
            Self::Global(_) => "a function or class",
            Self::Storage(_) => "a storage",
            Self::Tensor(_) => "a single tensor",
        }
    }
}

/// Raw elements that tensors share, kept outside the pickle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StorageRef {
    pub(crate) key: String,
    pub(crate) element: ElementType,
    pub(crate) count: usize,
}

/// A pickle that has been read.
#[derive(Debug)]
pub(crate) struct Pickle {
    values: Vec<Value>,
    root: Id,
    pub(crate) storages: Vec<StorageRef>,
}

impl Pickle {
    /// Reads up to and with the operation that ends a pickle.
    pub(crate) fn read(reader: &mut impl Read) -> Result<Self, PickleFault> {
        machine::run(reader)
    }

    /// The value the pickle stands for.
    pub(crate) fn root(&self) -> &Value {
        self.value(self.root)
    }

    pub(crate) fn value(&self, id: Id) -> &Value {
        self.values.get(id).unwrap_or(&Value::None)
    }

    /// Place of the value the pickle stands for.
    pub(crate) const fn root_id(&self) -> Id {
        self.root
    }

    /// The entries of a dictionary whose keys are strings; of equal keys the last counts, as in Python.
    pub(crate) fn entries_of(&self, dictionary: Id) -> BTreeMap<&str, Id> {
        let Value::Dict(pairs) = self.value(dictionary) else { return BTreeMap::new() };
        let named = |(key, value): &(Id, Id)| match self.value(*key) {
            Value::Text(key) => Some((key.as_str(), *value)),
            _ => None,
        };
        pairs.iter().filter_map(named).collect()
    }
}
