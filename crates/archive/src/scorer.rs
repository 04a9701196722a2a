//! What turns inputs into scores.

use std::path::Path;

use crate::failure::Failure;
use crate::row::{Identity, Verdict};

/// Content of an input.
#[derive(Debug)]
pub enum Content<'a> {
    /// A file to open.
    File(&'a Path),
    /// A member of an archive, read.
    Bytes(&'a [u8]),
}

/// An input ready for the model, or why there is nothing to score, with what is known of it either way.
#[derive(Debug)]
pub struct Prepared<T> {
    /// Identifiers the file gives.
    pub identity: Identity,
    /// Codes of quality checks.
    pub qc: Vec<String>,
    /// Codes of what is unusual about the file and was read nevertheless.
    pub notes: Vec<String>,
    /// What the model takes.
    pub image: Result<T, Failure>,
}

/// Decodes and scores. Both are called from many threads at once; a panic costs its input the scores and nothing else.
pub trait Scorer: Sync {
    /// What the model takes of one input.
    type Image: Send;

    /// Decodes and preprocesses one input.
    fn prepare(&self, content: Content<'_>) -> Prepared<Self::Image>;

    /// What the model says of images, one for each, in order. When a batch fails, each of its images is tried alone.
    ///
    /// # Errors
    /// [`Failure`] of the batch.
    fn score(&self, images: &[Self::Image]) -> Result<Vec<Verdict>, Failure>;

    /// How many of a content's first bytes [`Scorer::need`] wants to see, if not all.
    fn need_bytes(&self) -> u64 {
        0
    }

    /// The most bytes of memory that [`Scorer::prepare`] takes beside the content, judged by its start; `bytes` is the
    /// length of the whole. None asks for all of it, which always has an answer.
    fn need(&self, _start: &[u8], _bytes: u64) -> Option<u64> {
        Some(0)
    }

    /// Bytes of a prepared image.
    fn image_bytes(&self) -> u64 {
        0
    }

    /// Is told, in order, of every input whose row has no scores, under its id.
    fn failed(&self, _id: &str, _failure: &Failure) {}
}

impl<T> Prepared<T> {
    /// Nothing to score and nothing known.
    pub fn failed(failure: Failure) -> Self {
        Self { identity: Identity::default(), qc: Vec::new(), notes: Vec::new(), image: Err(failure) }
    }
}
