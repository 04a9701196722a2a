//! The headers of a codestream, for what they would make a decoder allocate.
//!
//! Decoders allocate by what the headers say before they see whether there is data for it. So the main header and those of all
//! tile-parts are read here first, as strictly as the decoders read them: what they would understand otherwise is refused.

use std::collections::BTreeMap;

use super::marker::{
    CAPABILITIES, CODING_STYLE, COMMENT, COMPONENT_CODING_STYLE, COMPONENT_QUANTIZATION, DATA, END,
    PACKED_HEADERS, PACKET_LENGTHS, PROFILE, PROGRESSION, QUANTIZATION, REGION, REGISTRATION, SIZE, Segment,
    TILE_PACKED_HEADERS, TILE_PACKET_LENGTHS, TILE_PART, TILE_PART_LENGTHS, component, cut_off, exact,
    number,
};
use super::size::Size;
use super::style::{Change, Coding, Style};
use super::{CODEC, damaged, work};
use crate::dicom::problem::Problem;

const SIGNATURE: &[u8] = &[0xff, 0x4f, 0xff, 0x51];
/// Where the first marker behind the signature's own stands.
const FIRST: usize = 2;

/// What a codestream says of itself.
#[derive(Debug)]
pub(super) struct Codestream<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) size: Size,
    /// Of all tiles that say nothing else.
    coding: Coding,
    tiles: BTreeMap<u64, Coding>,
    /// Tiles that have a part.
    seen: Vec<bool>,
    /// In the order in which they stand.
    pub(super) parts: Vec<TilePart<'a>>,
    /// Bodies of PPM segments: a number, then headers of packets.
    pub(super) packed: Vec<&'a [u8]>,
    /// Where the first tile-part starts.
    data: usize,
}

/// What a part of a tile holds.
#[derive(Debug)]
pub(super) struct TilePart<'a> {
    pub(super) tile: u64,
    /// Bodies of PPT segments: a number, then headers of packets.
    pub(super) packed: Vec<&'a [u8]>,
    /// Packets, and the byte of the codestream at which they start.
    pub(super) data: &'a [u8],
    pub(super) start: usize,
}

/// The codestream in a frame, and its size. Some writers put a whole JP2 file into a frame: its codestream is used.
pub(super) fn start(frame: &[u8]) -> Result<(&[u8], Size), Problem> {
    let start = frame.windows(SIGNATURE.len()).position(|window| window == SIGNATURE);
    let bytes = &frame[start.ok_or_else(|| damaged("it has no codestream"))?..];
    let size = Segment::at(bytes, FIRST).ok_or_else(cut_off)?;
    Ok((bytes, Size::read(size.body)?))
}

impl<'a> Codestream<'a> {
    /// Walks the main header and those of all tile-parts.
    pub(super) fn read(bytes: &'a [u8], size: Size) -> Result<Self, Problem> {
        let (coding, packed, data) = main_header(bytes, size.components.len())?;
        let seen = vec![false; size.tiles() as usize];
        let tiles = BTreeMap::new();
        let mut codestream = Self { bytes, size, coding, tiles, seen, parts: Vec::new(), packed, data };
        let mut at = data;
        // Behind the last tile-part stands the end marker, or data that stops early: the decoder says which.
        while let Some(segment) = Segment::at(bytes, at).filter(|segment| segment.code == TILE_PART) {
            at = codestream.tile_part(at, segment)?;
            work::check_parts(codestream.parts.len())?;
        }
        // Decoders make a gray one of each that is missing.
        if let Some(tile) = codestream.seen.iter().position(|&seen| !seen) {
            let what = format!("it has no part of tile {tile} of {}", codestream.seen.len());
            return Err(Problem::FrameTruncated { codec: CODEC, what });
        }
        Ok(codestream)
    }

    /// How a tile is coded.
    pub(super) fn coding(&self, tile: u64) -> &Coding {
        self.tiles.get(&tile).unwrap_or(&self.coding)
    }

    /// The changes of progression that a tile has, its own or those of all.
    pub(super) fn changes(&self, tile: u64) -> &[Change] {
        let own = &self.coding(tile).changes;
        if own.is_empty() { &self.coding.changes } else { own }
    }

    /// Bytes of packet headers that stand apart from their packets.
    pub(super) fn packed_bytes(&self) -> u64 {
        let parts = self.parts.iter().flat_map(|part| &part.packed);
        self.packed.iter().chain(parts).map(|body| body.len() as u64).sum()
    }

