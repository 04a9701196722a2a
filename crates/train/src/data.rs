//! Training data: a manifest of images, reports as sentences, and the batches in which they meet.
//!
//! [`Dataset::load`] reads a [`DataConfig`], refuses wrong settings and shared patients, and decodes the images once;
//! a [`Loader`] then gives the batches of an epoch. Every draw depends only on (seed, epoch, step), so a run that was
//! interrupted goes on exactly from those three numbers.
//!
//! | module | holds |
//! |---|---|
//! | [`manifest`] | one row an image: patient, view, split, annotations |
//! | [`selection`] | which images, and that no patient is on both sides |
//! | [`rows`], [`lost`] | rows as messages name them, and images that could not be read |
//! | [`digests`] | what image files hold; the same film under two names |
//! | [`label`] | annotations → label vector |
//! | [`reports`] | which texts training may read |
//! | [`sentences`] | the pool of labelled sentences |
//! | [`images`] | decoded images in memory and on disk |
//! | [`augment`] | random changes of training images |
//! | [`teacher`] | other models' scores as soft labels |
//! | [`text_augment`] | altered sentences that say the same |
//! | [`sampler`] | which images and sentences meet in a batch |
//! | [`train_set`], [`eval_set`] | batches, and images to evaluate on |
//! | [`loader`] | batches made ahead by threads |
//! | [`stream`] | random streams by name |
//! | [`dataset`] | configuration → all of it |

pub mod augment;
pub mod dataset;
pub mod digests;
pub mod eval_set;
#[cfg(test)]
pub(crate) mod fixture;
pub mod images;
pub mod label;
pub mod loader;
pub mod lost;
pub mod manifest;
pub mod reports;
pub mod rows;
pub mod sampler;
pub mod selection;
pub mod sentences;
pub mod stream;
pub mod teacher;
pub mod text_augment;
pub mod train_set;

pub use augment::{AugmentConfig, Augmenter};
pub use dataset::{DataConfig, DataError, Dataset, ImageFile};
pub use digests::{Digest, KnownDigests};
pub use eval_set::EvalSet;
pub use images::{BadImage, ImageStore, ImagesError};
pub use label::{AbsentAs, LabelPolicy, LabelVector};
pub use loader::Loader;
pub use lost::LostImage;
pub use manifest::{Annotation, Record, Split, read_manifest};
pub use rows::RowName;
pub use sampler::{BatchPlan, Pairing, SamplerConfig};
pub use selection::Selection;
pub use sentences::{Polarity, Sentence, SentenceConfig, SentencePool};
pub use teacher::{TeacherConfig, TeacherError};
pub use text_augment::{TextAugmentConfig, TextAugmenter};
pub use train_set::{Batch, TrainSet};
