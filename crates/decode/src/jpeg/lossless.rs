//! Scans of the lossless process, and their samples.

use super::bits::Bits;
use super::frame::{Frame, Scan};
use super::huffman::{Table, Tables};
use super::interval::{Intervals, Units};
use super::{Fault, Read, zeros};

/// The category of the one difference that has no number behind its code.
const LARGEST: u8 = 16;

/// Bits of a difference that cannot be the same over a run of zero bytes.
const STEEP: u8 = 4;

/// Reads a scan. The samples of its components go to their `planes`, row by row, if there are any.
pub(super) fn read(
    stream: &[u8],
    start: usize,
    frame: &Frame,
    scan: &Scan,
    tables: &Tables,
    restart: usize,
    planes: Option<&mut Vec<Vec<u16>>>,
) -> Result<Read, Fault> {
    let predictor = Predictor::of(frame, scan)?;
    let mut codes: Vec<(&Table, usize)> = Vec::new();
    for component in &scan.components {
        let part = frame.components[component.place];
        let count = if scan.components.len() == 1 { 1 } else { part.horizontal * part.vertical };
        codes.extend(std::iter::repeat_n((tables.dc(component.dc)?, component.place), count as usize));
    }
    let (columns, rows) = match scan.components[..] {
        [component] => frame.units(&frame.components[component.place], 1),
        _ => frame.mcus(1),
    };
    let units = Units { name: "line", each: columns, total: columns * rows };
    let mut none = Vec::new();
    let planes = planes.unwrap_or(&mut none);
    let mut bits = Bits::new(stream, start);
    let mut intervals = Intervals::new(stream, start, restart, units);
    let mut first = 0;
    for done in 0..units.total {
        if intervals.pass(&mut bits, done)? {
            first = done;
        }
        for &(table, place) in &codes {
            let difference = difference(&mut bits, table).ok_or_else(|| units.impossible(done, &bits))?;
            if let Some(plane) = planes.get_mut(place) {
                let prediction = predictor.predict(plane, done, first, columns);
                plane.push(prediction.wrapping_add(difference as u16));
            }
        }
        if bits.overran() {
            return Err(units.short(done));
        }
    }
    for component in &scan.components {
        if let Some(plane) = planes.get_mut(component.place) {
            for sample in plane.iter_mut() {
                *sample <<= scan.low;
            }
        }
    }
    let read = intervals.end(&bits)?;
    let runs = zeros::runs(stream, start, read.position);
    // Zero bits that are large differences would be a slope that nothing has.
    let is_slope = codes.iter().any(|(table, _)| table.of_zeros().is_some_and(|category| category >= STEEP));
    if zeros::displace(&runs, read.excess) || !runs.is_empty() && is_slope {
        return Err(units.zeroed(0));
    }
    Ok(read)
}

#[inline]
fn difference(bits: &mut Bits<'_>, table: &Table) -> Option<i32> {
    bits.refill();
    let (category, length) = table.symbol(bits.ahead())?;
    bits.skip(length);
    match category {
        0 => Some(0),
        1..LARGEST => {
            let number = bits.take(category.into()) as i32;
            let is_negative = number >> (category - 1) == 0;
            Some(if is_negative { number - (1 << category) + 1 } else { number })
        }
        LARGEST => Some(1 << 15),
        _ => None,
    }
}

/// How a sample is told from its neighbors (H.1.2.1).
#[derive(Debug, Clone, Copy)]
struct Predictor {
    selection: u8,
    /// Of the first sample.
    start: u16,
}

impl Predictor {
    fn of(frame: &Frame, scan: &Scan) -> Result<Self, Fault> {
        if !(1..=7).contains(&scan.first) {
            return Err(Fault::Header("a lossless scan of an impossible predictor"));
        }
        if !(2..=16).contains(&frame.precision) || scan.low >= frame.precision {
            return Err(Fault::Header("a lossless scan of an impossible precision"));
        }
        Ok(Self { selection: scan.first, start: 1 << (frame.precision - scan.low - 1) })
    }

    /// The prediction of sample `at`, of an interval that started with sample `first`, whose line has no line above.
    #[inline]
    fn predict(self, plane: &[u16], at: usize, first: usize, columns: usize) -> u16 {
        if at == first {
            return self.start;
        }
        let (x, y) = (at % columns, at / columns);
        if y == first / columns {
            return plane[at - 1];
        }
        let above = plane[at - columns];
        if x == 0 {
            return above;
        }
        let [left, above, corner] = [plane[at - 1], above, plane[at - columns - 1]].map(i32::from);
        let prediction = match self.selection {
            1 => left,
            2 => above,
            3 => corner,
            4 => left + above - corner,
            5 => left + ((above - corner) >> 1),
            6 => above + ((left - corner) >> 1),
            _ => (left + above) >> 1,
        };
        prediction as u16
    }
}
