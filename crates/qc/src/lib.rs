//! Intake checks: is this the kind of film the model was made for?
//!
//! A model scores whatever it is given. These checks say what is unusual about an image, each with a [`Code`], and a
//! [`Policy`] says what follows: nothing, a warning beside the scores, or no scores.
//!
//! | module | looks at |
//! |---|---|
//! | [`Checks`] | all of them, on one film |
//! | [`header`] | what a DICOM header says of modality, body part, view and burned-in text |
//! | [`pixels`] | resolution, contrast, exposure, frame, burned-in text, color, detail that the file lacks |
//! | [`learned`] | the model's own embedding: view, orientation, inverted gray, cropping, no chest film at all |
//! | `suite` (feature) | spoilt films to fit and measure the learned checks with |
//!
//! The learned checks are a linear head ([`medclip_core::head::Head`]) on the embedding that scoring needs anyway: they
//! cost a few hundred multiplications.
//!
//! # Limits
//! The checks know the defects they were fitted on. What passes them may still be a film the model has never seen the like
//! of: of other machines, of children, of rare devices. Research use only, not for diagnosis.

mod checks;
mod code;
pub mod header;
pub mod learned;
pub mod pixels;
mod policy;
#[cfg(feature = "suite")]
pub mod suite;

pub use checks::{Checks, Judgment};
pub use code::{Code, UnknownCode};
pub use learned::{LearnedChecks, LearnedError};
pub use policy::{Action, Policy, PolicyError};
