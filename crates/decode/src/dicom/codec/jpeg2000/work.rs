//! What a decoder would have to make for a codestream, whether there is data for it or not.
//!
//! Both decoders keep a record for each code block of a tile with a place for each layer, two trees for each precinct of each
//! sub-band, and lists of precincts and packets in their order. None of that depends on the data, and the headers bound none of
//! it: a few bytes may ask for gigabytes. All tiles count, as the time to make their records adds up even where their memory is
//! used again.

use std::ops::Range;

use super::codestream::Codestream;
use super::grid::Resolution;
use super::style::{Coding, Style};
use super::{CODEC, damaged};
use crate::dicom::problem::Problem;

/// Bytes of records that a decoder may make; its lists take up to twice as much while they grow. A gray film of 64 megapixels
/// takes 4 MiB at the usual code blocks of 64 × 64, and 64 MiB at blocks of 32 × 32 in 32 layers.
const MAX_BYTES: u64 = 96 << 20;
/// Steps that decoders may take to make trees.
const MAX_TREE_STEPS: u64 = 1 << 27;

// Bytes of the decoders' records, rounded up.
const TILE: u64 = 256;
const TILE_COMPONENT: u64 = 768;
const TILE_PART: u64 = 128;
const SUB_BAND: u64 = 256;
const PRECINCT: u64 = 160;
/// A code block, and its nodes in two trees.
const BLOCK: u64 = 64 + 2 * 64;
const LAYER: u64 = 24;
/// A part of a block's data.
const PART: u64 = 24;
/// Bits that tell of a part's length, at least.
const PART_BITS: u64 = 3;
/// An entry of a sorted list of precincts, and one of the packets that were there.
const LISTED: u64 = 40;
const PACKET: u64 = 40;
/// For each byte of packet headers that stand apart.
const PACKED: u64 = 8;

/// Refuses more tile-parts than there may be records of.
pub(super) fn check_parts(count: usize) -> Result<(), Problem> {
    if count as u64 * TILE_PART <= MAX_BYTES {
        return Ok(());
    }
    Err(Problem::FrameExcessive { codec: CODEC, what: format!("{count} tile-parts or more") })
}

/// Records of all tiles.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Work {
    blocks: u64,
    precincts: u64,
    pub(super) packets: u64,
    bytes: u64,
    /// Nodes that are visited to make trees.
    tree_steps: u64,
}

impl Work {
    /// Counts tile by tile.
    ///
    /// # Errors
    /// As soon as there is too much.
    pub(super) fn of(codestream: &Codestream<'_>) -> Result<Self, Problem> {
        let len = codestream.bytes.len() as u64;
        let mut work = Self {
            bytes: codestream.parts.len() as u64 * TILE_PART
                + codestream.packed_bytes().saturating_mul(PACKED),
            ..Self::default()
        };
        for tile in 0..codestream.size.tiles() {
            let coding = codestream.coding(tile);
            let area = codestream.size.tile(tile);
            work.tile(coding, &area, codestream.changes(tile).len() as u64, len);
            work.check()?;
        }
        // Every precinct has a packet, and the shortest packet is a byte.
        if work.precincts > len {
            return Err(damaged(format!("it has {} precincts in {len} bytes", work.precincts)));
        }
        Ok(work)
    }

    fn tile(&mut self, coding: &Coding, area: &[Range<u64>; 2], changes: u64, len: u64) {
        let before = *self;
        self.bytes += TILE;
        let mut parts = 0_u64;
        for style in &coding.styles {
            let blocks = self.blocks;
            self.bytes += TILE_COMPONENT;
            for resolution in 0..=style.levels {
                self.resolution(style, resolution, area);
            }
            let most = coding.layers.saturating_add(style.parts());
            parts = parts.saturating_add((self.blocks - blocks).saturating_mul(most));
        }
        let blocks = self.blocks - before.blocks;
        let precincts = self.precincts - before.precincts;
        let packets = precincts.saturating_mul(coding.layers);
        self.packets = self.packets.saturating_add(packets);
        let mut add = |count: u64, bytes| self.bytes = self.bytes.saturating_add(count.saturating_mul(bytes));
        add(blocks, BLOCK);
        add(blocks.saturating_mul(coding.layers), LAYER);
        // Packet headers are full of lengths at the most.
        add(parts.min(len.saturating_mul(8) / PART_BITS), PART);
        add(precincts.saturating_mul(changes.max(1)), LISTED);
        if changes > 0 {
            // Each change goes over all packets again, and those that were there are skipped.
            add(packets.saturating_mul(changes), PACKET);
        }
    }

    fn resolution(&mut self, style: &Style, number: u8, area: &[Range<u64>; 2]) {
        let resolution = Resolution::new(style, number, area);
        let precincts = resolution.count();
        self.precincts = self.precincts.saturating_add(precincts);
        for band in resolution.bands(style, number, area) {
            // Code blocks, and those of one precinct as a power of two.
            let along = |axis| {
                (band.blocks(axis), band.blocks(axis).next_power_of_two().ilog2().min(band.most(axis)))
            };
            let ((columns, wide), (rows, high)) = (along(0), along(1));
            self.blocks = self.blocks.saturating_add(columns.saturating_mul(rows));
            // Trees are made as if they were square.
            let steps = 2_u64.saturating_mul(1 << (2 * wide.max(high)).min(62));
            self.tree_steps = self.tree_steps.saturating_add(precincts.saturating_mul(steps));
            self.bytes =
                self.bytes.saturating_add(precincts.saturating_mul(PRECINCT)).saturating_add(SUB_BAND);
        }
    }

    fn check(&self) -> Result<(), Problem> {
        let Self { blocks, precincts, packets, .. } = self;
        if self.bytes <= MAX_BYTES && self.tree_steps <= MAX_TREE_STEPS {
            return Ok(());
        }
        let what = format!(
            "{blocks} code blocks or more, {precincts} precincts and {packets} packets, for which a decoder \
             would take more than {} MiB or too long",
            MAX_BYTES >> 20
        );
        Err(Problem::FrameExcessive { codec: CODEC, what })
    }
}
