//! Images to evaluate on, exactly as the runtime will see them.

use std::ops::Range;

use medclip_core::preprocess::Preprocessor;
use medclip_core::{GrayImage, ImageBatch};
use medclip_data::Record;

use crate::data::images::ImageStore;
use crate::error::TrainError;

/// A named set of images with their annotations.
#[derive(Debug)]
pub struct EvalSet {
    pub(crate) name: String,
    pub(crate) records: Vec<Record>,
    pub(crate) images: ImageStore,
    pub(crate) preprocessor: Preprocessor,
}

impl EvalSet {
    /// Name in the configuration.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The images' manifest rows: annotations and, for intervals by patient, patient groups.
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// Number of images.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// True when there is no image.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// The images of `range`, cut at the end of the set, through the model's own normalization.
    ///
    /// # Errors
    /// [`TrainError::Preprocess`] for an empty range, [`TrainError::Images`] when the cache that holds them cannot be read.
    pub fn batch(&self, range: Range<usize>) -> Result<ImageBatch, TrainError> {
        let side = self.images.side() as u32;
        let mut images = Vec::new();
        for index in range {
            let Some(pixels) = self.images.get(index)? else { break };
            images.extend(GrayImage::new(side, side, pixels.into_owned()).ok());
        }
        Ok(self.preprocessor.normalize(&images)?)
    }
}
