//! A film on its way to the model.

use medclip_decode::{Identity, PatientFields};
use medclip_qc::Code;
use medclip_runtime::GrayImage;

use crate::failure::Failure;
use crate::maps::Shown;
use crate::report::Remark;

/// A film ready for the model, or why there is nothing to score, with what is known of it either way.
#[derive(Debug, Clone)]
pub struct Prepared {
    pub(crate) identity: Identity,
    /// All that the checks of header and pixels found.
    pub(crate) found: Vec<Code>,
    pub(crate) notes: Vec<Remark>,
    /// At the size that the model takes.
    pub(crate) image: Result<GrayImage, Failure>,
    /// As people look at it, where maps are wanted.
    pub(crate) shown: Option<Shown>,
}

impl Prepared {
    /// A film of which nothing is known but why it cannot be scored.
    pub fn failed(failure: Failure) -> Self {
        Self {
            identity: Identity::default(),
            found: Vec::new(),
            notes: Vec::new(),
            image: Err(failure),
            shown: None,
        }
    }
}

/// An identity without the personal fields that were not asked for.
pub(crate) fn without_others(mut identity: Identity, wanted: PatientFields) -> Identity {
    let keep = |field: &mut Option<String>, wanted: bool| {
        if !wanted {
            *field = None;
        }
    };
    keep(&mut identity.patient_id, wanted.id);
    keep(&mut identity.study_date, wanted.study_date);
    keep(&mut identity.sex, wanted.sex);
    keep(&mut identity.age, wanted.age);
    identity
}
