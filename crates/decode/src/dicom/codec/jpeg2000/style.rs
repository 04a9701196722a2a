//! How tiles are coded (COD, COC and POC, T.800, A.6).

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
    /// Changes of the order of packets.
    pub(super) changes: u64,
}

/// How a component is coded. Side lengths are exponents of two, horizontal first.
#[derive(Debug, Clone)]
pub(super) struct Style {
    /// Wavelet decompositions.
    pub(super) levels: u8,
    pub(super) block: [u8; 2],
    /// By resolution; none where all are as large as can be.
    precincts: Vec<[u8; 2]>,
    flags: u8,
}

impl Style {
    /// `parameters` from the number of levels on.
    fn read(code: u16, parameters: &[u8], has_precincts: bool) -> Result<Self, Problem> {
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
        let count = if has_precincts { usize::from(levels) + 1 } else { 0 };
        marker::exact(code, sizes.len(), count)?;
        let precincts: Vec<_> = sizes.iter().map(|&size| [size & 15, size >> 4]).collect();
        if precincts.iter().skip(1).flatten().any(|&side| side == 0) {
            return Err(damaged("its precincts are too small for a code block"));
        }
        Ok(Self { levels, block: block.map(|side| side as u8), precincts, flags })
    }

    pub(super) fn precinct(&self, resolution: u8) -> [u8; 2] {
        self.precincts.get(usize::from(resolution)).copied().unwrap_or([WHOLE; 2])
    }

    /// Some bits are not coded but written as they are: bypass of the arithmetic coder, and high-throughput blocks.
    pub(super) fn has_raw_bits(&self) -> bool {
        self.flags & 0x41 != 0
    }

    /// Parts that a block's data may have in all layers together, beside one for every layer.
    pub(super) fn parts(&self) -> u64 {
        // Each pass ends a part, or each second one of those that bypass the arithmetic coder.
        match self.flags & 0x05 {
            0 => 0,
            1 => 64,
            _ => 96,
        }
    }
}

impl Coding {
    /// The style of all components (COD).
    pub(super) fn read(body: &[u8], components: usize) -> Result<Self, Problem> {
        let (&[flags, _order, high, low, _transform], parameters) =
            body.split_first_chunk().ok_or_else(cut_off)?;
        let style = Style::read(CODING_STYLE, parameters, flags & 1 == 1)?;
        let layers = u16::from_be_bytes([high, low]);
        Ok(Self { styles: vec![style; components], layers: layers.into(), changes: 0 })
    }

    /// Takes the style of one component (COC).
    pub(super) fn component(&mut self, body: &[u8]) -> Result<(), Problem> {
        let (index, rest) = marker::component(body, self.styles.len())?;
        let (flags, parameters) = rest.split_first().ok_or_else(cut_off)?;
        self.styles[index] = Style::read(COMPONENT_CODING_STYLE, parameters, flags & 1 == 1)?;
        Ok(())
    }

    /// Counts changes of progression (POC).
    pub(super) fn progression(&mut self, body: &[u8]) {
        self.changes += (body.len() / CHANGE) as u64;
    }
}
