//! What turns inputs into reports.

use std::path::Path;
use std::sync::Arc;

use medclip_decode::NEED_BYTES;
use medclip_scorer::{Prepared, Report, Schema, Scorer};

/// Content of an input.
#[derive(Debug)]
pub enum Content<'a> {
    /// A file to open.
    File(&'a Path),
    /// A member of an archive, read.
    Bytes(&'a [u8]),
}

/// The two stages of scoring. Both are called from many threads at once; a panic costs its input the scores and nothing else.
pub trait Stages: Sync {
    /// An input on its way to the model.
    type Prepared: Send;

    /// What all reports have in common.
    fn schema(&self) -> &Arc<Schema>;

    /// Decodes and checks one input.
    fn prepare(&self, content: Content<'_>) -> Self::Prepared;

    /// A report for each input of a batch, in order. Paths are set by the caller.
    fn score(&self, films: &[Self::Prepared]) -> Vec<Report>;

    /// How many of a content's first bytes [`Stages::need`] wants to see, if not all.
    fn need_bytes(&self) -> u64 {
        0
    }

    /// The most bytes of memory that [`Stages::prepare`] takes beside the content, judged by its start; `bytes` is the
    /// length of the whole. None asks for all of it, which always has an answer.
    fn need(&self, _start: &[u8], _bytes: u64) -> Option<u64> {
        Some(0)
    }

    /// Bytes of a prepared input.
    fn prepared_bytes(&self) -> u64 {
        0
    }
}

impl Stages for Scorer {
    type Prepared = Prepared;

    fn schema(&self) -> &Arc<Schema> {
        Self::schema(self)
    }

    fn prepare(&self, content: Content<'_>) -> Prepared {
        match content {
            Content::File(path) => self.prepare_file(path),
            Content::Bytes(bytes) => self.prepare_bytes(bytes),
        }
    }

    fn score(&self, films: &[Prepared]) -> Vec<Report> {
        Self::score(self, films)
    }

    fn need_bytes(&self) -> u64 {
        NEED_BYTES
    }

    fn need(&self, start: &[u8], bytes: u64) -> Option<u64> {
        medclip_decode::need(start, bytes, self.limits())
    }

    fn prepared_bytes(&self) -> u64 {
        Self::prepared_bytes(self)
    }
}
