//! DICOM's run-length coding (PS3.5, annex G): a segment for every byte of a sample, most significant first, each in
//! `PackBits`.

use super::{Decoded, check_size, native};
use crate::dicom::layout::Layout;
use crate::dicom::problem::Problem;
use crate::dicom::samples::Samples;

const CODEC: &str = "RLE";
/// Bytes of the header: the number of segments and fifteen offsets.
const HEADER: usize = 64;
/// Pairs of zeros in a row that are not data.
const PAIRS: usize = 8;

pub(super) fn decode(stream: &[u8], layout: &Layout) -> Result<Decoded, Problem> {
    if layout.allocated < 8 {
        return Err(Problem::CodecFeature {
            codec: CODEC,
            what: format!("{} bits allocated", layout.allocated),
        });
    }
    let samples = usize::from(layout.photometric.samples());
    let bytes = usize::from(layout.allocated / 8);
    let segments = segments(stream)?;
    if segments.len() != samples * bytes {
        let found = segments.len() as u32;
        return check_size(CODEC, layout, layout.width, layout.height, found / bytes as u32)
            .and_then(|()| Err(damaged(format!("has {found} segments"))));
    }
    let pixels = layout.pixels();
    let mut plane = Vec::with_capacity(pixels);
    let mut narrow = vec![0_u16; if bytes <= 2 { samples * pixels } else { 0 }];
    let mut wide = vec![0_u32; if bytes > 2 { samples * pixels } else { 0 }];
    for (number, segment) in segments.iter().enumerate() {
        plane.clear();
        if !unpack(segment, pixels, &mut plane) {
            let at = plane.len();
            let what = format!(
                "segment {} is overwritten with zero bytes before sample {at} of {pixels}",
                number + 1
            );
            return Err(Problem::FrameTruncated { codec: CODEC, what });
        }
        if plane.len() < pixels {
            let what = format!(
                "segment {} of {} ends after sample {} of {pixels}",
                number + 1,
                segments.len(),
                plane.len()
            );
            return Err(Problem::FrameTruncated { codec: CODEC, what });
        }
        let start = number / bytes * pixels;
        for (pixel, &byte) in plane.iter().enumerate() {
            if bytes <= 2 {
                narrow[start + pixel] = narrow[start + pixel] << 8 | u16::from(byte);
            } else {
                wide[start + pixel] = wide[start + pixel] << 8 | u32::from(byte);
            }
        }
    }
    let planes = if bytes <= 2 { Samples::Narrow(narrow) } else { Samples::Wide(wide) };
    let samples = if samples == 3 { native::interleave(planes) } else { planes };
    Ok(Decoded { samples, precision: layout.allocated, rgb: false, notes: Vec::new() })
}

fn segments(stream: &[u8]) -> Result<Vec<&[u8]>, Problem> {
    let Some((header, _)) = stream.split_at_checked(HEADER) else {
        return Err(damaged(format!("has {} bytes, its header {HEADER}", stream.len())));
    };
    let words: Vec<_> = header.as_chunks().0.iter().map(|word| u32::from_le_bytes(*word) as usize).collect();
    let count = words[0];
    if count == 0 || count >= words.len() {
        return Err(damaged(format!("has {count} segments")));
    }
    let starts = &words[1..=count];
    let ends = starts[1..].iter().copied().chain([stream.len()]);
    let segment = |(&start, end): (&usize, usize)| {
        if start < HEADER { None } else { stream.get(start..end) }
    };
    starts
        .iter()
        .zip(ends)
        .map(segment)
        .collect::<Option<_>>()
        .ok_or_else(|| damaged("has segments outside of itself".to_owned()))
}

/// At most `limit` bytes of a segment. One that stops in the middle gives what it has. False where it holds zeros that no encoder
/// writes: pairs of a zero that says that one byte follows as it is, and that byte, also zero.
fn unpack(mut segment: &[u8], limit: usize, plane: &mut Vec<u8>) -> bool {
    let mut pairs = 0;
    while plane.len() < limit {
        let Some((&control, rest)) = segment.split_first() else { return true };
        pairs = if segment.starts_with(&[0, 0]) { pairs + 1 } else { 0 };
        if pairs == PAIRS {
            return false;
        }
        segment = rest;
        let room = limit - plane.len();
        match control {
            0..=127 => {
                let len = (usize::from(control) + 1).min(segment.len());
                plane.extend_from_slice(&segment[..len.min(room)]);
                segment = &segment[len..];
            }
            128 => {}
            129..=255 => {
                let Some((&byte, rest)) = segment.split_first() else { return true };
                segment = rest;
                plane.extend(std::iter::repeat_n(byte, (257 - usize::from(control)).min(room)));
            }
        }
    }
    true
}

fn damaged(message: String) -> Problem {
    Problem::Frame { codec: CODEC, message }
}
