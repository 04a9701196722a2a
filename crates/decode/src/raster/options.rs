//! What a caller may choose.

#[cfg(feature = "dicom")]
use crate::dicom::{Voi, Window};

/// How a picture that is no DICOM file becomes an 8-bit gray image.
///
/// Fields are in the order in which they apply.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RasterOptions {
    /// Which page of a file with several, from 0. Without it a file must have one page: nothing says which to take.
    pub page: Option<u32>,
    /// What becomes black and what white.
    pub levels: Levels,
    /// Whether the image is turned as its EXIF data, or a TIFF's own attribute, says.
    pub orientation: bool,
}

impl Default for RasterOptions {
    /// The one page as the file wants it shown.
    fn default() -> Self {
        Self { page: None, levels: Levels::File, orientation: true }
    }
}

/// Which samples of a picture become black and which white. Colors are spread alike before they become gray.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[non_exhaustive]
pub enum Levels {
    /// 8-bit samples as they are. Of 16-bit samples the upper eight of the bits that the image uses: 12-bit values that were
    /// saved as they came from a detector would be nearly black otherwise. The film has a
    /// [`Note::UnusedBits`](crate::Note::UnusedBits) then.
    #[default]
    File,
    /// All values that the samples could have: of 16 bits always the upper eight.
    FullRange,
    /// From the image's lowest to its highest sample.
    MinMax,
    /// This window on the samples, 0–255 or 0–65535.
    #[cfg(feature = "dicom")]
    Window(Window),
    /// A window or table of the file by its number, from 0. Only DICOM files have some: others are refused.
    Numbered {
        /// `windows` or `VOI LUTs`.
        what: &'static str,
        /// The one asked for.
        index: usize,
    },
}

#[cfg(feature = "dicom")]
impl From<Voi> for Levels {
    fn from(voi: Voi) -> Self {
        match voi {
            Voi::File => Self::File,
            Voi::FullRange => Self::FullRange,
            Voi::MinMax => Self::MinMax,
            Voi::Given(window) => Self::Window(window),
            Voi::Window(index) => Self::Numbered { what: "windows", index },
            Voi::Table(index) => Self::Numbered { what: "VOI LUTs", index },
        }
    }
}
