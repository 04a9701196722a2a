//! What files are that hold no weights.

use std::fmt;

/// What a file is instead of weights.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Foreign {
    /// Nothing.
    Empty,
    /// The note that Git LFS leaves in place of a large file.
    GitLfsPointer {
        /// Bytes of the file it stands for, where it says so.
        size: Option<u64>,
    },
    /// A page of a web site.
    WebPage,
    /// XML, as stores of files answer with.
    Xml,
    /// JSON that lists no shards.
    Json {
        /// How it starts.
        start: String,
    },
    /// A few words.
    Text {
        /// How it starts.
        start: String,
    },
    /// A graph in ONNX.
    Onnx,
    /// Weights for llama.cpp.
    Gguf,
    /// HDF5, as Keras and TensorFlow write weights.
    Hdf5,
    /// A graph of TensorFlow.
    SavedModel,
    /// A graph of TensorFlow Lite.
    TfLite,
    /// msgpack, as Flax writes weights.
    MsgPack,
    /// An array of `NumPy`.
    NumPy,
    /// Compressed by this program.
    Compressed(&'static str),
    /// A tar archive.
    Tar,
    /// A pickle that `torch.save` did not write.
    BarePickle,
    /// A zip archive that `torch.save` did not write.
    Zip {
        /// Names of some of its members.
        members: Vec<String>,
    },
    /// A directory.
    Directory {
        /// Files of weights in it.
        weights: Vec<String>,
    },
}

impl fmt::Display for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SAVE: &str = "save the model's state dictionary as safetensors or with torch.save";
        match self {
            Self::Empty => f.write_str("the file is empty; fetch it again"),
            Self::GitLfsPointer { size } => {
                f.write_str("the file is a Git LFS pointer")?;
                if let Some(size) = size {
                    write!(f, " that stands for {size} bytes")?;
                }
                f.write_str("; fetch the weights themselves with `git lfs pull`")
            }
            Self::WebPage => f.write_str(
                "the file is a web page (HTML), not weights; fetch the file itself, which may need a login",
            ),
            Self::Xml => {
                f.write_str("the file is XML, as a server sends instead of a file; fetch the weights again")
            }
            Self::Json { start } => {
                write!(
                    f,
                    "the file is JSON and lists no shards of weights (`{start}`); fetch the weights themselves"
                )
            }
            Self::Text { start } => write!(
                f,
                "the file is text (`{start}`), not weights; name the file of weights, or fetch it again"
            ),
            Self::Onnx => {
                write!(
                    f,
                    "the file is an ONNX graph; weights are read from PyTorch and safetensors files: {SAVE}"
                )
            }
            Self::Gguf => write!(f, "the file is in GGUF format, which is not read; {SAVE}"),
            Self::Hdf5 => write!(f, "the file is HDF5 (Keras or TensorFlow), which is not read; {SAVE}"),
            Self::SavedModel => write!(f, "the file is a TensorFlow graph, which is not read; {SAVE}"),
            Self::TfLite => write!(f, "the file is a TensorFlow Lite graph, which is not read; {SAVE}"),
            Self::MsgPack => write!(f, "the file is msgpack (Flax), which is not read; {SAVE}"),
            Self::NumPy => write!(f, "the file is an array of NumPy, which is not read; {SAVE}"),
            Self::Compressed(by) => write!(f, "the file is compressed by {by}; unpack it first"),
            Self::Tar => f.write_str("the file is a tar archive; unpack it first"),
            Self::BarePickle => write!(f, "the file is a pickle that torch.save did not write; {SAVE}"),
            Self::Zip { members } if members.iter().any(|name| name.rsplit('.').next() == Some("npy")) => {
                write!(f, "the file holds arrays of NumPy (npz), which are not read; {SAVE}")
            }
            Self::Zip { members } if members.is_empty() => f.write_str("the file is an empty zip archive"),
            Self::Zip { members } => write!(
                f,
                "the file is a zip archive that torch.save did not write (it holds {}); unpack it and name the file of \
                 weights in it",
                members.join(", ")
            ),
            Self::Directory { weights } if weights.is_empty() => {
                f.write_str("is a directory without a file of weights; name the file of weights")
            }
            Self::Directory { weights } => {
                write!(f, "is a directory; name the file of weights in it: {}", weights.join(" or "))
            }
        }
    }
}
