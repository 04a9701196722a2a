//! How many bytes the pages of a file may have in memory at a time.

use std::sync::atomic::{AtomicUsize, Ordering};

use parquet::errors::Result;

use super::general;

/// Most bytes of all pages that are open, one of each column and its dictionary.
const MAX_OPEN_BYTES: usize = 512 << 20;

/// Bytes that the open pages of a file of any length may have.
const MIN_OPEN_BYTES: usize = 128 << 20;

/// And that a byte of a file may stand for.
const MAX_GROWTH: u64 = 1000;

/// Bytes of the pages that are open.
#[derive(Debug)]
pub(super) struct Budget {
    used: AtomicUsize,
    limit: usize,
}

impl Budget {
    /// What the pages of a file of so many bytes may need.
    pub(super) fn of_file(bytes: u64) -> Self {
        let limit = usize::try_from(bytes.saturating_mul(MAX_GROWTH)).unwrap_or(usize::MAX);
        Self { used: AtomicUsize::new(0), limit: limit.clamp(MIN_OPEN_BYTES, MAX_OPEN_BYTES) }
    }

    /// Most bytes at a time.
    pub(super) const fn limit(&self) -> usize {
        self.limit
    }

    /// Bytes that nothing holds.
    pub(super) fn left(&self) -> usize {
        self.limit.saturating_sub(self.used.load(Ordering::Relaxed))
    }

    /// Holds so many bytes, which it gives back.
    ///
    /// # Errors
    /// `ParquetError` when fewer are left.
    pub(super) fn hold(&self, bytes: usize) -> Result<usize> {
        if self.used.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes) > self.limit {
            self.release(bytes);
            return Err(self.exceeded());
        }
        Ok(bytes)
    }

    pub(super) fn release(&self, bytes: usize) {
        self.used.fetch_sub(bytes, Ordering::Relaxed);
    }

    pub(super) fn exceeded(&self) -> parquet::errors::ParquetError {
        general(format!("its pages need more than {} bytes at a time", self.limit))
    }
}
