//! Sizes of an image, its tiles and its components (SIZ, T.800, A.5.1).

use std::ops::Range;

use super::marker::{self, SIZE, cut_off};
use super::{CODEC, damaged};
use crate::dicom::problem::Problem;

/// Bytes before the components: capabilities, eight sizes and the number of components.
const FIXED: usize = 36;
/// Tiles have numbers of 16 bits, of which the last is not used.
const MAX_TILES: u64 = 65_535;

/// The image on its reference grid; horizontal first in all pairs.
#[derive(Debug, Clone)]
pub(super) struct Size {
    /// Where the image lies.
    area: [Range<u64>; 2],
    /// Side lengths of a tile, and where the first starts.
    tile: [u64; 2],
    tile_start: [u64; 2],
    pub(super) components: Vec<Component>,
}

/// Depth of a component.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Component {
    pub(super) precision: u8,
    pub(super) signed: bool,
    subsampled: bool,
}

impl Size {
    pub(super) fn read(body: &[u8]) -> Result<Self, Problem> {
        let (fixed, components) = body.split_at_checked(FIXED).ok_or_else(cut_off)?;
        let words = fixed[2..34].as_chunks::<4>().0;
        let pair = |at: usize| [words[at], words[at + 1]].map(|word| u64::from(u32::from_be_bytes(word)));
        let (end, start, tile, tile_start) = (pair(0), pair(2), pair(4), pair(6));
        let count = marker::number(&fixed[34..]) as usize;
        marker::exact(SIZE, body.len(), FIXED + 3 * count)?;
        let axis = |axis: usize| {
            start[axis] < end[axis]
                && tile[axis] > 0
                && tile_start[axis] <= start[axis]
                && start[axis] < tile_start[axis] + tile[axis]
        };
        if count == 0 || !axis(0) || !axis(1) {
            return Err(damaged("its size is impossible"));
        }
        let components = components.as_chunks().0.iter().map(|&[depth, horizontal, vertical]| Component {
            precision: (depth & 0x7f) + 1,
            signed: depth >> 7 == 1,
            subsampled: (horizontal, vertical) != (1, 1),
        });
        let size = Self {
            area: [start[0]..end[0], start[1]..end[1]],
            tile,
            tile_start,
            components: components.collect(),
        };
        let tiles = size.tiles();
        if tiles > MAX_TILES {
            return Err(damaged(format!("it has {tiles} tiles, {MAX_TILES} is the most there can be")));
        }
        Ok(size)
    }

    /// Columns and rows.
    pub(super) fn image(&self) -> [u32; 2] {
        [0, 1].map(|axis| (self.area[axis].end - self.area[axis].start) as u32)
    }

    fn tiles_along(&self, axis: usize) -> u64 {
        (self.area[axis].end - self.tile_start[axis]).div_ceil(self.tile[axis])
    }

    pub(super) fn tiles(&self) -> u64 {
        self.tiles_along(0).saturating_mul(self.tiles_along(1))
    }

    /// Where a tile lies (B-7 to B-10).
    pub(super) fn tile(&self, index: u64) -> [Range<u64>; 2] {
        let across = self.tiles_along(0);
        let place = [index % across, index / across];
        [0, 1].map(|axis| {
            let start = self.tile_start[axis] + place[axis] * self.tile[axis];
            start.max(self.area[axis].start)..(start + self.tile[axis]).min(self.area[axis].end)
        })
    }

    /// Refuses components that have no place in samples of one kind.
    pub(super) fn check_components(&self) -> Result<(), Problem> {
        let first = self.components[0];
        let unsupported = |what: &str| Err(Problem::CodecFeature { codec: CODEC, what: what.to_owned() });
        if self.components.iter().any(|component| component.subsampled) {
            return unsupported("subsampled components");
        }
        if self.components.iter().any(|&component| component != first) || first.precision > 16 {
            return unsupported("components of several or more than 16 bits");
        }
        Ok(())
    }
}
