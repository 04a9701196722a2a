//! The bytes of one frame.

use std::borrow::Cow;

use dicom_dictionary_std::tags;

use super::element::{DataSet, Element, Value};
use super::layout::{Layout, Photometric};
use super::problem::Problem;
use super::syntax::Compression;
use crate::jpeg::start_of_image;

/// A frame as it lies in the file.
#[derive(Debug)]
pub(crate) enum FrameBytes<'a> {
    /// Uncompressed, from this bit of its first byte on.
    Native { bytes: Cow<'a, [u8]>, first_bit: u8, big_endian: bool },
    /// A compressed stream.
    Stream(Cow<'a, [u8]>),
}

/// Finds frame `index`.
pub(crate) fn find<'a>(
    data: &DataSet<'a>,
    layout: &Layout,
    compression: Compression,
    index: u32,
) -> Result<FrameBytes<'a>, Problem> {
    let Some(element) = data.get(tags::PIXEL_DATA) else {
        return Err(Problem::missing("PixelData"));
    };
    if index >= layout.frames {
        return Err(Problem::NoSuchFrame { frame: index, frames: layout.frames });
    }
    match (&element.value, compression) {
        (Value::Bytes(bytes), Compression::Native) => native(bytes, element, data, layout, index),
        (Value::Bytes(_) | Value::Items(_) | Value::Unreadable(_), _) => Err(Problem::Misplaced {
            tag: "(7fe0,0010)".into(),
            at: 0,
            expected: "compressed pixel data in fragments",
        }),
        // Fragments although the transfer syntax says, or nothing says, that there is no compression.
        (Value::Fragments(_), Compression::Native) => Err(Problem::TransferSyntaxMissing),
        (Value::Fragments(fragments), _) => {
            let stream = fragments_of(data, fragments, layout.frames, compression, index)?;
            if compression == Compression::Fragments {
                let needed = frame_bits(layout).div_ceil(8);
                if (stream.len() as u64) < needed {
                    return Err(Problem::PixelDataShort { needed, actual: stream.len() as u64 });
                }
                return Ok(FrameBytes::Native { bytes: stream, first_bit: 0, big_endian: false });
            }
            Ok(FrameBytes::Stream(stream))
        }
    }
}

/// Bits of an uncompressed frame.
fn frame_bits(layout: &Layout) -> u64 {
    let samples = match layout.photometric {
        Photometric::Ybr { halved: true } => layout.pixels() * 2,
        _ => layout.samples(),
    };
    samples as u64 * u64::from(layout.allocated)
}

fn native<'a>(
    bytes: &'a [u8],
    element: &Element<'a>,
    data: &DataSet<'a>,
    layout: &Layout,
    index: u32,
) -> Result<FrameBytes<'a>, Problem> {
    let bits = frame_bits(layout);
    // Sizes are 16 and frames 32 bits wide, so that this cannot overflow: 2 · 16 + 2 + 5 + 32 bits would, checked does not.
    let first = bits.checked_mul(u64::from(index));
    let end = first.and_then(|first| first.checked_add(bits)).map_or(u64::MAX, |end| end.div_ceil(8));
    if end > bytes.len() as u64 {
        return Err(Problem::PixelDataShort { needed: end, actual: bytes.len() as u64 });
    }
    let first = first.unwrap_or_default();
    let big_endian = data.encoding().big_endian;
    // Big-endian words swap the bytes of smaller samples as well.
    let swapped = big_endian && layout.allocated < 16 && &element.vr == b"OW";
    let start = (first / 8) as usize;
    let bytes = if swapped {
        let even = start & !1;
        let words = &bytes[even..bytes.len().min((end as usize).next_multiple_of(2))];
        let mut swapped = words.to_vec();
        for pair in swapped.chunks_exact_mut(2) {
            pair.swap(0, 1);
        }
        swapped.drain(..start - even);
        Cow::Owned(swapped)
    } else {
        Cow::Borrowed(&bytes[start..end as usize])
    };
    Ok(FrameBytes::Native { bytes, first_bit: (first % 8) as u8, big_endian })
}

