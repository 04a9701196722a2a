//! The formats, and what every one of them comes down to.

mod archive;
mod legacy;
mod safetensors;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};

use crate::element::ElementType;
use crate::error::{FileFault, TensorFault};
use crate::pickle::{Pickle, PickleFault};
use crate::view::View;

use archive::Archive;

/// Tensors by name, the storages they are windows on, and where those lie.
pub(crate) struct Contents {
    pub(crate) tensors: BTreeMap<String, View>,
    pub(crate) storages: Vec<Storage>,
    pub(crate) container: Container,
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
    Plain(BufReader<File>),
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

/// Reads everything but the values.
pub(crate) fn open(file: File) -> Result<Contents, OpenFault> {
    let len = file.metadata().map_err(PickleFault::Read)?.len();
    let mut file = BufReader::new(file);
    let mut head = [0; legacy::MAGIC.len()];
    let mut filled = Vec::new();
    file.by_ref().take(head.len() as u64).read_to_end(&mut filled).map_err(PickleFault::Read)?;
    for (to, from) in head.iter_mut().zip(&filled) {
        *to = *from;
    }
    file.rewind().map_err(PickleFault::Read)?;
    match head {
        [b'P', b'K', 3, 4, ..] => archive::open(file),
        legacy::MAGIC => legacy::open(file, len),
        [_, _, _, _, _, _, _, _, b'{', ..] => safetensors::open(file, len),
        // A pickle that `torch.save` did not write: worth saying what it would do.
        [0x80, 0..=5, ..] => {
            Pickle::read(&mut file)?;
            Err(FileFault::Unknown.into())
        }
        _ => Err(FileFault::Unknown.into()),
    }
}
