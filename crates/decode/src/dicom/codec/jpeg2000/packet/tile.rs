//! The code blocks of a tile, and what its packets say of them.

use super::bits::Bits;
use super::block::Block;
use super::header;
use super::order::{self, Packet};
use super::plan::{Piece, Plan};
use super::source::Source;
use super::tree::{Node, Shape};
use super::{Coding, Decoder, Visitor};
use crate::dicom::codec::jpeg2000::style::{Change, Style};

/// Markers in packets (T.800, A.8).
const START_OF_PACKET: u16 = 0xff91;
const END_OF_HEADER: u16 = 0xff92;

/// A tile between packets.
#[derive(Debug)]
pub(super) struct Tile<'a> {
    plan: &'a Plan,
    styles: &'a [Style],
    decoder: Decoder,
    blocks: Vec<Block>,
    nodes: Vec<Node>,
    /// Packets that were read.
    pub(super) packets: u64,
}

impl<'a> Tile<'a> {
    pub(super) fn new(plan: &'a Plan, styles: &'a [Style], decoder: Decoder) -> Self {
        let blocks = vec![Block::NEW; plan.blocks];
        let nodes = vec![Node::default(); plan.nodes];
        Self { plan, styles, decoder, blocks, nodes, packets: 0 }
    }

    /// Reads all packets; none where the decoder stops.
    pub(super) fn read<'b>(
        &mut self,
        coding: &Coding,
        changes: &[Change],
        sources: impl Iterator<Item = Source<'b>>,
        visitor: &mut impl Visitor,
    ) -> Option<()> {
        let mut packets = order::packets(self.plan, coding, changes, self.decoder);
        for mut source in sources {
            while !source.header().at_end() {
                self.packet(packets.next()??, &mut source, visitor)?;
                self.packets += 1;
            }
        }
        Some(())
    }

    /// Reads the header of a packet and skips its data (B.9).
    fn packet(&mut self, packet: Packet, source: &mut Source<'_>, visitor: &mut impl Visitor) -> Option<()> {
        let style = self.styles.get(packet.component)?;
        if style.may_mark_packets() && source.body().marker(START_OF_PACKET) {
            source.body().bytes(4)?;
        }
        let bits = source.header();
        let mut bytes = 0;
        // An empty packet is a zero bit (B.10.3).
        if bits.bit()? == 1 {
            let placed = self.plan.placed(packet.component, packet.resolution)?;
            for &piece in self.plan.pieces_of(placed, packet.precinct) {
                bytes += self.piece(piece, packet.layer, style.flags, bits)?;
            }
        }
        bits.align();
        if style.marks_headers() && !bits.marker(END_OF_HEADER) {
            return None;
        }
        let (start, data) = source.data(bytes)?;
        visitor.data(start, data, style);
        Some(())
    }

    /// Reads what a header says of the blocks of a sub-band; gives the bytes of their data (B.10.8).
    fn piece(&mut self, piece: Piece, layer: u32, flags: u8, bits: &mut Bits<'_>) -> Option<u64> {
        let shape = Shape::new(piece.size)?;
        let nodes = self.nodes.get_mut(piece.node..piece.node + 2 * shape.nodes())?;
        let (inclusion, planes) = nodes.split_at_mut(shape.nodes());
        let blocks = self.blocks.get_mut(piece.block..piece.block + shape.leaves())?;
        let columns = piece.size[0];
        let is_high_throughput =
            self.decoder == Decoder::HighThroughput && flags & Style::HIGH_THROUGHPUT != 0;
        let mut bytes = 0;
        for (index, block) in (0..).zip(blocks) {
            let place = [index % columns, index / columns];
            // Whether it is in this packet (B.10.4), and if so its bit-planes without passes (B.10.5).
            let is_new = !block.is_included;
            let is_here = if is_new {
                shape.read(inclusion, place, layer + 1, bits)? <= layer
            } else {
                bits.bit()? == 1
            };
            if !is_here {
                continue;
            }
            let empty = if is_new { shape.read(planes, place, u32::MAX, bits)? } else { 0 };
            block.is_included = true;
            let added = if is_high_throughput {
                // Decoders count bit-planes in a byte.
                header::set(block, empty as u8, bits)?
            } else {
                header::contribution(block, flags, bits)?
            };
            block.bytes += added;
            bytes += added;
        }
        Some(bytes)
    }

    /// Shows all code blocks.
    pub(super) fn each(&self, visitor: &mut impl Visitor) {
        for (component, style) in self.plan.components.iter().zip(self.styles) {
            for placed in component {
                for precinct in 0..placed.resolution.count() as usize {
                    for (band, piece) in self.plan.pieces_of(placed, precinct).iter().enumerate() {
                        let blocks = self.blocks.get(piece.block..).unwrap_or_default();
                        for (block, size) in blocks.iter().zip(placed.sizes(band, precinct)) {
                            visitor.block(block, size, style.flags);
                        }
                    }
                }
            }
        }
    }
}
