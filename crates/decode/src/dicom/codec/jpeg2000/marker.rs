//! Markers of a codestream and their segments (T.800, annex A).

use super::damaged;
use crate::dicom::problem::Problem;

pub(super) const START: u16 = 0xff4f;
pub(super) const CAPABILITIES: u16 = 0xff50;
pub(super) const SIZE: u16 = 0xff51;
pub(super) const CODING_STYLE: u16 = 0xff52;
pub(super) const COMPONENT_CODING_STYLE: u16 = 0xff53;
pub(super) const TILE_PART_LENGTHS: u16 = 0xff55;
pub(super) const PACKET_LENGTHS: u16 = 0xff57;
pub(super) const TILE_PACKET_LENGTHS: u16 = 0xff58;
pub(super) const PROFILE: u16 = 0xff59;
pub(super) const QUANTIZATION: u16 = 0xff5c;
pub(super) const COMPONENT_QUANTIZATION: u16 = 0xff5d;
pub(super) const REGION: u16 = 0xff5e;
pub(super) const PROGRESSION: u16 = 0xff5f;
pub(super) const PACKED_HEADERS: u16 = 0xff60;
pub(super) const TILE_PACKED_HEADERS: u16 = 0xff61;
pub(super) const REGISTRATION: u16 = 0xff63;
pub(super) const COMMENT: u16 = 0xff64;
pub(super) const TILE_PART: u16 = 0xff90;
pub(super) const DATA: u16 = 0xff93;
pub(super) const END: u16 = 0xffd9;

/// A marker, what belongs to it, and where the next one starts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Segment<'a> {
    pub(super) code: u16,
    pub(super) body: &'a [u8],
    pub(super) next: usize,
}

impl<'a> Segment<'a> {
    /// The segment at this place; none where the stream ends early or no marker stands there.
    pub(super) fn at(bytes: &'a [u8], at: usize) -> Option<Self> {
        let (&code, rest) = bytes.get(at..)?.split_first_chunk()?;
        let code = u16::from_be_bytes(code);
        if code < 0xff00 {
            return None;
        }
        // Markers that have no segment.
        if matches!(code, START | DATA | END | 0xff30..=0xff3f) {
            return Some(Self { code, body: &[], next: at + 2 });
        }
        let len = usize::from(u16::from_be_bytes(*rest.first_chunk()?));
        Some(Self { code, body: rest.get(2..len)?, next: at + 2 + len })
    }
}

/// The big-endian number of these bytes.
pub(super) fn number(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |number, &byte| number << 8 | u32::from(byte))
}

/// A component's number and the rest of a segment that starts with it.
pub(super) fn component(body: &[u8], components: usize) -> Result<(usize, &[u8]), Problem> {
    let width = if components < 257 { 1 } else { 2 };
    let (index, rest) = body.split_at_checked(width).ok_or_else(cut_off)?;
    let index = number(index) as usize;
    if index >= components {
        return Err(damaged(format!("its headers speak of component {index} of {components}")));
    }
    Ok((index, rest))
}

pub(super) fn cut_off() -> Problem {
    damaged("its headers are cut off")
}

/// Refuses a segment that is longer or shorter than its own fields say. Decoders read the fields and not the length, so that they
/// would take what is left for further segments.
pub(super) fn exact(code: u16, actual: usize, expected: usize) -> Result<(), Problem> {
    if actual == expected {
        return Ok(());
    }
    Err(damaged(format!("its segment {code:04x} has {actual} bytes where its fields take {expected}")))
}
