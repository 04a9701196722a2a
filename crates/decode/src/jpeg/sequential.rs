//! Scans of the baseline and extended processes.

use super::bits::Bits;
use super::frame::{Frame, Scan};
use super::huffman::{Table, Tables};
use super::interval::{Intervals, Units};
use super::{Fault, Read, zeros};

/// Samples along a block's side.
const SIDE: u32 = 8;
const BLOCK: u32 = 64;

/// The tables of a block.
type Block<'a> = (&'a Table, &'a Table);

pub(super) fn read(
    stream: &[u8],
    start: usize,
    frame: &Frame,
    scan: &Scan,
    tables: &mut Tables,
    restart: usize,
) -> Result<Read, Fault> {
    tables.complete();
    for component in &scan.components {
        tables.prepare(component.ac, stream.len() - start);
    }
    let mut blocks = Vec::new();
    for component in &scan.components {
        let part = frame.components[component.place];
        let count = if scan.components.len() == 1 { 1 } else { part.horizontal * part.vertical };
        let block = (tables.dc(component.dc)?, tables.ac(component.ac)?);
        blocks.extend(std::iter::repeat_n(block, count as usize));
    }
    let (columns, rows) = match scan.components[..] {
        [component] => frame.units(&frame.components[component.place], SIDE),
        _ => frame.mcus(SIDE),
    };
    let units = Units::mcus(columns * rows);
    let intervals = || Intervals::new(stream, start, restart, units);
    let read = walk(Bits::new(stream, start), &blocks, intervals(), units, |_, _, _| Ok(()))?;

    let runs = zeros::runs(stream, start, read.position);
    if zeros::displace(&runs, read.excess) {
        return Err(units.zeroed(0));
    }
    if !runs.is_empty() && blocks.iter().any(|(_, ac)| fills(ac)) {
        let mut before = start;
        let check = |bits: &Bits<'_>, ac: &Table, done| {
            let after = bits.position();
            let zeroed = fills(ac) && zeros::hold(&runs, before, after);
            before = after;
            if zeroed { Err(units.zeroed(done)) } else { Ok(()) }
        };
        walk(Bits::new(stream, start), &blocks, intervals(), units, check)?;
    }
    Ok(read)
}

/// Whether zero bits fill a block with coefficients, rather than end it.
fn fills(ac: &Table) -> bool {
    ac.of_zeros().is_some_and(|symbol| symbol & 15 != 0 || symbol >> 4 == 15)
}

/// Reads all MCUs. `check` sees where each block ended.
fn walk(
    mut bits: Bits<'_>,
    blocks: &[Block<'_>],
    mut intervals: Intervals<'_>,
    units: Units,
    mut check: impl FnMut(&Bits<'_>, &Table, usize) -> Result<(), Fault>,
) -> Result<Read, Fault> {
    for done in 0..units.total {
        intervals.pass(&mut bits, done)?;
        for (dc, ac) in blocks {
            block(&mut bits, dc, ac).ok_or_else(|| units.impossible(done, &bits))?;
            check(&bits, ac, done)?;
        }
        if bits.overran() {
            return Err(units.short(done));
        }
    }
    intervals.end(&bits)
}

/// Passes a block; none where a code is impossible.
#[inline]
fn block(bits: &mut Bits<'_>, dc: &Table, ac: &Table) -> Option<()> {
    bits.refill();
    let (category, length) = dc.symbol(bits.ahead())?;
    bits.skip(length + u32::from(category & 15));
    let mut index = 1;
    while index < BLOCK {
        bits.refill();
        let pack = ac.pack(bits.ahead());
        let next = index + pack.advance();
        if pack.bits() != 0 && next + u32::from(pack.ends()) <= BLOCK {
            bits.skip(pack.bits());
            index = next;
            if pack.ends() {
                break;
            }
            continue;
        }
        let (symbol, length) = ac.symbol(bits.ahead())?;
        let (zeros, category) = (u32::from(symbol >> 4), u32::from(symbol & 15));
        bits.skip(length + category);
        if category == 0 {
            if zeros < 15 {
                break;
            }
            index += 16;
            continue;
        }
        index += zeros + 1;
        if index > BLOCK {
            return None;
        }
    }
    Some(())
}
