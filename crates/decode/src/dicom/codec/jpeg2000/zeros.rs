//! Codestreams that were overwritten with zero bytes.

use super::CODEC;
use super::codestream::Codestream;
use crate::dicom::problem::Problem;

/// Refuses codestreams with more zero bytes in a row than they have packets: an empty packet is one zero byte, and coded data has
/// no such runs.
pub(super) fn check(codestream: &Codestream<'_>, packets: u64, has_raw_bits: bool) -> Result<(), Problem> {
    // Zeros that may come together without being packets. Raw bits may be zero for long.
    let chance = if has_raw_bits { 256 } else { 24 };
    let body = codestream.body();
    let start = codestream.bytes.len() - body.len();
    let mut run = 0_u64;
    for (at, &byte) in body.iter().enumerate() {
        if byte == 0 {
            run += 1;
            continue;
        }
        if run > chance && run - chance > packets {
            return Err(zeroed(run, start + at, codestream.bytes.len()));
        }
        run = 0;
    }
    Ok(())
}

fn zeroed(run: u64, end: usize, len: usize) -> Problem {
    let what =
        format!("bytes {} to {end} of its {len} are zero, which no encoder writes", end as u64 - run + 1);
    Problem::FrameTruncated { codec: CODEC, what }
}
