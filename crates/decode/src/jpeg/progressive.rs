//! Scans of the progressive process.

use super::bits::Bits;
use super::frame::{Frame, Scan};
use super::huffman::{Table, Tables};
use super::interval::{Intervals, Units};
use super::{Fault, Read, zeros};

const SIDE: u32 = 8;
const BLOCK: usize = 64;
/// Equal coefficients in a row, all of zero bits, that no film has.
const UNLIKELY: usize = 24;

/// What the scans so far have told of every coefficient.
#[derive(Debug)]
pub(super) struct Coverage {
    parts: Vec<Part>,
}

#[derive(Debug)]
struct Part {
    columns: usize,
    rows: usize,
    /// A bit for every coefficient of a block that is not zero; refinements have a bit for each of these.
    blocks: Vec<u64>,
    /// Bits that are still to come, by coefficient; none where no scan had it.
    left: [Option<u8>; BLOCK],
}

impl Coverage {
    pub(super) fn new(frame: &Frame) -> Self {
        let part = |component| {
            let (columns, rows) = frame.units(component, SIDE);
            Part { columns, rows, blocks: Vec::new(), left: [None; BLOCK] }
        };
        Self { parts: frame.components.iter().map(part).collect() }
    }

    /// Every component has its first scan, without which there is no picture.
    pub(super) fn check_first_scans(&self) -> Result<(), Fault> {
        match self.parts.iter().position(|part| part.left[0].is_none()) {
            Some(place) => Err(Fault::NoScan { component: place + 1, of: self.parts.len() }),
            None => Ok(()),
        }
    }

    /// Whether every bit of every coefficient was there.
    pub(super) fn is_complete(&self) -> bool {
        self.parts.iter().all(|part| part.left.iter().all(|&left| left == Some(0)))
    }
}

pub(super) fn read(
    stream: &[u8],
    start: usize,
    frame: &Frame,
    scan: &Scan,
    tables: &mut Tables,
    restart: usize,
    coverage: &mut Coverage,
) -> Result<Read, Fault> {
    let (first, last) = (usize::from(scan.first), usize::from(scan.last));
    if last >= BLOCK || first > last || (first == 0 && last > 0) {
        return Err(Fault::Header("a progressive scan of impossible coefficients"));
    }
    tables.complete();
    let walk = Walk { stream, start, restart, scan };
    let read = if first == 0 {
        walk.differences(frame, tables)?
    } else {
        let [component] = scan.components[..] else {
            return Err(Fault::Header("a progressive scan of coefficients of several components"));
        };
        walk.coefficients(&mut coverage.parts[component.place], tables.ac(component.ac)?)?
    };
    for component in &scan.components {
        coverage.parts[component.place].left[first..=last].fill(Some(scan.low));
    }
    Ok(read)
}

struct Walk<'a> {
    stream: &'a [u8],
    start: usize,
    restart: usize,
    scan: &'a Scan,
}

