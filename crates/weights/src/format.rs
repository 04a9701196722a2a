//! The formats, and what every one of them comes down to.

mod archive;
mod foreign;
mod legacy;
mod safetensors;

use std::collections::BTreeMap;
use std::io::{self, BufReader, Read, Seek, SeekFrom};

use crate::element::ElementType;
use crate::error::{FileFault, Foreign, PickleFault, TensorFault};
use crate::note::OtherWeights;
use crate::pickle::Pickle;
use crate::source::Source;
use crate::state::Selected;
use crate::view::View;

use archive::Archive;

/// Tensors by name, the storages they are windows on, and where those lie.
pub(crate) struct Contents {
    pub(crate) tensors: BTreeMap<String, View>,
    pub(crate) choice: Choice,
    pub(crate) storages: Vec<Storage>,
    pub(crate) container: Container,
}

/// Which dictionary of a file was taken.
#[derive(Default)]
pub(crate) struct Choice {
    /// The dictionary; empty for the outermost.
    pub(crate) taken: String,
    pub(crate) averaged: bool,
    pub(crate) others: Vec<OtherWeights>,
    /// Whether `taken` is the part that was asked for.
    pub(crate) asked: bool,
}

impl Selected {
    fn split(self) -> (BTreeMap<String, View>, Choice) {
        let Self { tensors, taken, averaged, others, asked } = self;
        (tensors, Choice { taken, averaged, others, asked })
    }
}

/// A run of elements in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Storage {
    pub(crate) element: ElementType,
    pub(crate) count: usize,
    /// First byte in a plain file, index of the entry in an archive.
    pub(crate) place: u64,
}

/// What holds the storages.
pub(crate) enum Container {
    Plain(BufReader<Source>),
    Archive(Archive),
}

impl Container {
    /// The values of `view`, which was checked to lie within `storage`.
    pub(crate) fn read(&mut self, storage: &Storage, view: &View) -> io::Result<Vec<f32>> {
        let start = (view.span().start * storage.element.size()) as u64;
        match self {
            Self::Plain(file) => {
                file.seek(SeekFrom::Start(storage.place + start))?;
                view.read(storage.element, file)
            }
            Self::Archive(archive) => {
                archive.read(storage, start, |reader| view.read(storage.element, reader))
            }
        }
    }
}

/// Why a file could not be opened: as a whole, or for one tensor.
pub(crate) enum OpenFault {
    File(FileFault),
    Tensor(String, TensorFault),
}

impl<T: Into<FileFault>> From<T> for OpenFault {
    fn from(fault: T) -> Self {
        Self::File(fault.into())
    }
}

/// Reads everything but the values; of a file of several dictionaries the one called `part`, or the model's.
pub(crate) fn open(source: Source, part: Option<&str>) -> Result<Contents, OpenFault> {
    let len = source.len().map_err(PickleFault::Read)?;
    let mut file = BufReader::new(source);
    let mut head = Vec::new();
    file.by_ref().take(foreign::HEAD as u64).read_to_end(&mut head).map_err(PickleFault::Read)?;
    file.rewind().map_err(PickleFault::Read)?;
    match head.as_slice() {
        [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => return archive::open(file, len, part),
        head if head.starts_with(&legacy::MAGIC) => return legacy::open(file, len, part),
        _ => {}
    }
    if let Some(foreign) = foreign::sniff(&head, len) {
        return Err(FileFault::Foreign(foreign).into());
    }
    match head.as_slice() {
        [_, _, _, _, _, _, _, _, b'{', ..] => safetensors::open(file, len),
        // A pickle that `torch.save` did not write: worth saying what it would do.
        [0x80, 0..=5, ..] => {
            Pickle::read(&mut file)?;
            Err(FileFault::Foreign(Foreign::BarePickle).into())
        }
        _ => Err(FileFault::Unknown.into()),
    }
}
