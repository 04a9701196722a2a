//! What is unusual about a file that was read nevertheless.

use thiserror::Error;

/// Something unusual in a file that was read nevertheless. It displays as a sentence for people; [`Note::code`] is for tables.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Note {
    /// The file starts with its data set.
    #[error("the DICOM file has no preamble")]
    NoPreamble,
    /// The encoding was taken from the first element.
    #[error("the DICOM file does not state its transfer syntax; it was taken from the first element")]
    NoTransferSyntax,
    /// The two attributes that may turn black and white disagree; `MONOCHROME1` was believed.
    #[error("PhotometricInterpretation and PresentationLUTShape disagree; MONOCHROME1 was believed")]
    PolarityDisagrees,
    // Of compressed data and of pictures that are not DICOM.
    /// A progressive JPEG whose last scans are missing.
    #[error("the progressive JPEG lacks its last scans; fine detail is missing")]
    IncompleteScans,
    /// A JPEG or PNG with all of its data and no end marker.
    #[error("the file or frame has no end marker; all of its data is there")]
    NoEndMarker,
    /// A sequential scan with parameters that only other scans have.
    #[error("the JPEG's scan header has parameters that a sequential scan cannot have; they were ignored")]
    ScanParameters,
    /// Data that no pixel needs.
    #[error("the JPEG has {bytes} bytes of data that no pixel needs")]
    SurplusData {
        /// How many.
        bytes: usize,
    },
    /// Samples that use fewer bits than they have.
    #[error("the image has 16-bit samples that use {used} bits; it was scaled by those")]
    UnusedBits {
        /// Bits that the highest sample takes.
        used: u32,
    },
}

impl Note {
    /// A short name that stays the same, for tables.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoPreamble => "no_preamble",
            Self::NoTransferSyntax => "no_transfer_syntax",
            Self::PolarityDisagrees => "polarity_disagrees",
            Self::IncompleteScans => "incomplete_scans",
            Self::NoEndMarker => "no_end_marker",
            Self::ScanParameters => "scan_parameters",
            Self::SurplusData { .. } => "surplus_data",
            Self::UnusedBits { .. } => "unused_bits",
        }
    }
}
