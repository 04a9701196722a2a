//! PNG files: which way up they are, and their end. All else is for the decoder, which checks every sum.

use std::borrow::Cow;

use super::orientation::Orientation;

const SIGNATURE: usize = 8;
/// A chunk's length, kind and checksum.
const FRAME: usize = 12;
/// The last chunk.
const END: [u8; FRAME] = [0, 0, 0, 0, b'I', b'E', b'N', b'D', 0xae, 0x42, 0x60, 0x82];

/// What the chunks say.
pub(super) struct Chunks<'a> {
    /// The file with its last chunk: whether all rows are there is for the decoder.
    pub(super) bytes: Cow<'a, [u8]>,
    pub(super) has_end: bool,
    pub(super) orientation: Orientation,
}

/// Walks all chunks. The one with EXIF data may stand before or behind the pixels.
pub(super) fn walk(bytes: &[u8]) -> Chunks<'_> {
    let mut chunks =
        Chunks { bytes: Cow::Borrowed(bytes), has_end: false, orientation: Orientation::default() };
    let mut has_pixels = false;
    let mut at = SIGNATURE;
    while let Some((length, kind)) = header(bytes, at) {
        let Some(body) = bytes.get(at + 8..).and_then(|rest| rest.get(..length)) else { return chunks };
        if bytes.len() < at + FRAME + length {
            if kind == b"IEND" {
                break;
            }
            return chunks;
        }
        match kind {
            b"IDAT" => has_pixels = true,
            // Some writers put the marker of JPEG in front.
            b"eXIf" => {
                chunks.orientation = Orientation::of_exif(body.strip_prefix(b"Exif\0\0").unwrap_or(body));
            }
            b"IEND" => {
                chunks.has_end = true;
                return chunks;
            }
            _ => {}
        }
        at += FRAME + length;
    }
    if has_pixels {
        chunks.bytes = Cow::Owned([&bytes[..at.min(bytes.len())], &END].concat());
    }
    chunks
}

fn header(bytes: &[u8], at: usize) -> Option<(usize, &[u8; 4])> {
    let (&length, rest) = bytes.get(at..)?.split_first_chunk()?;
    Some((u32::from_be_bytes(length) as usize, rest.first_chunk()?))
}
