//! Files that people take for weights, by their first bytes.

use std::fmt;

/// Bytes that are looked at.
pub(super) const HEAD: usize = 512;
/// Text beyond this many bytes is no message of a server.
const LONGEST_MESSAGE: u64 = 1 << 12;
/// Characters of a message that are quoted.
const QUOTED: usize = 48;

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

/// What a file of `len` bytes is that starts with `head`, when that is known not to be weights.
pub(super) fn sniff(head: &[u8], len: u64) -> Option<Foreign> {
    if head.is_empty() {
        return Some(Foreign::Empty);
    }
    for (magic, kind) in [
        (&b"GGUF"[..], Foreign::Gguf),
        (b"\x89HDF\r\n\x1a\n", Foreign::Hdf5),
        (b"\x93NUMPY", Foreign::NumPy),
        (b"\x1f\x8b", Foreign::Compressed("gzip")),
        (b"\x28\xb5\x2f\xfd", Foreign::Compressed("zstd")),
        (b"\xfd7zXZ\0", Foreign::Compressed("xz")),
        (b"BZh", Foreign::Compressed("bzip2")),
        (b"7z\xbc\xaf\x27\x1c", Foreign::Compressed("7-Zip")),
        (b"Rar!\x1a\x07", Foreign::Compressed("RAR")),
    ] {
        if head.starts_with(magic) {
            return Some(kind);
        }
    }
    if head.get(257..262) == Some(b"ustar") {
        return Some(Foreign::Tar);
    }
    if head.get(4..8) == Some(b"TFL3") {
        return Some(Foreign::TfLite);
    }
    text(head, len).or_else(|| protobuf(head)).or_else(|| msgpack(head))
}

/// Text starts with text: as the length of a header of safetensors it would be beyond every file.
fn text(head: &[u8], len: u64) -> Option<Foreign> {
    let bytes = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let is_text = |byte: &u8| matches!(byte, b'\t' | b'\n' | b'\r' | b' '..=b'~' | 0x80..);
    if !bytes.iter().take(16).all(is_text) || bytes.first().is_none_or(|byte| *byte >= 0x80) {
        return None;
    }
    let whole = String::from_utf8_lossy(bytes);
    let trimmed = whole.trim_start();
    let lower = trimmed.to_ascii_lowercase();
    let quote = || trimmed.chars().filter(|c| !c.is_control()).take(QUOTED).collect::<String>();
    if lower.starts_with("version https://git-lfs") || lower.starts_with("version https://hawser") {
        let size = trimmed.lines().find_map(|line| line.strip_prefix("size ")?.trim().parse().ok());
        return Some(Foreign::GitLfsPointer { size });
    }
    if ["<!doctype html", "<html", "<head", "<body", "<!--"].iter().any(|start| lower.starts_with(start)) {
        return Some(Foreign::WebPage);
    }
    if lower.starts_with("<?xml") || lower.starts_with("<error") {
        return Some(if lower.contains("<html") { Foreign::WebPage } else { Foreign::Xml });
    }
    if trimmed.starts_with(['{', '[']) {
        return Some(Foreign::Json { start: quote() });
    }
    let is_short = len <= LONGEST_MESSAGE && bytes.iter().all(is_text) && trimmed.contains(' ');
    is_short.then(|| Foreign::Text { start: quote() })
}

/// The first fields of a message: the version of ONNX's intermediate representation and what follows it there, or the
/// version of a saved model and its first graph.
fn protobuf(head: &[u8]) -> Option<Foreign> {
    match head {
        [0x08, 1, 0x12, ..] => Some(Foreign::SavedModel),
        [0x08, 1..=30, 0x12 | 0x1a | 0x22 | 0x28 | 0x32 | 0x3a | 0x42, ..] => Some(Foreign::Onnx),
        _ => None,
    }
}

/// A map whose first key is a string.
fn msgpack(head: &[u8]) -> Option<Foreign> {
    let ([0x81..=0x8f, key, ..] | [0xde, _, _, key, ..] | [0xdf, _, _, _, _, key, ..]) = head else {
        return None;
    };
    matches!(key, 0xa0..=0xbf | 0xd9..=0xdb).then_some(Foreign::MsgPack)
}
