//! Images to evaluate on, exactly as the runtime will see them.

use std::ops::Range;

use medclip_core::preprocess::{PreprocessError, Preprocessor};
use medclip_core::{GrayImage, ImageBatch};

use crate::data::images::ImageStore;
use crate::data::manifest::Record;

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

    /// The images of `range`, cut at the end of the set, through the model's own normalisation.
    ///
    /// # Errors
    /// [`PreprocessError`] for an empty range.
    pub fn batch(&self, range: Range<usize>) -> Result<ImageBatch, PreprocessError> {
        let side = self.images.side() as u32;
        let images: Vec<GrayImage> = range
            .map_while(|index| self.images.get(index))
            .filter_map(|pixels| GrayImage::new(side, side, pixels.to_vec()).ok())
            .collect();
        self.preprocessor.normalize(&images)
    }
}
