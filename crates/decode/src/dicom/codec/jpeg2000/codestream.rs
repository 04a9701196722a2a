//! The headers of a codestream, for what they would make a decoder allocate.

use crate::dicom::problem::Problem;

use super::{CODEC, damaged};

const START: &[u8] = &[0xff, 0x4f, 0xff, 0x51];
const SIZE: u16 = 0xff51;
const CODING_STYLE: u16 = 0xff52;
const COMPONENT_CODING_STYLE: u16 = 0xff53;
const TILE_PART: u16 = 0xff90;
const DATA: u16 = 0xff93;
const END: u16 = 0xffd9;

/// Bytes that the shortest tile-part takes: its header and the marker before its data.
const MIN_TILE_PART: u64 = 14;

/// What a codestream says of itself.
#[derive(Debug)]
pub(super) struct Codestream<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) components: Vec<Component>,
    tiles: u64,
    /// Side lengths of the smallest precinct, as powers of two, and of the smallest code block.
    precinct: [u32; 2],
    block: [u32; 2],
    levels: u32,
    layers: u32,
    /// Some bits are not coded but written as they are.
    has_raw_bits: bool,
    /// Where the first tile-part starts.
    data: usize,
}

/// Depth of a component.
#[derive(Debug, Clone, Copy)]
pub(super) struct Component {
    pub(super) precision: u8,
    pub(super) signed: bool,
    subsampled: bool,
}

impl<'a> Codestream<'a> {
    /// Walks the main header and those of all tile-parts. Some writers put a whole JP2 file into a frame: its codestream is
    /// used.
    pub(super) fn read(stream: &'a [u8]) -> Result<Self, Problem> {
        let start = stream.windows(START.len()).position(|window| window == START);
        let bytes = &stream[start.ok_or_else(|| damaged("it has no codestream"))?..];
        let mut codestream = Self::size(segment(bytes, 2).ok_or_else(cut_off)?.1)?;
        codestream.bytes = bytes;
        let mut at = 2;
        let mut tile_part = None;
        while at < bytes.len() {
            let Some((code, body)) = segment(bytes, at) else {
                // Padding, or data that stops early; the decoder says which.
                break;
            };
            match code {
                END => break,
                SIZE if at > 2 => return Err(damaged("it has two sizes")),
                CODING_STYLE => {
                    let layers = body
                        .get(2..4)
                        .and_then(<[u8]>::first_chunk)
                        .map_or(1, |&two| u16::from_be_bytes(two));
                    codestream.layers = codestream.layers.max(layers.into());
                    codestream.coding_style(body.get(5..).unwrap_or_default(), body.first());
                }
                COMPONENT_CODING_STYLE => {
                    let skip = if codestream.components.len() < 257 { 1 } else { 2 };
                    codestream.coding_style(body.get(skip + 1..).unwrap_or_default(), body.get(skip));
                }
                TILE_PART => {
                    if codestream.data == 0 {
                        codestream.data = at;
                    }
                    let len = body
                        .get(2..6)
                        .and_then(<[u8]>::first_chunk)
                        .map_or(0, |&len| u32::from_be_bytes(len));
                    tile_part = Some(if len == 0 { bytes.len() } else { at.saturating_add(len as usize) });
                }
                DATA => {
                    at = tile_part
                        .take()
                        .filter(|&end| end > at)
                        .ok_or_else(|| damaged("its tiles overlap"))?;
                    continue;
                }
                _ => {}
            }
            at += 2 + if code == DATA { 0 } else { body.len() + 2 };
        }
        Ok(codestream)
    }

    fn size(body: &[u8]) -> Result<Self, Problem> {
        let word = |at| body.get(at..).and_then(<[u8]>::first_chunk).map(|&four| u32::from_be_bytes(four));
        let words: Option<Vec<_>> = (0..8).map(|number| word(2 + 4 * number)).collect();
        let [right, bottom, left, top, tile_width, tile_height, tile_left, tile_top] =
            words.ok_or_else(cut_off)?[..]
        else {
            return Err(cut_off());
        };
        let count = body.get(34..36).ok_or_else(cut_off)?;
        let count = usize::from(u16::from_be_bytes([count[0], count[1]]));
        let components: Vec<_> = body[36..]
            .as_chunks()
            .0
            .iter()
            .map(|&[depth, horizontal, vertical]| Component {
                precision: (depth & 0x7f) + 1,
                signed: depth >> 7 == 1,
                subsampled: (horizontal, vertical) != (1, 1),
            })
            .collect();
        if components.len() != count || tile_width == 0 || tile_height == 0 {
            return Err(damaged("its size is impossible"));
        }
        let tiles =
            |end: u32, start: u32, side: u32| u64::from(end.saturating_sub(start)).div_ceil(u64::from(side));
        Ok(Self {
            bytes: &[],
            width: right.saturating_sub(left),
            height: bottom.saturating_sub(top),
            components,
            tiles: tiles(right, tile_left, tile_width) * tiles(bottom, tile_top, tile_height),
            precinct: [15; 2],
            block: [10; 2],
            levels: 0,
            layers: 1,
            has_raw_bits: false,
            data: 0,
        })
    }

