//! What came of a file.

use medclip_core::GrayImage;

use super::voi::VoiUsed;
use crate::note::Note;

/// A DICOM image, ready to be scored, and what the file says about it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Film {
    /// Black 0, white 255.
    pub image: GrayImage,
    /// How much colour was left out, as [`Picture::chroma`](crate::Picture::chroma) says it.
    pub chroma: f64,
    /// Which object it is and what it shows.
    pub identity: Identity,
    /// Colour model as the file names it.
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
    /// Distance of rows and of columns in millimetres, at the patient or, failing that, at the detector.
    pub pixel_spacing: Option<[f64; 2]>,
    /// What is unusual and was read nevertheless.
    pub notes: Vec<Note>,
}

/// Which object a file is, and what it shows, as far as it says. Nothing but the patient's number tells who it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Identity {
    /// `SOPInstanceUID`.
    pub sop_instance_uid: Option<String>,
    /// `SOPClassUID`.
    pub sop_class_uid: Option<String>,
    /// `SeriesInstanceUID`.
    pub series_instance_uid: Option<String>,
    /// `StudyInstanceUID`.
    pub study_instance_uid: Option<String>,
    /// `PatientID`, only where the options ask for it.
    pub patient_id: Option<String>,
    /// `Modality`: `CR`, `DX`, `CT`, …
    pub modality: Option<String>,
    /// `BodyPartExamined`.
    pub body_part: Option<String>,
    /// `ViewPosition`: `PA`, `AP`, `LL`, …
    pub view_position: Option<String>,
    /// `PatientOrientation`, as `L\F`.
    pub patient_orientation: Option<String>,
    /// `PresentationIntentType`: `FOR PRESENTATION`, or `FOR PROCESSING` for what is not meant to be looked at.
    pub presentation_intent: Option<String>,
    /// `BurnedInAnnotation`: `YES` or `NO`.
    pub burned_in_annotation: Option<String>,
    /// `ImageType`, as `DERIVED\PRIMARY`.
    pub image_type: Option<String>,
}

/// Values of a frame after the modality's transformation, or its stored numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Values {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// 1 for grey and palettes, 3 for colour.
    pub samples: u16,
    /// Row by row, the samples of a pixel together.
    pub data: Vec<f64>,
}
