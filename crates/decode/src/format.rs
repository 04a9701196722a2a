//! Which kind of file some bytes are.

/// A kind of image file that medclip knows by its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// DICOM, with or without preamble.
    Dicom,
    /// JPEG.
    Jpeg,
    /// PNG.
    Png,
}

impl Format {
    /// Bytes of a file's start that [`Format::recognize`] wants to see.
    pub const START_BYTES: usize = 132;

    /// The format of a file that starts with these bytes; `None` if they are the start of no image that medclip knows.
    ///
    /// DICOM is known without the feature `dicom` as well, so that such files are refused for what they are; only those that
    /// lack the preamble are then not recognized.
    pub fn recognize(start: &[u8]) -> Option<Self> {
        match start {
            [0xff, 0xd8, ..] => Some(Self::Jpeg),
            [0x89, b'P', b'N', b'G', ..] => Some(Self::Png),
            _ => is_dicom(start).then_some(Self::Dicom),
        }
    }
}

#[cfg(feature = "dicom")]
fn is_dicom(start: &[u8]) -> bool {
    crate::dicom::is_dicom(start)
}

#[cfg(not(feature = "dicom"))]
fn is_dicom(start: &[u8]) -> bool {
    start.get(128..132).is_some_and(|magic| magic == b"DICM")
}