impl Walk<'_> {
    /// The first coefficients of all blocks.
    fn differences(&self, frame: &Frame, tables: &Tables) -> Result<Read, Fault> {
        let mut blocks = Vec::new();
        for component in &self.scan.components {
            let part = frame.components[component.place];
            let count = if self.scan.components.len() == 1 { 1 } else { part.horizontal * part.vertical };
            blocks.extend(std::iter::repeat_n(tables.dc(component.dc)?, count as usize));
        }
        let (columns, rows) = match self.scan.components[..] {
            [component] => frame.units(&frame.components[component.place], SIDE),
            _ => frame.mcus(SIDE),
        };
        let units = Units::mcus(columns * rows);
        let mut bits = Bits::new(self.stream, self.start);
        let mut intervals = Intervals::new(self.stream, self.start, self.restart, units);
        for done in 0..units.total {
            intervals.pass(&mut bits, done)?;
            for dc in &blocks {
                bits.refill();
                if self.scan.high > 0 {
                    bits.skip(1);
                    continue;
                }
                let Some((category, length)) = dc.symbol(bits.ahead()) else {
                    return Err(units.impossible(done, &bits));
                };
                bits.skip(length + u32::from(category & 15));
            }
            if bits.overran() {
                return Err(units.short(done));
            }
        }
        self.judged(intervals.end(&bits)?, units)
    }

    /// The other coefficients of the blocks of one component.
    fn coefficients(&self, part: &mut Part, table: &Table) -> Result<Read, Fault> {
        let units = Units::mcus(part.columns * part.rows);
        part.blocks.resize(units.total, 0);
        // Read again, carefully, if there is reason to.
        let before = part.blocks.clone();
        let read = self.judged(self.walk(&mut part.blocks, table, units, |_, _| Ok(()))?, units)?;
        let runs = zeros::runs(self.stream, self.start, read.position);
        let band = usize::from(self.scan.last - self.scan.first) + 1;
        let fills = table.of_zeros().is_some_and(|symbol| symbol & 15 != 0 || symbol >> 4 == 15);
        if !runs.is_empty() && fills && band > 2 {
            let (mut position, mut equal) = (self.start, 0);
            let check = |bits: &Bits<'_>, done| {
                let after = bits.position();
                equal = if zeros::hold(&runs, position, after) { equal + band } else { 0 };
                position = after;
                if equal >= UNLIKELY { Err(units.zeroed(done)) } else { Ok(()) }
            };
            part.blocks = before;
            self.walk(&mut part.blocks, table, units, check)?;
        }
        Ok(read)
    }

    fn walk(
        &self,
        blocks: &mut [u64],
        table: &Table,
        units: Units,
        mut check: impl FnMut(&Bits<'_>, usize) -> Result<(), Fault>,
    ) -> Result<Read, Fault> {
        let band = Band { first: self.scan.first.into(), last: self.scan.last.into() };
        let mut bits = Bits::new(self.stream, self.start);
        let mut intervals = Intervals::new(self.stream, self.start, self.restart, units);
        // Blocks to come without further coefficients.
        let mut run = 0;
        for (done, block) in blocks.iter_mut().enumerate() {
            if intervals.pass(&mut bits, done)? {
                run = 0;
            }
            let passed = match (self.scan.high, run) {
                (0, 1..) => {
                    run -= 1;
                    continue;
                }
                (0, 0) => band.first_bits(&mut bits, table, block, &mut run),
                _ => band.further_bits(&mut bits, table, block, &mut run),
            };
            passed.ok_or_else(|| units.impossible(done, &bits))?;
            if bits.overran() {
                return Err(units.short(done));
            }
            check(&bits, done)?;
        }
        intervals.end(&bits)
    }

    fn judged(&self, read: Read, units: Units) -> Result<Read, Fault> {
        let displaced = read.excess > 0
            && zeros::displace(&zeros::runs(self.stream, self.start, read.position), read.excess);
        if displaced { Err(units.zeroed(0)) } else { Ok(read) }
    }
}

/// Coefficients of a scan.
#[derive(Clone, Copy)]
struct Band {
    first: usize,
    last: usize,
}

impl Band {
    /// The coefficients from `index` to the last.
    fn mask(self, index: usize) -> u64 {
        if index > self.last { 0 } else { u64::MAX << index & u64::MAX >> (63 - self.last) }
    }

    /// A block's first bits (G.1.2.2).
    fn first_bits(self, bits: &mut Bits<'_>, table: &Table, block: &mut u64, run: &mut u32) -> Option<()> {
        let mut index = self.first;
        while index <= self.last {
            let (zeros, category) = symbol(bits, table)?;
            if category == 0 {
                if zeros < 15 {
                    *run = (1 << zeros) - 1 + bits.take(zeros);
                    break;
                }
                index += 16;
                continue;
            }
            index += zeros as usize;
            *block |= 1_u64.checked_shl(index as u32)?;
            bits.refill();
            bits.skip(category);
            index += 1;
        }
        Some(())
    }

    /// A further bit of every coefficient, and first bits of some that were zero (G.1.2.3).
    fn further_bits(self, bits: &mut Bits<'_>, table: &Table, block: &mut u64, run: &mut u32) -> Option<()> {
        let mut index = self.first;
        if *run == 0 {
            while index <= self.last {
                let (mut zeros, category) = symbol(bits, table)?;
                if category == 0 && zeros < 15 {
                    *run = (1 << zeros) + bits.take(zeros);
                    break;
                }
                bits.refill();
                bits.skip(u32::from(category > 0));
                // Passes as many zeros as the code says; each other coefficient on the way has a bit.
                let start = index;
                let mut empty = !*block & self.mask(index);
                while zeros > 0 {
                    empty &= empty.wrapping_sub(1);
                    zeros -= 1;
                }
                index = if empty == 0 { self.last + 1 } else { empty.trailing_zeros() as usize };
                let passed = *block & self.mask(start) & !self.mask(index);
                bits.skip_many(passed.count_ones());
                if category > 0 && index <= self.last {
                    *block |= 1 << index;
                }
                index += 1;
            }
        }
        if *run > 0 {
            *run -= 1;
            bits.skip_many((*block & self.mask(index)).count_ones());
        }
        Some(())
    }
}

/// Zeros before a coefficient, and the bits of its number.
#[inline]
fn symbol(bits: &mut Bits<'_>, table: &Table) -> Option<(u32, u32)> {
    bits.refill();
    let (symbol, length) = table.symbol(bits.ahead())?;
    bits.skip(length);
    Some((u32::from(symbol >> 4), u32::from(symbol & 15)))
}
