//! The boxes of a JPEG XL file (ISO/IEC 18181-2), which some writers put around a frame's codestream.

use std::borrow::Cow;

use super::damaged;
use crate::dicom::problem::Problem;

/// The first box: its length, its name and bytes that transfers garble.
const SIGNATURE: &[u8] = b"\0\0\0\x0cJXL \r\n\x87\n";
/// Number of a part of a codestream.
const PART_NUMBER: usize = 4;

/// The codestream in a frame. Other boxes, which may be compressed, are left alone.
pub(super) fn codestream(stream: &[u8]) -> Result<Cow<'_, [u8]>, Problem> {
    let Some(mut rest) = stream.strip_prefix(SIGNATURE) else { return Ok(Cow::Borrowed(stream)) };
    let mut parts = Vec::new();
    while let Some((kind, body, next)) = read_box(rest) {
        match kind {
            b"jxlc" => return Ok(Cow::Borrowed(body)),
            b"jxlp" => parts.push(body.get(PART_NUMBER..).unwrap_or_default()),
            _ => {}
        }
        rest = next;
    }
    if parts.is_empty() { Err(damaged("it has no codestream")) } else { Ok(Cow::Owned(parts.concat())) }
}

/// A box's name, what it holds, and what follows it. One that ends early gives what there is.
fn read_box(bytes: &[u8]) -> Option<(&[u8; 4], &[u8], &[u8])> {
    let (&length, rest) = bytes.split_first_chunk()?;
    let (kind, rest) = rest.split_first_chunk::<4>()?;
    let (header, length, rest) = match u32::from_be_bytes(length) {
        1 => {
            let (&length, rest) = rest.split_first_chunk()?;
            (16, u64::from_be_bytes(length), rest)
        }
        length => (8, u64::from(length), rest),
    };
    // A box of length 0 is the last.
    let length = match length {
        0 => rest.len(),
        length => usize::try_from(length).ok()?.checked_sub(header)?.min(rest.len()),
    };
    let (body, next) = rest.split_at(length);
    Some((kind, body, next))
}
