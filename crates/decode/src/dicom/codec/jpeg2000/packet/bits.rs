//! Bits of packet headers, with a zero bit behind every byte of ones (T.800, B.10.1).

/// Reads bits, and whole bytes and markers between them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bits<'a> {
    bytes: &'a [u8],
    /// The byte that is read from, and how many of its bits were.
    at: usize,
    used: u8,
}

impl<'a> Bits<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, used: 0 }
    }

    pub(super) fn at_end(&self) -> bool {
        self.at >= self.bytes.len()
    }

    /// A bit; none where the data ends or the bit behind a byte of ones is set.
    pub(super) fn bit(&mut self) -> Option<u32> {
        let byte = *self.bytes.get(self.at)?;
        let bit = byte >> (7 - self.used) & 1;
        self.used += 1;
        if self.used == 8 {
            (self.at, self.used) = (self.at + 1, 0);
            if byte == 0xff {
                let stuffed = self.bytes.get(self.at)?;
                self.used = 1;
                if stuffed & 0x80 != 0 {
                    return None;
                }
            }
        }
        Some(bit.into())
    }

    /// A number of so many bits; of more than 32 the last ones, as decoders have it.
    pub(super) fn number(&mut self, count: u8) -> Option<u32> {
        (0..count).try_fold(0, |number, _| Some(number << 1 | self.bit()?))
    }

    /// Takes so many bits if they are this number.
    pub(super) fn take(&mut self, count: u8, number: u32) -> bool {
        let mut ahead = *self;
        let is_there = ahead.number(count) == Some(number);
        if is_there {
            *self = ahead;
        }
        is_there
    }

    /// Goes on to the next byte if one has been begun.
    pub(super) fn align(&mut self) {
        if self.used > 0 {
            (self.at, self.used) = (self.at + 1, 0);
        }
    }

    /// Takes this marker if it stands here.
    pub(super) fn marker(&mut self, code: u16) -> bool {
        let is_there = self.bytes.get(self.at..).is_some_and(|rest| rest.starts_with(&code.to_be_bytes()));
        if is_there {
            self.at += 2;
        }
        is_there
    }

    /// Takes so many bytes, and where they start.
    pub(super) fn bytes(&mut self, count: u64) -> Option<(usize, &'a [u8])> {
        let start = self.at;
        let bytes = self.bytes.get(start..)?.get(..usize::try_from(count).ok()?)?;
        self.at += bytes.len();
        Some((start, bytes))
    }
}
