//! Uncompressed samples.

use super::Decoded;
use crate::dicom::layout::{Layout, Photometric};
use crate::dicom::samples::Samples;

/// `bytes` holds the whole frame, from `first_bit` on where samples are single bits.
pub(super) fn decode(bytes: &[u8], first_bit: u8, big_endian: bool, layout: &Layout) -> Decoded {
    let count = match layout.photometric {
        Photometric::Ybr { halved: true } => layout.pixels() * 2,
        _ => layout.samples(),
    };
    let samples = match layout.allocated {
        1 => Samples::Narrow(bits(bytes, first_bit, count)),
        8 => Samples::Narrow(bytes[..count].iter().map(|&byte| u16::from(byte)).collect()),
        16 => Samples::Narrow(
            bytes.as_chunks().0[..count]
                .iter()
                .map(|&pair| if big_endian { u16::from_be_bytes(pair) } else { u16::from_le_bytes(pair) })
                .collect(),
        ),
        _ => Samples::Wide(
            bytes.as_chunks().0[..count]
                .iter()
                .map(|&quad| if big_endian { u32::from_be_bytes(quad) } else { u32::from_le_bytes(quad) })
                .collect(),
        ),
    };
    let samples = match samples {
        Samples::Narrow(words) if matches!(layout.photometric, Photometric::Ybr { halved: true }) => {
            Samples::Narrow(whole_chroma(&words))
        }
        samples if layout.planar => interleave(samples),
        samples => samples,
    };
    Decoded { samples, precision: layout.allocated, rgb: false, notes: Vec::new() }
}

/// Single bits, the lowest of a byte first.
fn bits(bytes: &[u8], first_bit: u8, count: usize) -> Vec<u16> {
    let first = usize::from(first_bit);
    (first..first + count).map(|bit| u16::from(bytes[bit / 8] >> (bit % 8) & 1)).collect()
}

/// Luma of two pixels and the chroma that they share become three samples each.
fn whole_chroma(words: &[u16]) -> Vec<u16> {
    words
        .as_chunks()
        .0
        .iter()
        .flat_map(|&[first, second, blue, red]| [first, blue, red, second, blue, red])
        .collect()
}

/// Planes become pixels.
pub(super) fn interleave(samples: Samples) -> Samples {
    match samples {
        Samples::Narrow(planes) => Samples::Narrow(interleaved(&planes)),
        Samples::Wide(planes) => Samples::Wide(interleaved(&planes)),
    }
}

fn interleaved<T: Copy>(planes: &[T]) -> Vec<T> {
    let len = planes.len() / 3;
    (0..len).flat_map(|pixel| [planes[pixel], planes[len + pixel], planes[2 * len + pixel]]).collect()
}
