//! Synthetic chest radiographs with sentences and labels, for tests, examples and demonstrations without data.
//!
//! A phantom is a schematic frontal film: smooth shapes for body, lungs, heart, bones and vessels, with conditions
//! drawn where they would show. It is the same, bit for bit, for a seed on every platform.
//!
//! ```
//! use medclip_core::{Certainty, Finding};
//! use medclip_phantom::{Condition, Phantom, PhantomSpec, Severity, Side};
//!
//! let effusion = Condition::PleuralEffusion { side: Side::Left, severity: Severity::Moderate };
//! let phantom = Phantom::new(PhantomSpec { seed: 7, size: 224, conditions: vec![effusion] })?;
//! let image = phantom.render();
//! assert_eq!((image.width(), image.height()), (224, 224));
//! assert_eq!(phantom.labels()[Finding::PleuralEffusion], Certainty::Positive);
//! println!("{}", phantom.sentences()[0].text);
//! # Ok::<(), medclip_phantom::PhantomError>(())
//! ```
//!
//! # Limits
//! Nothing here is a patient, and no figure from phantoms says anything about patients: conditions are textbook
//! sketches, far easier to tell apart than real ones.

mod anatomy;
mod canvas;
mod condition;
mod dataset;
mod device;
mod draw;
mod film;
mod noise;
mod pathology;
mod phantom;
mod render;
mod sentence;
mod shape;
mod spec;

pub use condition::{Condition, Device, Severity, Side, Zone};
pub use dataset::{DatasetError, write_dataset, write_png};
pub use phantom::{Phantom, PhantomError};
pub use sentence::Sentence;
pub use spec::PhantomSpec;
