//! Errors of reading tensors.

mod foreign;
mod pickle;

use std::path::PathBuf;

use thiserror::Error;

use crate::element::ElementType;

pub use foreign::Foreign;
pub use pickle::PickleFault;

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
    /// Something else, which is known.
    #[error("{0}")]
    Foreign(Foreign),
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
    #[error("the file holds no state dictionary, but {0}; save the model's state_dict()")]
    NoStateDictionary(&'static str),
    /// Several dictionaries of tensors, none of which is known to be the model's.
    #[error("the file holds weights under {}; say which part to take", quoted(.0))]
    SeveralParts(Vec<String>),
    /// No tensor lies under the part that was asked for.
    #[error("the file holds nothing under `{part}`; its parts are {}", quoted(has))]
    NoSuchPart {
        /// What was asked for.
        part: String,
        /// What there is.
        has: Vec<String>,
    },
    /// A list of shards that does not fit them.
    #[error("the list of shards is damaged: {0}")]
    Index(String),
    /// A shard that the list names is not beside it.
    #[error("{shard}, which it lists, is missing; put all {count} shards beside the list")]
    NoShard {
        /// Name of the shard.
        shard: String,
        /// How many there are.
        count: usize,
    },
    /// One of several files that make a model, alone.
    #[error("the file is one of {count} shards and holds no whole model; name {index} or all of the shards")]
    OneShard {
        /// How many there are.
        count: usize,
        /// Name of the list of shards.
        index: String,
    },
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
    Values(std::io::Error),
    /// Its storage states more bytes than there are.
    #[error("its storage states {stated} bytes, the whole file has {actual}; refused")]
    Oversized {
        /// Bytes that are stated.
        stated: u64,
        /// Bytes of the file.
        actual: u64,
    },
    /// Tensors that show the same elements over and over.
    #[error(
        "the tensors up to this one have {stated} elements in all, but their storages hold {actual}: they repeat each other; refused"
    )]
    Repeated {
        /// Elements of the tensors.
        stated: u64,
        /// Elements of all storages.
        actual: u64,
    },
    /// Another file holds a tensor of the same name.
    #[error("is also in {}", .0.display())]
    Twice(PathBuf),
}

/// `a`, `b` and `c`.
fn quoted(parts: &[String]) -> String {
    let parts: Vec<String> = parts.iter().map(|part| format!("`{part}`")).collect();
    match parts.as_slice() {
        [] => "none".to_owned(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}
