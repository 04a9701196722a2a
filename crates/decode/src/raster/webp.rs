//! WebP files: whether they are whole, and which way up.

use super::orientation::Orientation;
use crate::error::Reason;

/// `RIFF`, a length and `WEBP`.
const HEADER: usize = 12;

/// Zero bytes at the end of coded data that no encoder writes: its codes are nearly as good as random.
const LEAST_ZEROS: usize = 64;

/// What the chunk with EXIF data says, of a file with all bytes that its chunks promise.
pub(super) fn check(bytes: &[u8]) -> Result<Orientation, Reason> {
    let cut = || Reason::Truncated { what: "the WebP file is shorter than its header says".to_owned() };
    let length = |at: usize| {
        let &length = bytes.get(at..)?.first_chunk()?;
        Some(u32::from_le_bytes(length) as usize)
    };
    let end = length(4).and_then(|length| length.checked_add(8)).ok_or_else(cut)?;
    // The last byte may be padding, which some writers count and leave out.
    if end > bytes.len() + 1 {
        return Err(cut());
    }
    let end = end.min(bytes.len());
    let mut at = HEADER;
    let mut orientation = Orientation::default();
    while at + 8 <= end {
        let length = length(at + 4).ok_or_else(cut)?;
        let body = bytes.get(at + 8..).and_then(|rest| rest.get(..length)).ok_or_else(cut)?;
        if bytes[at..].starts_with(b"VP8") {
            let zeros = body.iter().rev().take_while(|&&byte| byte == 0).count();
            if zeros >= LEAST_ZEROS {
                let what = format!("the last {zeros} bytes of the WebP data are zero");
                return Err(Reason::Truncated { what });
            }
        }
        if bytes[at..].starts_with(b"EXIF") {
            orientation = Orientation::of_exif(body.strip_prefix(b"Exif\0\0").unwrap_or(body));
        }
        at += 8 + length.next_multiple_of(2);
    }
    Ok(orientation)
}
