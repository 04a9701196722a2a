//! Why a DICOM file gave no image.

use dicom_core::Tag;
use thiserror::Error;

/// What is wrong with, or not supported in, a DICOM file. Attributes go by their keyword in the standard.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Problem {
    /// An element that says it is longer than what is left of the file.
    #[error("element {tag} says it has {declared} bytes, {available} are left")]
    Overrun {
        /// Group and element, as (0028,0010).
        tag: String,
        /// Bytes it says it has.
        declared: u64,
        /// Bytes that follow.
        available: u64,
    },
    /// The file stops inside an element's header or a sequence.
    #[error("stops at byte {at}, inside {inside}")]
    CutOff {
        /// Bytes of the data set that there are.
        at: usize,
        /// What is incomplete.
        inside: &'static str,
    },
    /// Something that is not a data element where one should be.
    #[error("has {tag} at byte {at} of its data set, where {expected} should be")]
    Misplaced {
        /// Group and element found.
        tag: String,
        /// Where.
        at: usize,
        /// What should be there.
        expected: &'static str,
    },
    /// Sequences within sequences beyond any use.
    #[error("nests sequences more than {limit} deep")]
    TooDeep {
        /// Deepest nesting allowed.
        limit: usize,
    },
    /// More elements than any image has.
    #[error("has more than {limit} data elements")]
    TooManyElements {
        /// Most elements allowed.
        limit: usize,
    },
    /// Deflated data that does not inflate.
    #[error("its deflated data set is damaged: {0}")]
    Inflate(#[source] std::io::Error),
    /// Compressed frames without saying how.
    #[error("has compressed pixel data and no TransferSyntaxUID")]
    TransferSyntaxMissing,
    /// A transfer syntax without a decoder.
    #[error("has transfer syntax {uid} ({name}), which is not supported")]
    TransferSyntax {
        /// Its unique identifier.
        uid: String,
        /// What it is.
        name: &'static str,
    },
    /// A transfer syntax whose decoder was left out of this build.
    #[error("has {name} frames, which this program was built without (feature {feature})")]
    LeftOut {
        /// What it is.
        name: &'static str,
        /// The feature that has the decoder.
        feature: &'static str,
    },
    /// An object without pixels: a report, a plan, a directory.
    #[error("holds no pixel data (Modality {})", modality.as_deref().unwrap_or("not given"))]
    NoPixelData {
        /// Kind of the object.
        modality: Option<String>,
    },
    /// Pixels as floating-point numbers.
    #[error("has {attribute}: floating-point pixels are not supported")]
    FloatPixels {
        /// The attribute that holds them.
        attribute: &'static str,
    },
    /// A required attribute is absent or empty.
    #[error("lacks {attribute}")]
    Missing {
        /// Its keyword.
        attribute: &'static str,
    },
    /// An attribute with a value that it cannot have.
    #[error("has {attribute} {value:?}, which is not {expected}")]
    Invalid {
        /// Its keyword.
        attribute: &'static str,
        /// Its value.
        value: String,
        /// What values it may have.
        expected: &'static str,
    },
    /// Sample sizes that contradict each other or that no decoder takes.
    #[error("has {allocated} bits allocated, {stored} stored and high bit {high}, which is not supported")]
    Bits {
        /// Bits a sample takes.
        allocated: u16,
        /// Bits it uses.
        stored: u16,
        /// Its uppermost bit.
        high: u16,
    },
    /// A color model without a conversion.
    #[error("has photometric interpretation {name} with {samples} samples a pixel, which is not supported")]
    Photometric {
        /// The color model.
        name: String,
        /// Samples a pixel.
        samples: u16,
    },
    /// A frame that is not there.
    #[error("has {frames} frames, frame {} was asked for", u64::from(*frame) + 1)]
    NoSuchFrame {
        /// The frame asked for, from 0.
        frame: u32,
        /// Frames there are.
        frames: u32,
    },
    /// Less pixel data than the attributes promise.
    #[error("has {actual} bytes of pixel data where its frame ends at {needed}")]
    PixelDataShort {
        /// Bytes needed.
        needed: u64,
        /// Bytes there are.
        actual: u64,
    },
    /// Compressed frames whose borders are not known.
    #[error("has {frames} frames in {fragments} fragments and no offset table that says which is whose")]
    FrameBorders {
        /// Frames promised.
        frames: u32,
        /// Fragments found.
        fragments: usize,
    },
    /// A compressed frame that is another image than the attributes describe.
    #[error("its {codec} frame is {actual}, the attributes say {expected}")]
    FrameDiffers {
        /// Compression.
        codec: &'static str,
        /// Columns × rows × samples by the attributes.
        expected: String,
        /// The same by the frame.
        actual: String,
    },
    /// A kind of compressed frame without a decoder.
    #[error("its {codec} frame has {what}, which is not supported")]
    CodecFeature {
        /// Compression.
        codec: &'static str,
        /// What it has.
        what: String,
    },
    /// A damaged frame.
    #[error("its {codec} frame is damaged: {message}")]
    Frame {
        /// Compression.
        codec: &'static str,
        /// The decoder's complaint.
        message: String,
    },
    /// A frame with fewer MCUs, lines or samples than it promises.
    #[error("its {codec} frame is truncated: {what}")]
    FrameTruncated {
        /// Compression.
        codec: &'static str,
        /// What is missing, in figures where there are some.
        what: String,
    },
    /// A frame whose headers ask for more than any film needs.
    #[error("its {codec} frame asks for too much: {what}")]
    FrameExcessive {
        /// Compression.
        codec: &'static str,
        /// What it asks for, in figures where there are some.
        what: String,
    },
    /// A damaged frame on which the decoder gave up in a way it should not have.
    #[error("its {codec} frame is damaged in a way the decoder does not survive: {message}")]
    DecoderPanic {
        /// Compression.
        codec: &'static str,
        /// What the decoder said.
        message: String,
    },
    /// A lookup table that cannot be applied.
    #[error("its {table} is unusable: {what}")]
    Table {
        /// Which table.
        table: &'static str,
        /// What is wrong.
        what: String,
    },
    /// A sequence that the picture depends on cannot be read.
    #[error("its {attribute} is unreadable: {what}")]
    Sequence {
        /// Its keyword.
        attribute: &'static str,
        /// What is wrong.
        what: String,
    },
    /// A window that maps nothing.
    #[error("has window centre {center} and width {width}, impossible with {function}")]
    Window {
        /// Window center.
        center: f64,
        /// Window width.
        width: f64,
        /// Its function.
        function: &'static str,
    },
    /// A window or table was asked for that is not there.
    #[error("has {count} {what}, number {} was asked for", index.saturating_add(1))]
    NoSuchVoi {
        /// `windows` or `VOI LUTs`.
        what: &'static str,
        /// The one asked for, from 0.
        index: usize,
        /// How many there are.
        count: usize,
    },
}

