//! Bitmaps: whether they are whole.

use crate::error::Reason;

/// Refuses uncompressed bitmaps with fewer bytes than their rows take; compressed ones are for the decoder.
pub(super) fn check(bytes: &[u8]) -> Result<(), Reason> {
    let word = |at: usize| {
        let &word = bytes.get(at..)?.first_chunk()?;
        Some(u32::from_le_bytes(word))
    };
    let short = |at: usize| {
        let &short = bytes.get(at..)?.first_chunk()?;
        Some(u32::from(u16::from_le_bytes(short)))
    };
    let header = || {
        let (start, size) = (word(10)?, word(14)?);
        let (width, height, depth, compression) = if size == 12 {
            (short(18)?, short(20)?, short(24)?, 0)
        } else {
            // Rows from the top down have a negative number.
            (word(18)?, (word(22)? as i32).unsigned_abs(), short(28)?, if size >= 40 { word(30)? } else { 0 })
        };
        Some((start, width, height, depth, compression))
    };
    let Some((start, width, height, depth, compression)) = header() else {
        return Err(Reason::Truncated { what: "the bitmap ends inside of its header".to_owned() });
    };
    // Uncompressed, with or without masks.
    if !matches!(compression, 0 | 3 | 6) {
        return Ok(());
    }
    let row = (u64::from(width) * u64::from(depth)).div_ceil(32) * 4;
    // Some writers leave out what fills up the last row.
    let last = (u64::from(width) * u64::from(depth)).div_ceil(8);
    let there = (bytes.len() as u64).saturating_sub(start.into());
    // Sides that no bitmap has, in a damaged header, may multiply to more than 64 bits hold.
    let expected = row.saturating_mul(u64::from(height.saturating_sub(1))).saturating_add(last);
    if height > 0 && there < expected {
        let done = there / row.max(1);
        return Err(Reason::Truncated { what: format!("the bitmap ends after row {done} of {height}") });
    }
    Ok(())
}
