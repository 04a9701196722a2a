//! Codestreams that were overwritten with zero bytes.
//!
//! Headers of packets may be zero for long: an empty packet is one zero byte, and a header has a zero bit for each code block
//! that is not in its packet. The data of packets has no such runs, and headers that were lost are misread.

use std::ops::Range;

use super::CODEC;
use super::codestream::Codestream;
use super::style::Style;
use crate::dicom::problem::Problem;

/// Zero bytes that may come together in coded data.
const CHANCE: usize = 24;
/// Samples of a code block for each further one: which of four samples is the first that is not zero is told in two bits that
/// are hardly coded, and in a regular pattern all of these may be zeros.
const SAMPLES: usize = 32;
/// Zero bytes that may come together in raw bits.
const RAW_CHANCE: usize = 256;
/// Samples of a code block for each further one: a bit-plane may be zero.
const RAW_SAMPLES: usize = 8;

/// The longest run of zero bytes in the data of packets, where there is one that no encoder writes.
#[derive(Debug, Default, Clone)]
pub(super) struct Zeros(Range<usize>);

impl Zeros {
    /// Looks through the data of a packet, which starts at byte `start` of the codestream.
    pub(super) fn add(&mut self, start: usize, data: &[u8], style: &Style, pixels: usize) {
        let chance = Self::chance(style, pixels);
        let longest = &mut self.0;
        // Longer runs cover one of these.
        let mut at = chance;
        while let Some(&byte) = data.get(at) {
            if byte == 0 {
                let is_zero = |byte: &&u8| **byte == 0;
                let before = data[..at].iter().rev().take_while(is_zero).count();
                let after = data[at..].iter().take_while(is_zero).count();
                if before + after > chance.max(longest.len()) {
                    *longest = start + at - before..start + at + after;
                }
                at += after;
            }
            at += chance;
        }
    }

    /// Refuses a run in a codestream of so many bytes.
    pub(super) fn check(&self, len: usize) -> Result<(), Problem> {
        if self.0.is_empty() { Ok(()) } else { Err(zeroed(&self.0, len)) }
    }

    /// Zero bytes that may come together in blocks of a film of so many pixels.
    fn chance(style: &Style, pixels: usize) -> usize {
        let block = pixels.min(1 << (style.block[0] + style.block[1]));
        if style.has_raw_bits() { RAW_CHANCE + block / RAW_SAMPLES } else { CHANCE + block / SAMPLES }
    }
}

/// Refuses codestreams with more zero bytes in a row than they have packets. This is why the packets of some are misread.
pub(super) fn check_all(codestream: &Codestream<'_>, packets: u64) -> Result<(), Problem> {
    let chance = if codestream.has_raw_bits() { RAW_CHANCE } else { CHANCE } as u64;
    let len = codestream.bytes.len();
    let mut run = len - codestream.body().len()..0;
    for (at, &byte) in codestream.bytes.iter().enumerate().skip(run.start) {
        if byte == 0 {
            continue;
        }
        run.end = at;
        if run.len() as u64 > chance.saturating_add(packets) {
            return Err(zeroed(&run, len));
        }
        run.start = at + 1;
    }
    Ok(())
}

fn zeroed(run: &Range<usize>, len: usize) -> Problem {
    let what =
        format!("bytes {} to {} of its {len} are zero, which no encoder writes", run.start + 1, run.end);
    Problem::FrameTruncated { codec: CODEC, what }
}
