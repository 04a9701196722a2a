//! Training data: images with their labels, sentences of reports, and the batches in which they meet.
//!
//! Manifests, reports, labels and selections are read by [`medclip_data`], which sees no pixels; here are the pixels, and what
//! training draws at random.
//!
//! [`Dataset::load`] reads a [`DataConfig`], refuses wrong settings and shared patients, and decodes the images once;
//! a [`Loader`] then gives the batches of an epoch. Every draw depends only on (seed, epoch, step), so a run that was
//! interrupted goes on exactly from those three numbers.
//!
//! | module | holds |
//! |---|---|
//! | [`lost`] | images that could not be read |
//! | [`images`] | decoded images in memory and on disk |
//! | [`augment`] | random changes of training images |
//! | [`text_augment`] | altered sentences that say the same |
//! | [`sampler`] | which images and sentences meet in a batch |
//! | [`train_set`], [`eval_set`] | batches, and images to evaluate on |
//! | [`loader`] | batches made ahead by threads |
//! | [`dataset`] | configuration → all of it |

pub mod augment;
pub mod dataset;
pub mod eval_set;
#[cfg(test)]
pub(crate) mod fixture;
pub mod images;
pub mod loader;
pub mod lost;
pub mod sampler;
pub mod text_augment;
pub mod train_set;

use std::error::Error;

pub use augment::{AugmentConfig, Augmenter};
pub use dataset::{DataConfig, DataError, Dataset, ImageFile};
pub use eval_set::EvalSet;
pub use images::{BadImage, ImageStore, ImagesError};
pub use loader::Loader;
pub use lost::LostImage;
pub use sampler::{BatchPlan, Pairing, SamplerConfig};
pub use text_augment::{TextAugmentConfig, TextAugmenter};
pub use train_set::{Batch, TrainSet};

/// An error of training data, without its cause, in words that name no image and no patient; none for errors of others.
pub fn unnamed(error: &(dyn Error + 'static)) -> Option<String> {
    error.downcast_ref().map(DataError::unnamed).or_else(|| medclip_data::unnamed(error))
}
