//! One image file: its pixels, and what it says of itself.

mod args;

use std::path::Path;

use medclip_core::GrayImage;
use medclip_decode::{Limits, Note, Picture, Reason};
use medclip_qc::Header;

pub(crate) use args::DicomArgs;

/// A decoded file.
pub(crate) struct Film {
    pub(crate) image: GrayImage,
    /// How much colour there was.
    pub(crate) chroma: f64,
    /// What is unusual about the file.
    pub(crate) notes: Vec<Note>,
    /// For the intake checks.
    pub(crate) header: Header,
    /// Identifiers; only DICOM files have some.
    #[cfg_attr(not(feature = "archive"), allow(dead_code, reason = "only rows of archives name them"))]
    pub(crate) identity: Identity,
}

/// Which object a file is.
#[derive(Default)]
#[cfg_attr(not(feature = "archive"), allow(dead_code, reason = "only rows of archives name them"))]
pub(crate) struct Identity {
    pub(crate) sop_instance_uid: Option<String>,
    pub(crate) study_instance_uid: Option<String>,
    pub(crate) patient_id: Option<String>,
}

/// Reads a file. Its patient's id is left out unless `patient` asks for it.
pub(crate) fn open(path: &Path, args: &DicomArgs, patient: bool) -> Result<Film, Reason> {
    decode(&medclip_decode::read(path, &Limits::default())?, args, patient)
}

/// Decodes a file held in memory.
pub(crate) fn decode(bytes: &[u8], args: &DicomArgs, patient: bool) -> Result<Film, Reason> {
    let limits = Limits::default();
    let bytes = medclip_decode::unpacked(bytes, &limits)?;
    let options = args.options(patient);
    #[cfg(feature = "dicom")]
    if medclip_decode::is_dicom(&bytes) {
        return dicom(&bytes, &options.dicom);
    }
    let Picture { image, chroma, notes } = medclip_decode::picture_with(&bytes, &limits, &options)?;
    Ok(Film { image, chroma, notes, header: Header::default(), identity: Identity::default() })
}

#[cfg(feature = "dicom")]
fn dicom(bytes: &[u8], options: &medclip_decode::dicom::DicomOptions) -> Result<Film, Reason> {
    let film = medclip_decode::dicom::from_bytes(bytes, &Limits::default(), options)?;
    let of = film.identity;
    Ok(Film {
        image: film.image,
        chroma: film.chroma,
        notes: film.notes,
        header: Header {
            modality: of.modality,
            body_part: of.body_part,
            view_position: of.view_position,
            burned_in_annotation: of.burned_in_annotation,
        },
        identity: Identity {
            sop_instance_uid: of.sop_instance_uid,
            study_instance_uid: of.study_instance_uid,
            patient_id: of.patient_id,
        },
    })
}
