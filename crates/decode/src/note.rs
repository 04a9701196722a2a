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
    /// Elements in another encoding than the transfer syntax states.
    #[error(
        "the DICOM data set or a part of it is not encoded as the transfer syntax says; it was read as it is encoded"
    )]
    EncodingDiffers,
    /// A delimiter of an item or sequence too many or too few.
    #[error("a delimiter of a DICOM sequence is missing or stands where none belongs")]
    StrayDelimiter,
    /// Bytes at the end of an item that are no element.
    #[error("an item of a DICOM sequence ends in bytes that are no element; they were left out")]
    StrayBytes,
    /// An element without a valid value representation where the encoding has one.
    #[error("element {tag} has no valid value representation; its length was judged by what follows")]
    Representation {
        /// Group and element, as (0028,0010).
        tag: String,
    },
    /// An element whose length is not that of its value.
    #[error("element {tag} states a wrong length; it was judged by what follows")]
    WrongLength {
        /// Group and element.
        tag: String,
    },
    /// A sequence that cannot be read. The picture does without.
    #[error("sequence {tag} cannot be read and was left out")]
    SequenceSkipped {
        /// Group and element.
        tag: String,
    },
    /// An element that is there twice.
    #[error("element {tag} occurs more than once with different values; the first was used")]
    Repeated {
        /// Group and element.
        tag: String,
    },
    /// An attribute that the picture does not need and that has no possible value.
    #[error("{attribute} is unusable and was left out{}", quoted(value))]
    AttributeIgnored {
        /// Its keyword.
        attribute: &'static str,
        /// Its value.
        value: String,
    },
    /// An attribute that the picture needs and that is missing or has no possible value.
    #[error("{attribute} is missing or unusable{}; {assumed} was assumed", quoted(value))]
    AttributeAssumed {
        /// Its keyword.
        attribute: &'static str,
        /// Its value, empty if it has none.
        value: String,
        /// The value in its place.
        assumed: String,
    },
    /// A number with a decimal comma.
    #[error("{attribute} {value:?} has a decimal comma, which was read as a point")]
    DecimalComma {
        /// Its keyword.
        attribute: &'static str,
        /// Its value.
        value: String,
    },
    /// Windows that map nothing or are not complete.
    #[error("the window list is malformed: {usable} of {written} windows can be used; {}", shown(*used))]
    Windows {
        /// Windows in the list.
        written: usize,
        /// Windows that can be used.
        usable: usize,
        /// The number of the one that was, from 1.
        used: Option<usize>,
    },
    /// A VOI LUT that cannot be applied, beside a window that can.
    #[error("{what}; the window was used instead")]
    TableIgnored {
        /// What is wrong with it.
        what: String,
    },
    /// A lookup table with fewer entries than it promises, none of which the frame needs.
    #[error("the {table} has {actual} of the {promised} entries that it states; the frame needs no others")]
    TableShort {
        /// Which table.
        table: &'static str,
        /// Entries it states.
        promised: usize,
        /// Entries there are.
        actual: usize,
    },
    /// A lookup table that was scaled by the bits of its entries.
    #[error("the {table} states {declared} bits an entry, its entries use {used}; it was scaled by those")]
    LutBits {
        /// Which table.
        table: &'static str,
        /// Bits by its descriptor.
        declared: u16,
        /// Bits of its largest entry.
        used: u16,
    },
    /// A character set without a decoder.
    #[error("SpecificCharacterSet has {value:?}, which is unknown")]
    CharacterSetUnknown {
        /// Its value.
        value: String,
    },
    /// Text with bytes that its character set does not have.
    #[error("{attribute} has bytes that its character set does not have; they are written as \\xHH")]
    TextEscaped {
        /// Its keyword.
        attribute: &'static str,
    },
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

fn quoted(value: &str) -> String {
    if value.is_empty() { String::new() } else { format!(" ({value:?})") }
}

fn shown(window: Option<usize>) -> String {
    window.map_or_else(|| "none was".to_owned(), |number| format!("number {number} was"))
}

impl Note {
    /// A short name that stays the same, for tables.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoPreamble => "no_preamble",
            Self::NoTransferSyntax => "no_transfer_syntax",
            Self::PolarityDisagrees => "polarity_disagrees",
            Self::EncodingDiffers => "encoding_differs",
            Self::StrayDelimiter => "stray_delimiter",
            Self::StrayBytes => "stray_bytes",
            Self::Representation { .. } => "unknown_representation",
            Self::WrongLength { .. } => "wrong_length",
            Self::SequenceSkipped { .. } => "sequence_skipped",
            Self::Repeated { .. } => "repeated_element",
            Self::AttributeIgnored { .. } => "attribute_ignored",
            Self::AttributeAssumed { .. } => "attribute_assumed",
            Self::DecimalComma { .. } => "decimal_comma",
            Self::Windows { .. } => "windows_malformed",
            Self::TableIgnored { .. } => "table_ignored",
            Self::TableShort { .. } => "table_short",
            Self::LutBits { .. } => "lut_bits",
            Self::CharacterSetUnknown { .. } => "character_set_unknown",
            Self::TextEscaped { .. } => "text_escaped",
            Self::IncompleteScans => "incomplete_scans",
            Self::NoEndMarker => "no_end_marker",
            Self::ScanParameters => "scan_parameters",
            Self::SurplusData { .. } => "surplus_data",
            Self::UnusedBits { .. } => "unused_bits",
        }
    }
}
