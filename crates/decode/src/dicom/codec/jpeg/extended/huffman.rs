//! Huffman codes and the bits they are read from.

/// Codes of one to sixteen bits.
#[derive(Debug, Clone)]
pub(super) struct Table {
    /// For every length: first code, one past the last, and where its values start.
    lengths: [(u32, u32, usize); 16],
    values: Vec<u8>,
}

impl Table {
    /// A table and what follows it; none where there are more codes than fit.
    pub(super) fn read(body: &[u8]) -> Option<(Self, &[u8])> {
        let (counts, rest) = body.split_at_checked(16)?;
        let total = counts.iter().map(|&count| usize::from(count)).sum();
        let (values, rest) = rest.split_at_checked(total)?;
        let mut lengths = [(0, 0, 0); 16];
        let (mut code, mut start) = (0_u32, 0);
        for (index, &count) in counts.iter().enumerate() {
            let end = code + u32::from(count);
            if end > 1 << (index + 1) {
                return None;
            }
            lengths[index] = (code, end, start);
            start += usize::from(count);
            code = end << 1;
        }
        Some((Self { lengths, values: values.to_vec() }, rest))
    }
}

/// Entropy-coded bits, most significant first; a byte of ones is followed by one of zeros that does not count.
#[derive(Debug)]
pub(super) struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
    byte: u8,
    left: u32,
}

impl<'a> Bits<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, byte: 0, left: 0 }
    }

    fn bit(&mut self) -> Option<u32> {
        if self.left == 0 {
            self.byte = *self.bytes.get(self.at)?;
            self.at += 1;
            if self.byte == 0xff {
                if *self.bytes.get(self.at)? != 0 {
                    // A marker: it stays where it is.
                    self.at -= 1;
                    return None;
                }
                self.at += 1;
            }
            self.left = 8;
        }
        self.left -= 1;
        Some(u32::from(self.byte >> self.left & 1))
    }

    pub(super) fn code(&mut self, table: &Table) -> Option<u8> {
        let mut code = 0;
        for &(first, end, start) in &table.lengths {
            code = code << 1 | self.bit()?;
            if (first..end).contains(&code) {
                return table.values.get(start + (code - first) as usize).copied();
            }
        }
        None
    }

    /// A number of `category` bits; those that start with zero are negative.
    pub(super) fn value(&mut self, category: u8) -> Option<i32> {
        let mut value = 0_i32;
        for _ in 0..category {
            value = value << 1 | self.bit()? as i32;
        }
        let negative = category > 0 && value >> (category - 1) == 0;
        Some(if negative { value - (1 << category) + 1 } else { value })
    }

    /// Goes to behind the restart marker that comes next.
    pub(super) fn restart(&mut self) -> Option<()> {
        self.left = 0;
        let rest = self.bytes.get(self.at..)?;
        let (0xff, 0xd0..=0xd7) = (*rest.first()?, *rest.get(1)?) else { return None };
        self.at += 2;
        Some(())
    }
}