impl Problem {
    /// A short name that stays the same, for tables of what was refused.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Overrun { .. } => "overrun",
            Self::CutOff { .. } => "cut_off",
            Self::Misplaced { .. } => "misplaced_element",
            Self::TooDeep { .. } => "too_deep",
            Self::TooManyElements { .. } => "too_many_elements",
            Self::Inflate(_) => "inflate",
            Self::TransferSyntaxMissing => "no_transfer_syntax",
            Self::TransferSyntax { .. } => "transfer_syntax",
            Self::LeftOut { .. } => "codec_left_out",
            Self::NoPixelData { .. } => "no_pixel_data",
            Self::FloatPixels { .. } => "float_pixels",
            Self::Missing { .. } => "missing_attribute",
            Self::Invalid { .. } => "invalid_attribute",
            Self::Bits { .. } => "bits",
            Self::Photometric { .. } => "photometric",
            Self::NoSuchFrame { .. } => "no_such_frame",
            Self::PixelDataShort { .. } => "pixel_data_short",
            Self::FrameBorders { .. } => "frame_borders",
            Self::FrameDiffers { .. } => "frame_differs",
            Self::CodecFeature { .. } => "codec_feature",
            Self::Frame { .. } => "damaged_frame",
            Self::FrameTruncated { .. } => "truncated_frame",
            Self::FrameExcessive { .. } => "excessive_frame",
            Self::DecoderPanic { .. } => "decoder_panic",
            Self::Table { .. } => "lookup_table",
            Self::Sequence { .. } => "unreadable_sequence",
            Self::Window { .. } => "window",
            Self::NoSuchVoi { .. } => "no_such_voi",
        }
    }

    pub(crate) fn missing(attribute: &'static str) -> Self {
        Self::Missing { attribute }
    }
}

/// A tag as the standard writes it.
pub(crate) fn written(tag: Tag) -> String {
    format!("({:04x},{:04x})", tag.group(), tag.element())
}
