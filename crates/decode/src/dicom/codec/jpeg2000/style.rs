//! How tiles are coded (COD, COC and POC, T.800, A.6).

use std::ops::Range;

use super::damaged;
use super::marker::{self, CODING_STYLE, COMPONENT_CODING_STYLE, cut_off};
use crate::dicom::problem::Problem;

/// Entries of a change of progression are of this many bytes, with component numbers of one byte.
const CHANGE: usize = 7;
const MAX_LEVELS: u8 = 32;
/// Side lengths of a precinct that says none, as a power of two.
const WHOLE: u8 = 15;

/// How a tile is coded, or all that say nothing else.
#[derive(Debug, Clone)]
pub(super) struct Coding {
    /// One for each component.
    pub(super) styles: Vec<Style>,
    pub(super) layers: u64,
    /// Order of packets (table A.16).
    pub(super) order: u8,
    /// Changes of the order of packets.
    pub(super) changes: Vec<Change>,
}

/// A stretch of packets that have an order of their own (POC, A.6.6).
#[derive(Debug, Clone)]
pub(super) struct Change {
    pub(super) resolutions: Range<u64>,
    pub(super) components: Range<u64>,
    /// The first layer that is not in it.
    pub(super) layers: u64,
    pub(super) order: u8,
}

/// How a component is coded. Side lengths are exponents of two, horizontal first.
#[derive(Debug, Clone)]
pub(super) struct Style {
    /// Wavelet decompositions.
    pub(super) levels: u8,
    pub(super) block: [u8; 2],
    /// By resolution; none where all are as large as can be.
    precincts: Vec<[u8; 2]>,
    /// How code blocks are coded (table A.19).
    pub(super) flags: u8,
    /// Which markers stand in packets (table A.13).
    markers: u8,
}

impl Style {
    /// Flags of code blocks (table A.19; T.814, A.4).
    pub(super) const BYPASS: u8 = 1;
    pub(super) const TERMINATION: u8 = 4;
    pub(super) const CAUSAL: u8 = 8;
    pub(super) const HIGH_THROUGHPUT: u8 = 0x40;

    /// `parameters` from the number of levels on.
    fn read(code: u16, parameters: &[u8], markers: u8) -> Result<Self, Problem> {
        let (&[levels, width, height, flags, transform], sizes) =
            parameters.split_first_chunk().ok_or_else(cut_off)?;
        if levels > MAX_LEVELS {
            return Err(damaged(format!("it has {levels} decomposition levels, {MAX_LEVELS} are the most")));
        }
        let block = [width, height].map(|side| u16::from(side) + 2);
        // Table A.18.
        if block.iter().any(|&side| side > 10) || block[0] + block[1] > 12 || transform > 1 {
            return Err(damaged("its code blocks or its transform are of no size or kind there is"));
        }
        let count = if markers & 1 == 1 { usize::from(levels) + 1 } else { 0 };
        marker::exact(code, sizes.len(), count)?;
        let precincts: Vec<_> = sizes.iter().map(|&size| [size & 15, size >> 4]).collect();
        if precincts.iter().skip(1).flatten().any(|&side| side == 0) {
            return Err(damaged("its precincts are too small for a code block"));
        }
        Ok(Self { levels, block: block.map(|side| side as u8), precincts, flags, markers })
    }

    pub(super) fn precinct(&self, resolution: u8) -> [u8; 2] {
        self.precincts.get(usize::from(resolution)).copied().unwrap_or([WHOLE; 2])
    }

    /// A marker may stand before each packet (SOP, A.8.1).
    pub(super) fn may_mark_packets(&self) -> bool {
        self.markers & 2 != 0
    }

    /// A marker stands behind the header of each packet (EPH, A.8.2).
    pub(super) fn marks_headers(&self) -> bool {
        self.markers & 4 != 0
    }

    /// Some bits are not coded but written as they are: bypass of the arithmetic coder, and high-throughput blocks.
    pub(super) fn has_raw_bits(&self) -> bool {
        self.flags & (Self::BYPASS | Self::HIGH_THROUGHPUT) != 0
    }

    /// Parts that a block's data may have in all layers together, beside one for every layer.
    pub(super) fn parts(&self) -> u64 {
        // Each pass ends a part, or each second one of those that bypass the arithmetic coder.
        match self.flags & (Self::BYPASS | Self::TERMINATION) {
            0 => 0,
            Self::BYPASS => 64,
            _ => 96,
        }
    }
}

impl Coding {
    /// The style of all components (COD).
    pub(super) fn read(body: &[u8], components: usize) -> Result<Self, Problem> {
        let (&[markers, order, high, low, _transform], parameters) =
            body.split_first_chunk().ok_or_else(cut_off)?;
        let style = Style::read(CODING_STYLE, parameters, markers)?;
        let layers = u16::from_be_bytes([high, low]).into();
        Ok(Self { styles: vec![style; components], layers, order, changes: Vec::new() })
    }

    /// The style of all components of a tile, in place of the one that it has.
    pub(super) fn replace(&mut self, body: &[u8]) -> Result<(), Problem> {
        let new = Self::read(body, self.styles.len())?;
        for (style, new) in self.styles.iter_mut().zip(new.styles) {
            // Decoders expect markers in packets if any of the segments says so.
            *style = Style { markers: style.markers | new.markers, ..new };
        }
        (self.layers, self.order) = (new.layers, new.order);
        Ok(())
    }

    /// Takes the style of one component (COC). It has the markers of its own segment and `markers`, or those that it had.
    pub(super) fn component(&mut self, body: &[u8], markers: Option<u8>) -> Result<(), Problem> {
        let (index, rest) = marker::component(body, self.styles.len())?;
        let (&flags, parameters) = rest.split_first().ok_or_else(cut_off)?;
        let new = Style::read(COMPONENT_CODING_STYLE, parameters, flags)?;
        let markers = markers.unwrap_or(self.styles[index].markers) | new.markers;
        self.styles[index] = Style { markers, ..new };
        Ok(())
    }

    pub(super) fn has_high_throughput(&self) -> bool {
        self.styles.iter().any(|style| style.flags & Style::HIGH_THROUGHPUT != 0)
    }

    /// Which markers stand in packets of the first component.
    pub(super) fn markers(&self) -> u8 {
        self.styles[0].markers
    }

    /// Takes changes of progression (POC).
    pub(super) fn progression(&mut self, body: &[u8]) {
        let changes =
            body.as_chunks::<CHANGE>().0.iter().map(|&[first, component, high, low, end, last, order]| {
                // Table A.32.
                let last = if last == 0 { 256 } else { last.into() };
                Change {
                    resolutions: first.into()..end.into(),
                    components: component.into()..last,
                    layers: u16::from_be_bytes([high, low]).into(),
                    order,
                }
            });
        self.changes.extend(changes);
    }
}