/// The fragments of a frame, joined. Which those are says, in this order: that there is one frame, or a fragment for each;
/// an offset table; how fragments start.
fn fragments_of<'a>(
    data: &DataSet<'a>,
    fragments: &[&'a [u8]],
    frames: u32,
    compression: Compression,
    index: u32,
) -> Result<Cow<'a, [u8]>, Problem> {
    let Some((table, fragments)) = fragments.split_first() else {
        return Err(Problem::PixelDataShort { needed: 1, actual: 0 });
    };
    if fragments.is_empty() {
        return Err(Problem::PixelDataShort { needed: 1, actual: 0 });
    }
    let count = frames as usize;
    let index = index as usize;
    if count == 1 {
        return Ok(join(fragments));
    }
    if count == fragments.len() {
        return Ok(Cow::Borrowed(fragments[index]));
    }
    // Some writers leave fragments empty.
    let mut full = fragments.iter().filter(|fragment| !fragment.is_empty());
    if full.clone().count() == count {
        return Ok(full.nth(index).map_or(Cow::Borrowed(&[]), |fragment| Cow::Borrowed(fragment)));
    }
    let unknown = Problem::FrameBorders { frames, fragments: fragments.len() };
    let starts = offsets(data, table, count)
        .and_then(|offsets| starts_by_offset(fragments, &offsets))
        .or_else(|| starts_by_content(fragments, compression))
        .filter(|starts| starts.len() == count)
        .ok_or(unknown)?;
    let end = starts.get(index + 1).copied().unwrap_or(fragments.len());
    Ok(join(&fragments[starts[index]..end]))
}

fn join<'a>(fragments: &[&'a [u8]]) -> Cow<'a, [u8]> {
    match fragments {
        [one] => Cow::Borrowed(one),
        many => Cow::Owned(many.concat()),
    }
}

/// Where frames start, in bytes from the first fragment's header on.
fn offsets(data: &DataSet<'_>, basic: &[u8], frames: usize) -> Option<Vec<u64>> {
    let basic: Vec<_> = basic.as_chunks().0.iter().map(|word| u64::from(u32::from_le_bytes(*word))).collect();
    if basic.len() == frames {
        return Some(basic);
    }
    let extended = data.bytes(tags::EXTENDED_OFFSET_TABLE)?;
    let extended: Vec<_> = extended.as_chunks().0.iter().map(|word| u64::from_le_bytes(*word)).collect();
    (extended.len() == frames).then_some(extended)
}

/// The fragment that each offset points to; none where one points between fragments or they do not ascend.
fn starts_by_offset(fragments: &[&[u8]], offsets: &[u64]) -> Option<Vec<usize>> {
    let mut starts = Vec::with_capacity(offsets.len());
    let mut position = 0;
    let mut wanted = offsets.iter().peekable();
    for (number, fragment) in fragments.iter().enumerate() {
        if wanted.next_if_eq(&&position).is_some() {
            starts.push(number);
        }
        position += 8 + fragment.len() as u64;
    }
    (starts.len() == offsets.len() && starts.first() == Some(&0)).then_some(starts)
}

/// The fragments that start as every frame of this compression does.
fn starts_by_content(fragments: &[&[u8]], compression: Compression) -> Option<Vec<usize>> {
    let magic = compression.magic();
    let is_start = |fragment: &[u8]| match compression {
        // Padding may come before the image.
        Compression::Jpeg | Compression::JpegLs => start_of_image(fragment).is_some(),
        _ => fragment.starts_with(magic),
    };
    let full = fragments.iter().position(|fragment| !fragment.is_empty())?;
    let mut starts: Vec<_> = (0..fragments.len()).filter(|&number| is_start(fragments[number])).collect();
    if magic.is_empty() || starts.first() != Some(&full) {
        return None;
    }
    starts[0] = 0;
    Some(starts)
}
