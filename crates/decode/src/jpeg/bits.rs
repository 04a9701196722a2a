//! Entropy-coded bits.

use super::marker;

/// Bits that a decoder may look at without asking: the longest code and the longest number behind it.
const ENOUGH: u32 = 32;

/// Reads bits, most significant first. Behind the data are as many zeros as anyone wants; [`Bits::overran`] tells that some
/// were used.
#[derive(Debug, Clone)]
pub(super) struct Bits<'a> {
    stream: &'a [u8],
    at: usize,
    /// The next bits, from the highest on.
    ahead: u64,
    count: u32,
    /// How many of them are not of the stream; they come last.
    lent: u32,
}

impl<'a> Bits<'a> {
    pub(super) fn new(stream: &'a [u8], at: usize) -> Self {
        Self { stream, at, ahead: 0, count: 0, lent: 0 }
    }

    /// Makes sure that the next [`ENOUGH`] bits can be seen.
    #[inline]
    pub(super) fn refill(&mut self) {
        if self.count >= ENOUGH {
            return;
        }
        if let Some(&eight) = self.stream.get(self.at..).and_then(<[u8]>::first_chunk)
            && self.lent == 0
        {
            let word = u64::from_be_bytes(eight);
            if !has_ones(word) {
                self.ahead |= word >> self.count;
                // Whole bytes; bits of a further one are there already and come once more.
                let bytes = (63 - self.count) / 8;
                self.at += bytes as usize;
                self.count += 8 * bytes;
                return;
            }
        }
        self.refill_slowly();
    }

    #[cold]
    fn refill_slowly(&mut self) {
        // Bits beyond the count may be those of a byte that is about to be read.
        self.ahead &= !(u64::MAX.checked_shr(self.count).unwrap_or(0));
        while self.count <= 56 {
            let byte = match (self.stream.get(self.at), self.stream.get(self.at + 1)) {
                (Some(0xff), Some(0)) => {
                    self.at += 1;
                    0xff
                }
                (Some(0xff) | None, _) => {
                    self.lent += 64 - self.count;
                    self.count = 64;
                    return;
                }
                (Some(&byte), _) => byte,
            };
            self.at += 1;
            self.ahead |= u64::from(byte) << (56 - self.count);
            self.count += 8;
        }
    }

    /// The next bits, from the highest on.
    #[inline]
    pub(super) const fn ahead(&self) -> u64 {
        self.ahead
    }

    /// Takes up to [`ENOUGH`] bits that were refilled.
    #[inline]
    pub(super) const fn skip(&mut self, bits: u32) {
        self.ahead <<= bits;
        self.count -= bits;
    }

    /// Takes any number of bits.
    pub(super) fn skip_many(&mut self, mut bits: u32) {
        while bits > 0 {
            self.refill();
            let some = bits.min(ENOUGH);
            self.skip(some);
            bits -= some;
        }
    }

    /// Takes up to 16 bits as a number.
    pub(super) fn take(&mut self, bits: u32) -> u32 {
        if bits == 0 {
            return 0;
        }
        self.refill();
        let number = (self.ahead >> (64 - bits)) as u32;
        self.skip(bits);
        number
    }

    /// Whether more bits were taken than the stream has before its next marker.
    #[inline]
    pub(super) const fn overran(&self) -> bool {
        self.count < self.lent
    }

    /// Whether hardly any bits are left before the next marker: an impossible code there is a lack of data.
    pub(super) const fn is_at_end(&self) -> bool {
        self.lent > 0 && self.count < self.lent + 16
    }

    /// Behind the last byte of which a bit was taken.
    pub(super) fn position(&self) -> usize {
        let mut at = self.at;
        for _ in 0..self.count.saturating_sub(self.lent) / 8 {
            at -= 1;
            if at > 0 && self.stream[at] == 0 && self.stream[at - 1] == 0xff {
                at -= 1;
            }
        }
        at
    }

    /// The marker that follows, and how many bytes before it were not taken.
    pub(super) fn marker(&self) -> (Option<marker::Marker>, usize) {
        let position = self.position();
        let marker = marker::next(self.stream, position);
        let end = marker.map_or(self.stream.len(), |marker| marker.start);
        // Fill bytes before a marker are a part of it.
        let fill = self.stream[position..end].iter().rev().take_while(|&&byte| byte == 0xff).count();
        (marker, end - fill - position)
    }

    /// Goes on at `at`.
    pub(super) fn restart(&mut self, at: usize) {
        *self = Self::new(self.stream, at);
    }
}

/// Whether one of eight bytes is all ones.
const fn has_ones(word: u64) -> bool {
    let zeros = !word;
    zeros.wrapping_sub(0x0101_0101_0101_0101) & !zeros & 0x8080_8080_8080_8080 != 0
}