    /// Whether any block may have bits that are written as they are.
    pub(super) fn has_raw_bits(&self) -> bool {
        let mut codings = self.tiles.values().chain([&self.coding]);
        codings.any(|coding| coding.styles.iter().any(Style::has_raw_bits))
    }

    /// Tile-parts and what they hold.
    pub(super) fn body(&self) -> &'a [u8] {
        &self.bytes[self.data..]
    }

    /// Reads the header of a tile-part; gives where the next one starts.
    fn tile_part(&mut self, start: usize, segment: Segment<'_>) -> Result<usize, Problem> {
        exact(segment.code, segment.body.len(), 8)?;
        let tile = u64::from(number(&segment.body[..2]));
        let Some(seen) = self.seen.get_mut(tile as usize) else {
            return Err(damaged(format!("it has a part of tile {tile} of {}", self.seen.len())));
        };
        *seen = true;
        let end = match number(&segment.body[2..6]) as usize {
            0 => self.bytes.len(),
            len => start.saturating_add(len),
        };
        let mut at = segment.next;
        let mut packed = Vec::new();
        loop {
            let segment = Segment::at(self.bytes, at).ok_or_else(cut_off)?;
            at = segment.next;
            if at > end {
                return Err(damaged("its tiles overlap"));
            }
            match segment.code {
                DATA => {
                    // The decoder refuses data that is cut off.
                    let data = self.bytes.get(at..end.min(self.bytes.len())).unwrap_or_default();
                    self.parts.push(TilePart { tile, packed, data, start: at });
                    return Ok(end);
                }
                CODING_STYLE => self.own(tile).replace(segment.body)?,
                COMPONENT_CODING_STYLE => self.own(tile).component(segment.body, None)?,
                PROGRESSION => self.own(tile).progression(segment.body),
                TILE_PACKED_HEADERS => packed.push(segment.body),
                TILE_PACKET_LENGTHS | COMMENT => {}
                _ => common(&segment, self.size.components.len())?,
            }
        }
    }

    /// A tile's own coding, at first that of all.
    fn own(&mut self, tile: u64) -> &mut Coding {
        self.tiles.entry(tile).or_insert_with(|| Coding { changes: Vec::new(), ..self.coding.clone() })
    }
}

/// The coding of all tiles, packet headers that stand apart, and where the first tile-part starts.
fn main_header(bytes: &[u8], components: usize) -> Result<(Coding, Vec<&[u8]>, usize), Problem> {
    let (mut coding, mut of_components, mut changes) = (None, Vec::new(), Vec::new());
    let mut packed = Vec::new();
    let mut at = Segment::at(bytes, FIRST).ok_or_else(cut_off)?.next;
    let data = loop {
        let segment = Segment::at(bytes, at).ok_or_else(cut_off)?;
        match segment.code {
            TILE_PART => break at,
            CODING_STYLE => coding = Some(Coding::read(segment.body, components)?),
            // They hold whether they stand before or behind the style of all.
            COMPONENT_CODING_STYLE => of_components.push(segment.body),
            PROGRESSION => changes.push(segment.body),
            PACKED_HEADERS => packed.push(segment.body),
            CAPABILITIES | PROFILE | TILE_PART_LENGTHS | PACKET_LENGTHS | REGISTRATION | COMMENT => {}
            SIZE => return Err(damaged("it has two sizes")),
            _ => common(&segment, components)?,
        }
        at = segment.next;
    };
    let mut coding = coding.ok_or_else(|| damaged("it has no coding style"))?;
    let markers = coding.markers();
    of_components.into_iter().try_for_each(|body| coding.component(body, Some(markers)))?;
    for body in changes {
        coding.progression(body);
    }
    Ok((coding, packed, data))
}

/// Segments of both headers that make a decoder allocate nothing, if they are as long as their fields.
fn common(segment: &Segment<'_>, components: usize) -> Result<(), Problem> {
    let quantization = |body: &[u8]| match body.split_first() {
        None => Err(cut_off()),
        // One step for all bands, or one of two bytes for each.
        Some((style, steps)) if style & 31 == 1 => exact(segment.code, steps.len(), 2),
        Some((style, steps)) if style & 31 == 2 => exact(segment.code, steps.len(), steps.len() & !1),
        Some(_) => Ok(()),
    };
    match segment.code {
        QUANTIZATION => quantization(segment.body),
        COMPONENT_QUANTIZATION => quantization(component(segment.body, components)?.1),
        REGION => exact(segment.code, component(segment.body, components)?.1.len(), 2),
        0xff30..=0xff3f => Ok(()),
        END => Err(cut_off()),
        code => Err(Problem::CodecFeature { codec: CODEC, what: format!("marker {code:04x}") }),
    }
}
