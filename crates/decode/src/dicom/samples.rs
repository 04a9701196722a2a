//! Samples as they are stored: bit patterns, before they mean numbers.

use super::layout::Layout;

/// Bit patterns of a frame, samples of a pixel together.
#[derive(Debug, Clone)]
pub(crate) enum Samples {
    /// Up to 16 bits.
    Narrow(Vec<u16>),
    /// Up to 32 bits.
    Wide(Vec<u32>),
}

impl Samples {
    pub(crate) fn patterns(&self) -> Box<dyn Iterator<Item = u32> + '_> {
        match self {
            Self::Narrow(words) => Box::new(words.iter().map(|&word| u32::from(word))),
            Self::Wide(words) => Box::new(words.iter().copied()),
        }
    }
}

/// From a bit pattern to the number that is stored.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Meaning {
    shift: u16,
    stored: u16,
    signed: bool,
}

impl Meaning {
    /// Samples as wide as `precision` bits. What lies below the stored bits is shifted out, what lies above them is cut off:
    /// overlays used to be there.
    pub(crate) fn new(layout: &Layout, precision: u16) -> Self {
        let low = layout.high + 1 - layout.stored;
        // Decoders give values of their own precision, without the bits below.
        let shift = if precision > layout.stored { low } else { 0 };
        Self { shift, stored: layout.stored, signed: layout.signed }
    }

    /// The stored bits alone.
    pub(crate) fn unsigned(self, pattern: u32) -> u32 {
        (pattern >> self.shift) & (u32::MAX >> (32 - self.stored))
    }

    pub(crate) fn number(self, pattern: u32) -> i64 {
        let value = self.unsigned(pattern);
        let negative = self.signed && value >> (self.stored - 1) == 1;
        i64::from(value) - if negative { 1 << self.stored } else { 0 }
    }

    /// Lowest and highest number.
    pub(crate) fn range(self) -> (i64, i64) {
        if self.signed {
            (-(1 << (self.stored - 1)), (1 << (self.stored - 1)) - 1)
        } else {
            (0, (1 << self.stored) - 1)
        }
    }
}
