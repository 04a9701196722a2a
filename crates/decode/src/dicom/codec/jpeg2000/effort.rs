//! How long a decoder would work on the code blocks of a codestream.
//!
//! Each coding pass visits all samples of its block, whether there is data for it or not: where the data ends, decoders continue
//! with bits of their own. A film of 16 megapixels whose blocks state 94 passes has 19 KB and takes up to six seconds.
//!
//! A sample's bit in a bit-plane is coded in one of three passes, and takes a bit of data if it is noise. So a byte of data pays
//! for 24 visits, and visits beyond these are bounded. Films of 8, 12 and 16 bits that `OpenJPEG` wrote, lossless and at several
//! rates, in blocks of every style, have up to 7 of them for each pixel where there is noise, and up to 21 if each block has a
//! white point as well. Without any noise, letters and points in all blocks come to 20 with 8 bits, 31 with 12 bits and 43 with
//! 16 bits: only such a film is refused, if it has more than 12 or 8 megapixels, or a third of that in three colors.

use super::packet::Block;
use super::style::Style;
use super::{CODEC, Decoder};
use crate::dicom::problem::Problem;

/// Visits that a byte of data pays for.
const PAID: u64 = 24;
/// Visits without data for them that a pixel may have.
const MAX_UNPAID: u64 = 22;
/// Smaller films may have as many visits as one of this size, for which decoders take less than two seconds.
const PIXELS: u64 = 16 << 20;
/// Passes of a block with raw bits that have none (table D.9).
const CODED: u8 = 10;

/// The work on all code blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Effort {
    decoder: Decoder,
    samples: u64,
    /// Visits of a sample in a pass.
    visits: u64,
    /// Those that no data pays for, slow ones half as much again.
    unpaid: u64,
    /// Of data.
    bytes: u64,
}

impl Effort {
    pub(super) fn new(decoder: Decoder) -> Self {
        Self { decoder, samples: 0, visits: 0, unpaid: 0, bytes: 0 }
    }

    /// Adds a code block of so many columns and rows.
    pub(super) fn add(&mut self, block: &Block, [columns, rows]: [u64; 2], flags: u8) {
        let samples = columns * rows;
        let visits = samples * u64::from(block.passes);
        self.samples += samples;
        self.visits += visits;
        self.bytes += block.bytes;
        let unpaid = visits.saturating_sub(PAID.saturating_mul(block.bytes));
        if unpaid > 0 {
            let slow = u64::from(self.slow_passes(block.passes, rows, flags));
            self.unpaid += unpaid + unpaid * slow / (2 * u64::from(block.passes));
        }
    }

    /// Passes for which decoders take half as long again. The plain one is faster with blocks that have one termination, whole
    /// stripes of four rows and no causal contexts.
    fn slow_passes(&self, passes: u8, rows: u64, flags: u8) -> u8 {
        let is_fast = self.decoder == Decoder::Plain && rows.is_multiple_of(4);
        if flags & Style::BYPASS != 0 {
            passes.min(CODED)
        } else if is_fast && flags & (Style::TERMINATION | Style::CAUSAL) == 0 {
            0
        } else {
            passes
        }
    }

    /// Refuses what takes far longer than any film of so many pixels.
    pub(super) fn check(&self, pixels: u64) -> Result<(), Problem> {
        if self.unpaid <= MAX_UNPAID * pixels.max(PIXELS) {
            return Ok(());
        }
        let passes = self.visits / self.samples.max(1);
        let what = format!(
            "{passes} coding passes over {} samples, with {} bytes of data",
            self.samples, self.bytes
        );
        Err(Problem::FrameExcessive { codec: CODEC, what })
    }
}
