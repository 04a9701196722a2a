//! Where the packets and the code blocks of a tile stand in their lists.

use std::ops::Range;

use super::Coding;
use super::tree::Shape;
use crate::dicom::codec::jpeg2000::grid::{Band, Resolution};
use crate::dicom::codec::jpeg2000::style::Style;

/// All precincts of a tile.
#[derive(Debug)]
pub(super) struct Plan {
    /// Resolutions of each component, lowest first.
    pub(super) components: Vec<Vec<Placed>>,
    /// Where the tile lies.
    pub(super) area: [Range<u64>; 2],
    pub(super) pieces: Vec<Piece>,
    /// Packets of a layer, code blocks, and nodes of their trees.
    pub(super) precincts: usize,
    pub(super) blocks: usize,
    pub(super) nodes: usize,
}

/// A resolution, and where its precincts stand.
#[derive(Debug)]
pub(super) struct Placed {
    pub(super) resolution: Resolution,
    pub(super) bands: Vec<Band>,
    /// Decompositions between it and the whole size.
    pub(super) level: u8,
    /// Its first precinct among all, and the first piece of that.
    pub(super) precinct: usize,
    pub(super) piece: usize,
}

/// The part of a precinct that is in one sub-band.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece {
    /// Code blocks along both axes.
    pub(super) size: [u32; 2],
    /// Its first block, and the first node of its two trees.
    pub(super) block: usize,
    pub(super) node: usize,
}

impl Plan {
    /// None where a precinct has more code blocks than any can have.
    pub(super) fn new(coding: &Coding, area: [Range<u64>; 2]) -> Option<Self> {
        let components = Vec::with_capacity(coding.styles.len());
        let mut plan = Self { components, area, pieces: Vec::new(), precincts: 0, blocks: 0, nodes: 0 };
        for style in &coding.styles {
            let resolutions = (0..=style.levels).map(|number| plan.place(style, number));
            let resolutions = resolutions.collect::<Option<_>>()?;
            plan.components.push(resolutions);
        }
        Some(plan)
    }

    fn place(&mut self, style: &Style, number: u8) -> Option<Placed> {
        let resolution = Resolution::new(style, number, &self.area);
        let bands: Vec<_> = resolution.bands(style, number, &self.area).collect();
        let (precinct, piece) = (self.precincts, self.pieces.len());
        let across = resolution.precincts[0];
        for index in 0..resolution.count() {
            for band in &bands {
                let blocks = [band.blocks_of(0, index % across), band.blocks_of(1, index / across)];
                let size = blocks.map(|blocks| (blocks.end - blocks.start) as u32);
                self.pieces.push(Piece { size, block: self.blocks, node: self.nodes });
                let shape = Shape::new(size)?;
                self.blocks += shape.leaves();
                self.nodes += 2 * shape.nodes();
            }
        }
        self.precincts += resolution.count() as usize;
        Some(Placed { resolution, bands, level: style.levels - number, precinct, piece })
    }

    /// A resolution of a component, if it has that many.
    pub(super) fn placed(&self, component: usize, resolution: usize) -> Option<&Placed> {
        self.components.get(component)?.get(resolution)
    }

    /// The parts of a precinct.
    pub(super) fn pieces_of(&self, placed: &Placed, precinct: usize) -> &[Piece] {
        let first = placed.piece + precinct * placed.bands.len();
        self.pieces.get(first..first + placed.bands.len()).unwrap_or_default()
    }
}

impl Placed {
    /// Columns and rows of the code blocks of a piece, in their order.
    pub(super) fn sizes(&self, band: usize, precinct: usize) -> impl Iterator<Item = [u64; 2]> {
        let across = self.resolution.precincts[0].max(1);
        let place = [precinct as u64 % across, precinct as u64 / across];
        self.bands.get(band).into_iter().flat_map(move |band| {
            let [columns, rows] = [0, 1].map(|axis| band.blocks_of(axis, place[axis]));
            rows.flat_map(move |row| {
                columns.clone().map(move |column| [band.samples(0, column), band.samples(1, row)])
            })
        })
    }
}
