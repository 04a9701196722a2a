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
    /// No known format.
    #[error("is neither DICOM, JPEG, PNG, TIFF, BMP nor WebP (starts with {})", hex(start))]
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
    /// A file with fewer MCUs, lines or bytes than its header promises.
    #[error("is truncated: {what}")]
    Truncated {
        /// What is missing, in figures where there are some.
        what: String,
    },
    /// A kind of picture without a decoder.
    #[error("is not supported: {what}")]
    Unsupported {
        /// What it has.
        what: String,
    },
    /// Several pages, and nothing that says which is the film.
    #[error("has {pages} pages, of which one has to be chosen by its number")]
    SeveralPages {
        /// How many.
        pages: u32,
    },
    /// A page that is not there.
    #[error("has {pages} {}, number {} was asked for", if *pages == 1 { "page" } else { "pages" }, u64::from(*page) + 1)]
    NoSuchPage {
        /// The page asked for, from 0.
        page: u32,
        /// Pages there are.
        pages: u32,
    },
    /// A window or table was asked for by its number, of a file that is not DICOM.
    #[error("has no {what}, number {} was asked for", index.saturating_add(1))]
    NotNumbered {
        /// `windows` or `VOI LUTs`.
        what: &'static str,
        /// The one asked for, from 0.
        index: usize,
    },
    /// A gzip stream of something else than a DICOM file.
    #[error("is a gzip stream that holds no DICOM file (it starts with {})", hex(start))]
    GzipContent {
        /// The first bytes of what it holds.
        start: Vec<u8>,
    },
    /// The decoder's complaint.
    #[error("is damaged: {0}")]
    Damaged(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The decoder gave up in a way it should not have.
    #[error("is damaged in a way the decoder does not survive")]
    DecoderPanic,
    /// A DICOM file that is damaged or of a kind that is not supported.
    #[cfg(feature = "dicom")]
    #[error(transparent)]
    Dicom(#[from] crate::dicom::Problem),
    /// DICOM, which this build leaves out.
    #[error("is a DICOM file, which this program was built without (feature dicom)")]
    DicomLeftOut,
}

impl Reason {
    /// A short name that stays the same, for tables of what was refused.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Io(_) => "io",
            Self::Directory => "directory",
            Self::Empty => "empty",
            Self::FileTooLarge { .. } => "file_too_large",
            Self::UnknownFormat { .. } => "unknown_format",
            Self::TooManyPixels { .. } => "too_many_pixels",
            Self::TooMuchMemory { .. } => "too_much_memory",
            Self::Truncated { .. } => "truncated",
            Self::Unsupported { .. } => "unsupported",
            Self::SeveralPages { .. } => "several_pages",
            Self::NoSuchPage { .. } => "no_such_page",
            Self::NotNumbered { .. } => "no_such_voi",
            Self::GzipContent { .. } => "gzip_content",
            Self::Damaged(_) => "damaged",
            Self::DecoderPanic => "decoder_panic",
            #[cfg(feature = "dicom")]
            Self::Dicom(problem) => problem.code(),
            Self::DicomLeftOut => "dicom_left_out",
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")
}

fn megapixels(width: u32, height: u32) -> u64 {
    u64::from(width) * u64::from(height) / 1_000_000
}
