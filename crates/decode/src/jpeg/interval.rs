//! Units of a scan, counted, and the restart markers between them.

use super::bits::Bits;
use super::{Fault, Read, marker, zeros};

/// Units of a scan.
#[derive(Debug, Clone, Copy)]
pub(super) struct Units {
    pub(super) name: &'static str,
    /// How many make one that messages count.
    pub(super) each: usize,
    pub(super) total: usize,
}

impl Units {
    pub(super) const fn mcus(total: usize) -> Self {
        Self { name: "MCU", each: 1, total }
    }

    fn counted(self, done: usize) -> (usize, usize) {
        (done / self.each, self.total / self.each)
    }

    pub(super) fn short(self, done: usize) -> Fault {
        let (done, total) = self.counted(done);
        Fault::Short { scan: 0, unit: self.name, done, total }
    }

    pub(super) fn zeroed(self, done: usize) -> Fault {
        let (done, total) = self.counted(done);
        Fault::Zeroed { scan: 0, unit: self.name, done, total }
    }

    /// An impossible code; none at all where the data ends.
    pub(super) fn impossible(self, done: usize, bits: &Bits<'_>) -> Fault {
        if bits.is_at_end() {
            return self.short(done);
        }
        let (done, total) = self.counted(done);
        Fault::Code { scan: 0, unit: self.name, number: done + 1, total }
    }
}

/// Data between restart markers.
#[derive(Debug)]
pub(super) struct Intervals<'a> {
    stream: &'a [u8],
    units: Units,
    every: usize,
    expected: u8,
    start: usize,
    excess: usize,
}

impl<'a> Intervals<'a> {
    pub(super) fn new(stream: &'a [u8], start: usize, every: usize, units: Units) -> Self {
        Self { stream, units, every, expected: 0, start, excess: 0 }
    }

    /// Whether a restart marker stands before unit `done`, which is passed if so.
    #[inline]
    pub(super) fn pass(&mut self, bits: &mut Bits<'_>, done: usize) -> Result<bool, Fault> {
        if self.every == 0 || done == 0 || !done.is_multiple_of(self.every) {
            return Ok(false);
        }
        self.restart(bits, done)?;
        Ok(true)
    }

    fn restart(&mut self, bits: &mut Bits<'_>, done: usize) -> Result<(), Fault> {
        let (marker, excess) = bits.marker();
        let Some(marker) = marker.filter(|marker| marker::is_restart(marker.code)) else {
            return Err(self.units.short(done));
        };
        self.leave(bits, excess, done)?;
        let found = marker.code & 7;
        if found != self.expected {
            let (expected, unit) = (self.expected, self.units.name);
            let (done, total) = self.units.counted(done);
            return Err(Fault::Restart { scan: 0, expected, found, unit, done, total });
        }
        self.expected = (found + 1) & 7;
        self.start = marker.end;
        bits.restart(marker.end);
        Ok(())
    }

    fn leave(&mut self, bits: &Bits<'_>, excess: usize, done: usize) -> Result<(), Fault> {
        let position = bits.position();
        if zeros::are_left_over(self.stream, self.start, position, position + excess) {
            return Err(self.units.zeroed(done));
        }
        self.excess += excess;
        Ok(())
    }

    /// Behind the last unit.
    pub(super) fn end(mut self, bits: &Bits<'_>) -> Result<Read, Fault> {
        let (marker, excess) = bits.marker();
        self.leave(bits, excess, self.units.total)?;
        let position = bits.position();
        let end = marker.map_or(position, |marker| marker.start);
        Ok(Read { position, end, excess: self.excess })
    }
}
