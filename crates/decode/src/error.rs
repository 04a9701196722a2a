//! Why an image was refused.

use std::path::PathBuf;

use thiserror::Error;

/// A file that gave no image.
#[derive(Debug, Error)]
#[error("{}: {reason}", path.display())]
pub struct DecodeError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub reason: Reason,
}

/// What is wrong with a file.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Reason {
    /// The system could not read it.
    #[error("{0}")]
    Io(std::io::Error),
    /// A directory.
    #[error("is a directory")]
    Directory,
    /// No bytes.
    #[error("is empty")]
    Empty,
    /// Larger than the limit.
    #[error("has {bytes} bytes, the limit is {limit}")]
    FileTooLarge {
        /// Size of the file.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
    /// Neither JPEG nor PNG.
    #[error("is neither JPEG nor PNG (starts with {})", hex(start))]
    UnknownFormat {
        /// The first bytes.
        start: Vec<u8>,
    },
    /// More pixels than the limit.
    #[error("is {width}×{height}, {} megapixels; the limit is {}", megapixels(*width, *height), limit / 1_000_000)]
    TooManyPixels {
        /// Columns.
        width: u32,
        /// Rows.
        height: u32,
        /// Most pixels allowed.
        limit: u64,
    },
    /// More memory for samples than the limit.
    #[error("needs more than {limit} bytes for its samples")]
    TooMuchMemory {
        /// Most bytes allowed.
        limit: u64,
    },
    /// A JPEG that stops early.
    #[error("is truncated: the JPEG has no end-of-image marker")]
    Truncated,
    /// The decoder's complaint.
    #[error("is damaged: {0}")]
    Damaged(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The decoder gave up in a way it should not have.
    #[error("is damaged in a way the decoder does not survive")]
    DecoderPanic,
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")
}

fn megapixels(width: u32, height: u32) -> u64 {
    u64::from(width) * u64::from(height) / 1_000_000
}
