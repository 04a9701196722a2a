//! Errors of reading tensors.

use std::path::PathBuf;

use thiserror::Error;

use crate::element::ElementType;
use crate::pickle::PickleFault;

/// Why tensors could not be read: always the file, the tensor where it is one's fault, and the reason.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TensorFileError {
    /// The system does not give the file.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file as a whole is unusable.
    #[error("{}: {fault}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        fault: FileFault,
    },
    /// One tensor is unusable.
    #[error("{}: tensor {name}: {fault}", path.display())]
    Tensor {
        /// The file.
        path: PathBuf,
        /// The tensor.
        name: String,
        /// What is wrong with it.
        fault: TensorFault,
    },
}

/// What is wrong with a file.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FileFault {
    /// None of the formats that hold tensors.
    #[error("neither a safetensors nor a PyTorch file")]
    Unknown,
    /// It ends before what it announces.
    #[error("the file is cut short: {0}")]
    CutShort(String),
    /// It contradicts itself.
    #[error("the file is damaged: {0}")]
    Damaged(String),
    /// Written on a machine of the other byte order.
    #[error("the file is big-endian; load and save it on a little-endian machine")]
    BigEndian,
    /// A compiled program instead of weights.
    #[error("the file is a TorchScript program; save its state_dict() instead")]
    TorchScript,
    /// A pickle that is refused.
    #[error(transparent)]
    Pickle(#[from] PickleFault),
    /// The pickle describes something else than a state dictionary.
    #[error("the file holds no state dictionary, but {0}")]
    NoStateDictionary(&'static str),
    /// A compressed part that would grow beyond reason.
    #[error("{entry} states {size} bytes, compressed to {compressed}; refused")]
    Bomb {
        /// Part of the archive.
        entry: String,
        /// Its stated size.
        size: u64,
        /// Its compressed size.
        compressed: u64,
    },
}

/// What is wrong with a tensor.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TensorFault {
    /// No tensor of that name.
    #[error("is not in the file")]
    Absent,
    /// Integers where real numbers are needed.
    #[error("holds {0}, which are not real numbers")]
    NotReal(ElementType),
    /// A type that is not read.
    #[error("holds {0}, which is not supported")]
    Unsupported(String),
    /// It reaches beyond its storage, or is larger than that.
    #[error(
        "shape {shape:?} with strides {strides:?} from element {offset} leaves its storage of {count} elements"
    )]
    OutOfBounds {
        /// Sizes.
        shape: Vec<usize>,
        /// Steps in elements.
        strides: Vec<usize>,
        /// First element.
        offset: usize,
        /// Elements there are.
        count: usize,
    },
    /// Its bytes cannot be read, or their checksum is wrong.
    #[error("its values cannot be read: {0}")]
    Values(#[source] std::io::Error),
}
