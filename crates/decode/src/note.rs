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
}

impl Note {
    /// A short name that stays the same, for tables.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoPreamble => "no_preamble",
            Self::NoTransferSyntax => "no_transfer_syntax",
            Self::PolarityDisagrees => "polarity_disagrees",
        }
    }
}
