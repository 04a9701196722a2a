//! Huffman tables, made for counting.

use super::{Fault, standard};

/// Bits by which a code is looked up at once.
const WINDOW: u32 = 10;
/// Bits by which several codes are, at most: more bits are fewer steps, and a larger table to make first.
const PACK: u32 = 13;

/// Codes of one to sixteen bits.
#[derive(Debug, Clone)]
pub(super) struct Table {
    /// By the next bits: a code's symbol in the low byte and its length above; 0 where it is longer.
    lookup: Vec<u16>,
    /// For every length: first code, one past the last, and where its values start.
    lengths: [(u32, u32, usize); 16],
    values: Vec<u8>,
    packed: Vec<Pack>,
    /// Bits that [`Table::pack`] looks at.
    pack: u32,
}

/// The codes of coefficients that start within the next bits: in seven bits the coefficients that they go on by, in one whether
/// the last ends the block, and above the bits of the codes and of the numbers behind them, 0 where the first is too long.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Pack(u16);

impl Pack {
    const fn new(bits: u32, advance: u32, ends: bool) -> Self {
        Self((bits << 8 | (ends as u32) << 7 | advance) as u16)
    }

    #[inline]
    pub(super) fn bits(self) -> u32 {
        u32::from(self.0 >> 8)
    }

    #[inline]
    pub(super) fn advance(self) -> u32 {
        u32::from(self.0 & 0x7f)
    }

    #[inline]
    pub(super) const fn ends(self) -> bool {
        self.0 & 0x80 != 0
    }
}

impl Table {
    /// A table and what follows it; none where there are more codes than fit.
    pub(super) fn read(body: &[u8]) -> Option<(Self, &[u8])> {
        let (counts, rest) = body.split_first_chunk::<16>()?;
        let total = counts.iter().map(|&count| usize::from(count)).sum();
        let (values, rest) = rest.split_at_checked(total)?;
        Some((Self::new(*counts, values)?, rest))
    }

    pub(super) fn new(counts: [u8; 16], values: &[u8]) -> Option<Self> {
        let mut lengths = [(0, 0, 0); 16];
        let mut lookup = vec![0; 1 << WINDOW];
        let (mut code, mut start) = (0_u32, 0);
        for (bits, &count) in (1..).zip(&counts) {
            let end = code + u32::from(count);
            if end > 1 << bits {
                return None;
            }
            lengths[bits as usize - 1] = (code, end, start);
            if bits <= WINDOW {
                for (offset, &value) in values.get(start..start + usize::from(count))?.iter().enumerate() {
                    let first = (code as usize + offset) << (WINDOW - bits);
                    lookup[first..first + (1 << (WINDOW - bits))].fill(u16::from(value) | (bits as u16) << 8);
                }
            }
            start += usize::from(count);
            code = end << 1;
        }
        Some(Self { lookup, lengths, values: values.to_vec(), packed: Vec::new(), pack: 0 })
    }

    /// The symbol that the bits start with, and its length.
    #[inline]
    pub(super) fn symbol(&self, ahead: u64) -> Option<(u8, u32)> {
        let found = self.lookup[(ahead >> (64 - WINDOW)) as usize];
        if found != 0 {
            return Some((found as u8, u32::from(found >> 8)));
        }
        (WINDOW + 1..=16).find_map(|bits| {
            let code = (ahead >> (64 - bits)) as u32;
            let (first, end, start) = self.lengths[bits as usize - 1];
            let value = (first..end).contains(&code).then(|| start + (code - first) as usize)?;
            Some((*self.values.get(value)?, bits))
        })
    }

    /// The symbol of the code that is all zeros.
    pub(super) fn of_zeros(&self) -> Option<u8> {
        self.symbol(0).map(|(symbol, _)| symbol)
    }

    /// Makes [`Table::pack`] ready for data of so many bytes.
    pub(super) fn prepare(&mut self, bytes: usize) {
        let pack = match bytes {
            0..0x2000 => PACK - 4,
            0x2000..0x1_0000 => PACK - 2,
            _ => PACK,
        };
        if self.pack < pack {
            self.pack = pack;
            self.packed = (0..1_u64 << pack).map(|bits| self.packed(bits << (64 - pack))).collect();
        }
    }

    /// The codes of coefficients that the bits start with; [`Table::prepare`] comes first.
    #[inline]
    pub(super) fn pack(&self, ahead: u64) -> Pack {
        self.packed[(ahead >> (64 - self.pack)) as usize]
    }

    fn packed(&self, ahead: u64) -> Pack {
        let (mut taken, mut advance) = (0, 0);
        while taken < self.pack && advance < 63 {
            let found = self.lookup[(ahead << taken >> (64 - WINDOW)) as usize];
            let (symbol, bits) = (found as u8, u32::from(found >> 8));
            if bits == 0 || taken + bits > self.pack {
                break;
            }
            let (zeros, category) = (u32::from(symbol >> 4), u32::from(symbol & 15));
            taken += bits + category;
            match (zeros, category) {
                (15, 0) => advance += 16,
                (_, 0) => return Pack::new(taken, advance, true),
                _ => advance += zeros + 1,
            }
        }
        Pack::new(taken, advance, false)
    }
}

/// The tables that markers have defined so far.
#[derive(Debug, Default)]
pub(super) struct Tables {
    dc: [Option<Table>; 4],
    ac: [Option<Table>; 4],
}

impl Tables {
    /// Reads the tables of a marker.
    pub(super) fn read(&mut self, mut body: &[u8]) -> Result<(), Fault> {
        while let Some((&kind, rest)) = body.split_first() {
            let (table, rest) = Table::read(rest).ok_or(Fault::Header("an impossible Huffman table"))?;
            let tables = if kind >> 4 == 0 { &mut self.dc } else { &mut self.ac };
            let slot = tables.get_mut(usize::from(kind & 15));
            *slot.ok_or(Fault::Header("a fifth Huffman table"))? = Some(table);
            body = rest;
        }
        Ok(())
    }

    /// Makes a table of coefficients ready for [`Table::pack`].
    pub(super) fn prepare(&mut self, number: usize, bytes: usize) {
        if let Some(table) = &mut self.ac[number] {
            table.prepare(bytes);
        }
    }

    /// Fills in what frames of motion JPEG leave out.
    pub(super) fn complete(&mut self) {
        for number in 0..2 {
            complete(&mut self.dc[number], || standard::dc(number));
            complete(&mut self.ac[number], || standard::ac(number));
        }
    }

    pub(super) fn dc(&self, number: usize) -> Result<&Table, Fault> {
        self.dc[number].as_ref().ok_or(MISSING)
    }

    pub(super) fn ac(&self, number: usize) -> Result<&Table, Fault> {
        self.ac[number].as_ref().ok_or(MISSING)
    }
}

fn complete(slot: &mut Option<Table>, table: impl FnOnce() -> Option<Table>) {
    if slot.is_none() {
        *slot = table();
    }
}

const MISSING: Fault = Fault::Header("a scan that uses a Huffman table that is not there");
