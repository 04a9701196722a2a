//! What comes of a DICOM file.

use medclip_core::GrayImage;

use super::voi::VoiUsed;
use crate::film::{Film, Identity};
use crate::note::Note;

/// A frame of a DICOM file as it is to be shown, and how it came about.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Rendering {
    /// Black 0, white 255.
    pub image: GrayImage,
    /// How much color was left out, as [`Film::chroma`] says it.
    pub chroma: f64,
    /// Which object it is and what it shows.
    pub identity: Identity,
    /// Color model as the file names it.
    pub photometric: String,
    /// Frames of the file.
    pub frames: u32,
    /// Rows and columns before pixels were made square.
    pub stored_size: [u32; 2],
    /// Bits of a stored sample.
    pub bits_stored: u16,
    /// What spread the values.
    pub voi: VoiUsed,
    /// Whether black and white were turned.
    pub inverted: bool,
    /// Distance of rows and of columns in millimeters, at the patient or, failing that, at the detector.
    pub pixel_spacing: Option<[f64; 2]>,
    /// What is unusual and was read nevertheless.
    pub notes: Vec<Note>,
}

impl From<Rendering> for Film {
    fn from(rendering: Rendering) -> Self {
        let Rendering { image, chroma, identity, notes, .. } = rendering;
        Self { image, chroma, notes, identity }
    }
}

/// Values of a frame after the modality's transformation, or its stored numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Values {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// 1 for gray and palettes, 3 for color.
    pub samples: u16,
    /// Row by row, the samples of a pixel together.
    pub data: Vec<f64>,
}
