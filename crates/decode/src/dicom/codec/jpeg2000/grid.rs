//! Where the parts of a tile lie: resolutions, precincts, sub-bands and code blocks (T.800, B.5 to B.7).

use std::ops::Range;

use super::style::Style;

/// A resolution of a component of a tile. Side lengths are exponents of two, horizontal first in all pairs.
#[derive(Debug)]
pub(super) struct Resolution {
    pub(super) area: [Range<u64>; 2],
    /// Of a precinct.
    pub(super) side: [u8; 2],
    /// Precincts along both axes.
    pub(super) precincts: [u64; 2],
}

/// A sub-band of a resolution.
#[derive(Debug)]
pub(super) struct Band {
    area: [Range<u64>; 2],
    /// Of a precinct, and the number of the first one along both axes.
    side: [u8; 2],
    first: [u64; 2],
    /// Of a code block.
    block: [u8; 2],
}

impl Resolution {
    /// Equations B-14 and B-16.
    pub(super) fn new(style: &Style, number: u8, tile: &[Range<u64>; 2]) -> Self {
        let area = [0, 1].map(|axis| scaled(&tile[axis], style.levels - number, 0));
        let side = style.precinct(number);
        let precincts = [0, 1].map(|axis: usize| {
            let Range { start, end } = area[axis];
            if start == end { 0 } else { end.div_ceil(1 << side[axis]) - (start >> side[axis]) }
        });
        Self { area, side, precincts }
    }

    pub(super) fn count(&self) -> u64 {
        self.precincts[0].saturating_mul(self.precincts[1])
    }

    /// Its sub-bands in their order (equations B-15, B-17 and B-18).
    pub(super) fn bands(
        &self,
        style: &Style,
        number: u8,
        tile: &[Range<u64>; 2],
    ) -> impl Iterator<Item = Band> {
        // Sub-bands of the lowest resolution are of its size, others of half.
        let halved = u8::from(number > 0);
        let level = style.levels + halved - number;
        let kinds: &[[u64; 2]] = if number == 0 { &[[0, 0]] } else { &[[1, 0], [0, 1], [1, 1]] };
        let side = self.side.map(|side| side - halved);
        kinds.iter().map(move |high| Band {
            area: [0, 1].map(|axis| scaled(&tile[axis], level, high[axis])),
            side,
            first: [0, 1].map(|axis: usize| self.area[axis].start >> self.side[axis]),
            // A code block is no larger than its precinct.
            block: [0, 1].map(|axis| style.block[axis].min(side[axis])),
        })
    }
}

impl Band {
    /// Code blocks along an axis.
    pub(super) fn blocks(&self, axis: usize) -> u64 {
        let Range { start, end } = self.area[axis];
        if start == end { 0 } else { end.div_ceil(1 << self.block[axis]) - (start >> self.block[axis]) }
    }

    /// The most code blocks along an axis that a precinct can have, as an exponent of two.
    pub(super) fn most(&self, axis: usize) -> u32 {
        u32::from(self.side[axis] - self.block[axis])
    }

    /// Numbers of the code blocks of a precinct along an axis (figure B.8).
    pub(super) fn blocks_of(&self, axis: usize, precinct: u64) -> Range<u64> {
        let Range { start, end } = self.area[axis];
        if start == end {
            return 0..0;
        }
        let first = (self.first[axis] + precinct) << self.side[axis];
        let start = start.max(first) >> self.block[axis];
        let end = end.min(first + (1 << self.side[axis])).div_ceil(1 << self.block[axis]);
        start..end.max(start)
    }

    /// Samples of a code block along an axis.
    pub(super) fn samples(&self, axis: usize, block: u64) -> u64 {
        let Range { start, end } = self.area[axis];
        let first = block << self.block[axis];
        end.min(first + (1 << self.block[axis])).saturating_sub(start.max(first))
    }
}

/// A range after so many decompositions; `high` is 1 for the upper half of the last.
fn scaled(range: &Range<u64>, level: u8, high: u64) -> Range<u64> {
    let shift = if level == 0 { 0 } else { high << (level - 1) };
    let side = |at: u64| at.saturating_sub(shift).div_ceil(1 << level);
    side(range.start)..side(range.end)
}
