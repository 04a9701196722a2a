//! PNG files: which way up they are, and their end. All else is for the decoder, which checks every sum.

use std::borrow::Cow;

use super::orientation::Orientation;

const SIGNATURE: usize = 8;
/// A chunk's length, kind and checksum.
const FRAME: usize = 12;
/// The last chunk.
const END: [u8; FRAME] = [0, 0, 0, 0, b'I', b'E', b'N', b'D', 0xae, 0x42, 0x60, 0x82];

/// Chunks that are compressed and say nothing of pixels: color profiles and texts. A few bytes of them may hold gigabytes.
const COMPRESSED: [&[u8; 4]; 3] = [b"iCCP", b"zTXt", b"iTXt"];

/// What the chunks say.
pub(super) struct Chunks<'a> {
    /// The file with its last chunk and without those that only decompress: whether all rows are there is for the decoder.
    pub(super) bytes: Cow<'a, [u8]>,
    pub(super) has_end: bool,
    pub(super) orientation: Orientation,
}

/// Walks all chunks. The one with EXIF data may stand before or behind the pixels.
pub(super) fn walk(bytes: &[u8]) -> Chunks<'_> {
    let mut chunks =
        Chunks { bytes: Cow::Borrowed(bytes), has_end: false, orientation: Orientation::default() };
    let mut has_pixels = false;
    let mut is_cut = false;
    let mut left_out = Vec::new();
    let mut at = SIGNATURE;
    while let Some((length, kind)) = header(bytes, at) {
        let body = bytes.get(at + 8..).and_then(|rest| rest.get(..length));
        let Some(body) = body.filter(|_| bytes.len() >= at + FRAME + length) else {
            is_cut = body.is_none() || kind != b"IEND";
            break;
        };
        match kind {
            b"IDAT" => has_pixels = true,
            // Some writers put the marker of JPEG in front.
            b"eXIf" => {
                chunks.orientation = Orientation::of_exif(body.strip_prefix(b"Exif\0\0").unwrap_or(body));
            }
            kind if COMPRESSED.contains(&kind) => left_out.push(at..at + FRAME + length),
            b"IEND" => {
                chunks.has_end = true;
                break;
            }
            _ => {}
        }
        at += FRAME + length;
    }
    let lacks_end = has_pixels && !chunks.has_end && !is_cut;
    if left_out.is_empty() && !lacks_end {
        return chunks;
    }
    let mut kept = Vec::with_capacity(bytes.len());
    let mut start = 0;
    for chunk in left_out {
        kept.extend(&bytes[start..chunk.start]);
        start = chunk.end;
    }
    if lacks_end {
        kept.extend(&bytes[start..at.min(bytes.len())]);
        kept.extend(END);
    } else {
        kept.extend(&bytes[start..]);
    }
    chunks.bytes = Cow::Owned(kept);
    chunks
}

fn header(bytes: &[u8], at: usize) -> Option<(usize, &[u8; 4])> {
    let (&length, rest) = bytes.get(at..)?.split_first_chunk()?;
    Some((u32::from_be_bytes(length) as usize, rest.first_chunk()?))
}
