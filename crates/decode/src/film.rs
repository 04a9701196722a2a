//! What comes of a file.

use medclip_core::GrayImage;
use serde::{Deserialize, Serialize};

use crate::note::Note;

/// A film: its gray image and what its file says about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Film {
    /// Black 0, white 255.
    pub image: GrayImage,
    /// How much color was left out: the mean over pixels of the distance between the largest and the least of red, green and
    /// blue, from 0 for gray to 1. Radiographs have none.
    pub chroma: f64,
    /// What is unusual about the file and was read nevertheless.
    pub notes: Vec<Note>,
    /// What a DICOM file says it is; other files say nothing.
    pub identity: Identity,
}

/// Which object a DICOM file is, and what it shows, as far as it says. The last four fields are personal and are read only where
/// [`PatientFields`] ask for them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Identity {
    /// `SOPInstanceUID` (0008,0018).
    pub sop_instance_uid: Option<String>,
    /// `SOPClassUID` (0008,0016).
    pub sop_class_uid: Option<String>,
    /// `SeriesInstanceUID` (0020,000E).
    pub series_instance_uid: Option<String>,
    /// `StudyInstanceUID` (0020,000D).
    pub study_instance_uid: Option<String>,
    /// `Modality` (0008,0060): `CR`, `DX`, `CT`, …
    pub modality: Option<String>,
    /// `BodyPartExamined` (0018,0015), such as `CHEST`.
    pub body_part: Option<String>,
    /// `ViewPosition` (0018,5101): `PA`, `AP`, `LL`, …
    pub view_position: Option<String>,
    /// `PatientOrientation` (0020,0020), as `L\F`.
    pub patient_orientation: Option<String>,
    /// `PresentationIntentType` (0008,0068): `FOR PRESENTATION`, or `FOR PROCESSING` for what is not meant to be looked at.
    pub presentation_intent: Option<String>,
    /// `BurnedInAnnotation` (0028,0301): `YES` or `NO`.
    pub burned_in_annotation: Option<String>,
    /// `ImageType` (0008,0008), as `DERIVED\PRIMARY`.
    pub image_type: Option<String>,
    /// `PatientID` (0010,0020).
    pub patient_id: Option<String>,
    /// `StudyDate` (0008,0020), as `20240131`.
    pub study_date: Option<String>,
    /// `PatientSex` (0010,0040): `F`, `M` or `O`.
    pub sex: Option<String>,
    /// `PatientAge` (0010,1010), as `045Y`.
    pub age: Option<String>,
}

/// Which personal fields of an [`Identity`] are read; none by default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[allow(clippy::struct_excessive_bools, reason = "fields that do not depend on each other")]
pub struct PatientFields {
    /// [`Identity::patient_id`].
    pub id: bool,
    /// [`Identity::study_date`].
    pub study_date: bool,
    /// [`Identity::sex`].
    pub sex: bool,
    /// [`Identity::age`].
    pub age: bool,
}