    /// Decomposition levels, block sizes, and precinct sizes where `style` has them.
    fn coding_style(&mut self, parameters: &[u8], style: Option<&u8>) {
        let &[levels, width, height, blocks, ..] = parameters else { return };
        // Bypass of the arithmetic coder, and high-throughput blocks.
        self.has_raw_bits |= blocks & 0x41 != 0;
        self.levels = self.levels.max(levels.into());
        self.block[0] = self.block[0].min(u32::from(width & 15) + 2);
        self.block[1] = self.block[1].min(u32::from(height & 15) + 2);
        if style.is_some_and(|style| style & 1 == 1) {
            for &size in parameters.get(5..).unwrap_or_default() {
                self.precinct[0] = self.precinct[0].min(u32::from(size & 15));
                self.precinct[1] = self.precinct[1].min(u32::from(size >> 4));
            }
        }
    }

    /// Bytes that decoders take for code blocks, beside those of samples: they keep each with its place in every layer, whether
    /// there is data for it or not.
    pub(super) fn block_bytes(&self) -> u64 {
        const BLOCK: u64 = 1024;
        const LAYER: u64 = 16;
        // A block is no larger than its precinct is at half the size.
        let blocks = |length: u32, block: u32, precinct: u32| {
            u64::from(length >> block.min(precinct.saturating_sub(1)).min(31)) + 1
        };
        blocks(self.width, self.block[0], self.precinct[0])
            .saturating_mul(blocks(self.height, self.block[1], self.precinct[1]))
            .saturating_mul(self.components.len() as u64)
            .saturating_mul(BLOCK + LAYER * u64::from(self.layers))
    }

    /// Refuses codestreams with more zero bytes in a row than they have packets: an empty packet is one zero byte, and coded data
    /// has no such runs.
    pub(super) fn check_zeros(&self) -> Result<(), Problem> {
        // Zeros that may come together without being packets. Raw bits may be zero for long.
        let chance = if self.has_raw_bits { 256 } else { 24 };
        let side = |length: u32, exponent: u32| u64::from(length >> exponent.min(31)) + 1;
        let precincts = side(self.width, self.precinct[0]) * side(self.height, self.precinct[1]);
        let packets =
            [u64::from(self.layers), self.components.len() as u64, u64::from(self.levels) + 1, self.tiles]
                .into_iter()
                .fold(precincts, u64::saturating_mul);
        let mut run = 0_u64;
        for (at, &byte) in self.bytes.iter().enumerate().skip(self.data) {
            if byte == 0 {
                run += 1;
                continue;
            }
            if run > chance && run - chance > packets {
                return Err(zeroed(run, at, self.bytes.len()));
            }
            run = 0;
        }
        Ok(())
    }

    /// Refuses what would make a decoder allocate out of proportion: every tile has a header in the stream and every precinct
    /// at least a byte.
    pub(super) fn check(&self) -> Result<(), Problem> {
        let first = self.components[0];
        let unsupported = |what: &str| Err(Problem::CodecFeature { codec: CODEC, what: what.to_owned() });
        if self.components.iter().any(|component| component.subsampled) {
            return unsupported("subsampled components");
        }
        if self
            .components
            .iter()
            .any(|component| (component.precision, component.signed) != (first.precision, first.signed))
            || first.precision > 16
        {
            return unsupported("components of several or more than 16 bits");
        }
        let len = self.bytes.len() as u64;
        if self.tiles.saturating_mul(MIN_TILE_PART) > len {
            return Err(damaged(format!("it has {} tiles in {len} bytes", self.tiles)));
        }
        let precincts = u64::from(self.width >> self.precinct[0].min(31))
            * u64::from(self.height >> self.precinct[1].min(31));
        if precincts > len || self.levels > 32 {
            return Err(damaged(format!("it has {precincts} precincts in {len} bytes")));
        }
        Ok(())
    }
}

/// A marker and what belongs to it.
fn segment(bytes: &[u8], at: usize) -> Option<(u16, &[u8])> {
    let [a, b, rest @ ..] = bytes.get(at..)? else { return None };
    let code = u16::from_be_bytes([*a, *b]);
    if matches!(code, DATA | END) {
        return Some((code, &[]));
    }
    let &[high, low] = rest.first_chunk()?;
    let len = usize::from(u16::from_be_bytes([high, low]));
    (code >= 0xff00).then(|| rest.get(2..len))?.map(|body| (code, body))
}

fn zeroed(run: u64, end: usize, len: usize) -> Problem {
    let what =
        format!("bytes {} to {end} of its {len} are zero, which no encoder writes", end as u64 - run + 1);
    Problem::FrameTruncated { codec: CODEC, what }
}

fn cut_off() -> Problem {
    damaged("its headers are cut off")
}
