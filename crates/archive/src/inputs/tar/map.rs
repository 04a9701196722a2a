//! Where the pieces of a sparse file belong.

use std::io;

use tar::GnuSparseHeader;

/// Most pieces of a file that is put together.
const MAX_EXTENTS: usize = 10_000;

/// The pieces of a sparse file, as an archive says.
#[derive(Debug, Default)]
pub(super) struct Map {
    /// Offset in the content and length, in the order of the stored content.
    pub(super) extents: Vec<(u64, u64)>,
    /// Length of the content.
    pub(super) bytes: u64,
    is_broken: bool,
}

impl Map {
    pub(super) const fn of_size(bytes: u64) -> Self {
        Self { extents: Vec::new(), bytes, is_broken: false }
    }

    /// A map that is not there.
    pub(super) const fn broken() -> Self {
        Self { extents: Vec::new(), bytes: 0, is_broken: true }
    }

    pub(super) fn push_headers(&mut self, headers: &[GnuSparseHeader]) -> io::Result<()> {
        for header in headers.iter().filter(|header| !header.is_empty()) {
            self.push(header.offset()?, header.length()?);
        }
        Ok(())
    }

    /// Pieces beyond the limit are not kept: the map is refused then.
    pub(super) fn push(&mut self, offset: u64, length: u64) {
        // An empty piece marks the end of a file that ends in a hole.
        if length > 0 && self.extents.len() <= MAX_EXTENTS {
            self.extents.push((offset, length));
        }
    }

    pub(super) const fn break_it(&mut self) {
        self.is_broken = true;
    }

    /// The map where its pieces are in order and are `stored` bytes together; otherwise what is wrong.
    pub(super) fn checked(self, stored: u64) -> Result<Self, String> {
        if self.extents.len() > MAX_EXTENTS {
            return Err(format!("the sparse file has more than {MAX_EXTENTS} pieces"));
        }
        let (mut end, mut sum) = (0u64, 0u64);
        for &(offset, length) in &self.extents {
            let next = offset.checked_add(length).filter(|next| offset >= end && *next <= self.bytes);
            let Some(next) = next else { return Err("the map of the sparse file makes no sense".to_owned()) };
            (end, sum) = (next, sum + length);
        }
        if self.is_broken || sum != stored {
            return Err("the map of the sparse file makes no sense".to_owned());
        }
        Ok(self)
    }
}

/// A map as decimal numbers, a line each: how many pieces, then offset and length of each.
#[derive(Debug, Default)]
pub(super) struct Text {
    numbers: Vec<u64>,
    digits: String,
    is_broken: bool,
}

impl Text {
    pub(super) fn push(&mut self, block: &[u8]) {
        for byte in block {
            match byte {
                _ if self.is_complete() => return,
                b'\n' => {
                    match self.digits.parse() {
                        Ok(number) => self.numbers.push(number),
                        Err(_) => self.is_broken = true,
                    }
                    self.digits.clear();
                }
                b'0'..=b'9' if self.digits.len() < 20 => self.digits.push(char::from(*byte)),
                _ => self.is_broken = true,
            }
        }
    }

    /// Whether no more of it is to be read.
    pub(super) fn is_complete(&self) -> bool {
        let is_whole = |count: u64| self.numbers.len() as u64 > count.saturating_mul(2);
        let is_long = self.numbers.len() > 2 * MAX_EXTENTS + 1;
        self.is_broken || is_long || self.numbers.first().is_some_and(|count| is_whole(*count))
    }

    pub(super) fn add_to(self, map: &mut Map) {
        let (pairs, rest) = self.numbers.get(1..).unwrap_or_default().as_chunks::<2>();
        for &[offset, length] in pairs {
            map.push(offset, length);
        }
        let is_whole = self.numbers.first().is_some_and(|count| *count == pairs.len() as u64);
        if self.is_broken || !rest.is_empty() || !is_whole {
            map.break_it();
        }
    }
}
