//! Writes the packets of a film anew: in another order, with other markers, and with their headers elsewhere.

use crate::dicom::codec::jpeg2000::Decoder;
use crate::dicom::codec::jpeg2000::packet::order::{self, Packet};
use crate::dicom::codec::jpeg2000::packet::plan::Plan;
use crate::dicom::codec::jpeg2000::packet::{Block, Visitor, walk};
use crate::dicom::codec::jpeg2000::style::{Change, Coding, Style};

/// The packets of a film of one tile.
pub(super) struct Film {
    /// The main header.
    head: Vec<u8>,
    coding: Coding,
    plan: Plan,
    packets: Vec<Written>,
}

#[derive(Debug, Clone)]
struct Written {
    packet: Packet,
    header: Vec<u8>,
    data: Vec<u8>,
}

/// Where headers of packets are put, and into how many segments.
#[derive(Debug, Clone, Copy)]
pub(super) enum Packing {
    None,
    Tile(usize),
    Main(usize),
}

/// How packets are written.
#[derive(Debug)]
pub(super) struct Writing {
    pub(super) order: u8,
    pub(super) changes: Vec<Change>,
    /// Changes are in the header of the tile.
    pub(super) in_tile: bool,
    /// As in a coding style: 2 for those before packets, 4 for those behind headers.
    pub(super) markers: u8,
    pub(super) packing: Packing,
    pub(super) parts: usize,
}

impl Default for Writing {
    fn default() -> Self {
        Self { order: 0, changes: Vec::new(), in_tile: false, markers: 0, packing: Packing::None, parts: 1 }
    }
}

/// Where the data of packets stands.
#[derive(Default)]
struct Places(Vec<(usize, usize)>);

impl Visitor for Places {
    fn data(&mut self, start: usize, data: &[u8], _style: &Style) {
        self.0.push((start, start + data.len()));
    }

    fn block(&mut self, _block: &Block, _size: [u64; 2], _flags: u8) {}
}

impl Film {
    pub(super) fn read(stream: &[u8]) -> Self {
        let codestream = super::read(stream).unwrap();
        let coding = codestream.coding(0).clone();
        let plan = Plan::new(&coding, codestream.size.tile(0)).unwrap();
        let mut places = Places::default();
        walk(&codestream, Decoder::Plain, &mut places).unwrap();
        let mut at = codestream.parts[0].start;
        let packets = order::packets(&plan, &coding, &[], Decoder::Plain).zip(places.0);
        let packets = packets.map(|(packet, (start, end))| {
            let header = &stream[at..start];
            let header = if header.starts_with(&[0xff, 0x91]) { &header[6..] } else { header };
            let header = header.strip_suffix(&[0xff, 0x92]).unwrap_or(header).to_vec();
            at = end;
            Written { packet: packet.unwrap(), header, data: stream[start..end].to_vec() }
        });
        let packets = packets.collect();
        let head = stream.windows(2).position(|pair| pair == [0xff, 0x90]).unwrap();
        Self { head: stream[..head].to_vec(), coding, plan, packets }
    }

    pub(super) fn write(&self, writing: &Writing) -> Vec<u8> {
        let coding = Coding { order: writing.order, ..self.coding.clone() };
        let packets = order::packets(&self.plan, &coding, &writing.changes, Decoder::Plain);
        let packets =
            packets.map(|packet| self.packets.iter().find(|written| written.packet == packet.unwrap()));
        let packets: Vec<_> = packets.map(Option::unwrap).collect();
        assert_eq!(packets.len(), self.packets.len());
        let parts: Vec<_> = packets.chunks(packets.len().div_ceil(writing.parts)).collect();

        let mut stream = self.head.clone();
        let style = stream.windows(2).position(|pair| pair == [0xff, 0x52]).unwrap() + 4;
        stream[style] = stream[style] & 1 | writing.markers;
        stream[style + 1] = writing.order;
        let changes = if writing.changes.is_empty() { Vec::new() } else { changes(&writing.changes) };
        if !writing.in_tile {
            stream.extend(&changes);
        }
        if let Packing::Main(segments) = writing.packing {
            let mut all = Vec::new();
            for part in &parts {
                let headers: Vec<u8> = part.iter().flat_map(|written| writing.header(written)).collect();
                all.extend((headers.len() as u32).to_be_bytes());
                all.extend(headers);
            }
            for (number, piece) in all.chunks(all.len().div_ceil(segments)).enumerate() {
                stream.extend(segment(0xff60, &[&[number as u8][..], piece].concat()));
            }
        }
        for (number, part) in parts.iter().enumerate() {
            let mut head = if writing.in_tile && number == 0 { changes.clone() } else { Vec::new() };
            if let Packing::Tile(segments) = writing.packing {
                for (number, part) in part.chunks(part.len().div_ceil(segments)).enumerate() {
                    let headers: Vec<u8> = part.iter().flat_map(|written| writing.header(written)).collect();
                    head.extend(segment(0xff61, &[&[number as u8][..], &headers].concat()));
                }
            }
            head.extend([0xff, 0x93]);
            let body: Vec<u8> = part.iter().flat_map(|written| writing.body(written)).collect();
            stream.extend([0xff, 0x90, 0, 10, 0, 0]);
            stream.extend(((12 + head.len() + body.len()) as u32).to_be_bytes());
            stream.extend([number as u8, parts.len() as u8]);
            stream.extend(head);
            stream.extend(body);
        }
        stream.extend([0xff, 0xd9]);
        stream
    }
}

impl Writing {
    fn header(&self, written: &Written) -> Vec<u8> {
        let end: &[u8] = if self.markers & 4 == 0 { &[] } else { &[0xff, 0x92] };
        [&written.header, end].concat()
    }

    fn body(&self, written: &Written) -> Vec<u8> {
        let start: &[u8] = if self.markers & 2 == 0 { &[] } else { &[0xff, 0x91, 0, 4, 0, 0] };
        let header = if matches!(self.packing, Packing::None) { self.header(written) } else { Vec::new() };
        [start, &header, &written.data].concat()
    }
}

/// A change of progression (POC).
fn changes(changes: &[Change]) -> Vec<u8> {
    let body = changes.iter().flat_map(|Change { resolutions, components, layers, order }| {
        let [high, low] = (*layers as u16).to_be_bytes();
        // 256 components are told as 0.
        let components = [components.start as u8, components.end as u8];
        [resolutions.start as u8, components[0], high, low, resolutions.end as u8, components[1], *order]
    });
    segment(0xff5f, &body.collect::<Vec<_>>())
}

fn segment(code: u16, body: &[u8]) -> Vec<u8> {
    [&code.to_be_bytes()[..], &(body.len() as u16 + 2).to_be_bytes(), body].concat()
}
