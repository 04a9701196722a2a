//! What code blocks state in the headers of packets (T.800, annex B), read before anything is decoded.
//!
//! A block may state many coding passes and have no data for them, so neither the size of a film nor the length of its data
//! bounds the time that the passes take. This module walks all packet headers in the order and by the rules of the decoder that
//! reads the codestream next, even where these differ from the standard. It refuses what the decoder would refuse, and makes no
//! records that the decoder would not make.

mod bits;
mod block;
mod header;
mod order;
mod plan;
mod source;
mod tile;
mod tree;

use self::plan::Plan;
use self::source::{Packed, Source};
use self::tile::Tile;
use super::codestream::{Codestream, TilePart};
use super::style::{Coding, Style};
use super::{Decoder, damaged};
use crate::dicom::problem::Problem;

pub(super) use self::block::Block;

/// The most layers that decoders read.
const MAX_LAYERS: u64 = 32;
/// Orders of packets (table A.16).
const ORDERS: u8 = 5;

/// Receives what the walk finds.
pub(super) trait Visitor {
    /// Takes the data of a packet, which starts at byte `start` of the codestream.
    fn data(&mut self, start: usize, data: &[u8], style: &Style);

    /// Takes a code block of a tile of which all packets were read, with its columns and rows.
    fn block(&mut self, block: &Block, size: [u64; 2], flags: u8);
}

/// Reads all packets; gives their number.
///
/// # Errors
/// Where the decoder would find a packet damaged.
pub(super) fn walk(
    codestream: &Codestream<'_>,
    decoder: Decoder,
    visitor: &mut impl Visitor,
) -> Result<u64, Problem> {
    let tiles = 0..codestream.size.tiles();
    // The decoder says what is wrong with the headers.
    if !tiles.clone().all(|tile| is_read(codestream, tile, decoder)) {
        return Ok(0);
    }
    let packed = Packed::read(&codestream.packed, decoder)
        .ok_or_else(|| damaged("the packet headers in its main header are cut off"))?;
    let mut parts: Vec<(usize, &TilePart<'_>)> = codestream.parts.iter().enumerate().collect();
    parts.sort_by_key(|(_, part)| part.tile);
    let mut packets = 0;
    for parts in parts.chunk_by(|(_, one), (_, other)| one.tile == other.tile) {
        let number = parts[0].1.tile;
        let coding = codestream.coding(number);
        if decoder == Decoder::HighThroughput && coding.layers > 1 && coding.has_high_throughput() {
            // The decoder refuses these.
            continue;
        }
        let plan = Plan::new(coding, codestream.size.tile(number))
            .ok_or_else(|| damaged(format!("tile {number} has more code blocks than can be")))?;
        let mut tile = Tile::new(&plan, &coding.styles, decoder);
        let sources = parts.iter().map(|&(index, part)| Source::of(part, packed.part(index)));
        let is_sound = tile.read(coding, codestream.changes(number), sources, visitor).is_some();
        packets += tile.packets;
        if !is_sound {
            return Err(damaged(format!("packet {} of tile {number} is damaged", tile.packets)));
        }
        tile.each(visitor);
    }
    Ok(packets)
}

/// Whether the decoder accepts the headers, and reads packets.
fn is_read(codestream: &Codestream<'_>, tile: u64, decoder: Decoder) -> bool {
    let Coding { layers, order, .. } = codestream.coding(tile);
    let changes = codestream.changes(tile);
    (1..=MAX_LAYERS).contains(layers)
        && *order < ORDERS
        && changes.iter().all(|change| change.order < ORDERS)
        && (decoder == Decoder::Plain || changes.is_empty())
}

#[cfg(test)]
mod tests;
