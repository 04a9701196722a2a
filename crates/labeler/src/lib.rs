//! Radiology report text → certainty of the 14 CheXpert findings, by rules.
//!
//! ```
//! use medclip_core::{Certainty, Finding};
//! use medclip_labeler::Labeler;
//!
//! let labeler = Labeler::new();
//! let read = labeler.report("The heart is clearly enlarged. No pneumothorax. Right basilar opacity may represent pneumonia.");
//! assert_eq!(read.labels[Finding::Cardiomegaly], Certainty::Positive);
//! assert_eq!(read.labels[Finding::Pneumothorax], Certainty::Negative);
//! assert_eq!(read.labels[Finding::Pneumonia], Certainty::Uncertain);
//! assert_eq!(read.labels[Finding::NoFinding], Certainty::Negative);
//! assert_eq!(read.labels[Finding::Fracture], Certainty::Unmentioned);
//! assert_eq!(read.sentences.len(), 3);
//! ```
//!
//! A text is cut into [`sentences`]; each sentence is searched for families of terms ([`Mention`]); negation, uncertainty and
//! history cues decide how sure each mention is; mentions fold into [`Labels`](medclip_core::Labels). The terms and cues
//! are data, the crate's `data/*.toml`, and [`PhraseLists`] replaces or extends them.
//!
//! # Limits
//! English chest-radiograph reports. Scope is by clause, not by grammar. A report is read alone: "unchanged" points at an
//! earlier one and labels nothing.

mod error;
mod heading;
mod labeler;
mod layout;
mod lists;
mod mention;
mod negation;
mod normal;
mod normalized;
mod phrase;
mod reply;
mod section;
mod sentence;
mod spans;
mod spelling;
mod spoken;

pub use error::PhraseError;
pub use labeler::{Labeler, ReportLabels, ReportSection};
pub use lists::{Cues, Family, NormalRule, PhraseLists, Spelling, SpokenSign, Words};
pub use mention::Mention;
pub use section::Section;
pub use sentence::{Sentence, sentences, split};
