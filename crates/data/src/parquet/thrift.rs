//! Thrift's compact protocol, in which Parquet files describe themselves: walked before the library reads it, so that no list makes
//! it pass elements that take no bytes, one by one.

/// Most structures within structures.
const MAX_DEPTH: usize = 64;

/// Types of the compact protocol. The type of a field that holds a truth value is the value.
pub(super) const TRUE: u8 = 1;
pub(super) const FALSE: u8 = 2;
pub(super) const BYTE: u8 = 3;
pub(super) const I16: u8 = 4;
pub(super) const I32: u8 = 5;
pub(super) const I64: u8 = 6;
pub(super) const DOUBLE: u8 = 7;
pub(super) const BINARY: u8 = 8;
pub(super) const LIST: u8 = 9;
const SET: u8 = 10;
const MAP: u8 = 11;
pub(super) const STRUCT: u8 = 12;
const UUID: u8 = 13;

/// A walk over Thrift's compact protocol.
pub(super) struct Thrift<'a> {
    bytes: &'a [u8],
    depth: usize,
}

impl<'a> Thrift<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, depth: 0 }
    }

    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.bytes.split_first()?;
        self.bytes = rest;
        Some(*first)
    }

    fn pass(&mut self, count: u64) -> Option<()> {
        self.bytes = self.bytes.get(usize::try_from(count).ok()?..)?;
        Some(())
    }

    fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    pub(super) fn signed(&mut self) -> Option<i64> {
        let number = self.number()?;
        Some((number >> 1) as i64 ^ -((number & 1) as i64))
    }

    /// A number of 32 bits that counts something, so is not negative.
    pub(super) fn count(&mut self) -> Option<u32> {
        u32::try_from(self.signed()?).ok().filter(|count| i32::try_from(*count).is_ok())
    }

    /// Bytes that are left.
    pub(super) const fn left(&self) -> usize {
        self.bytes.len()
    }

    /// Type of the next field, whose number goes to `last`; `None` at the end of the structure.
    ///
    /// Numbers have 16 bits. The library cuts off what is above, which would make one field of another.
    #[allow(clippy::option_option, reason = "the end of a structure is no damage")]
    pub(super) fn field(&mut self, last: &mut i64) -> Option<Option<u8>> {
        let head = self.byte()?;
        if head == 0 {
            return Some(None);
        }
        *last = match head >> 4 {
            0 => self.signed()?,
            step => last.checked_add(i64::from(step))?,
        };
        i16::try_from(*last).ok()?;
        Some(Some(head & 0x0f))
    }

    /// Number and type of a list's elements.
    pub(super) fn list(&mut self) -> Option<(u64, u8)> {
        let head = self.byte()?;
        let count = if head >> 4 == 15 { self.number()? } else { u64::from(head >> 4) };
        // Each has a byte at least.
        (count <= self.bytes.len() as u64).then_some((count, head & 0x0f))
    }

    /// Passes a value. `None` where it is cut off, or a list states more elements than there are bytes.
    pub(super) fn skip(&mut self, kind: u8) -> Option<()> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return None;
        }
        match kind {
            TRUE | FALSE => {}
            BYTE => self.pass(1)?,
            I16 | I32 | I64 => {
                self.number()?;
            }
            DOUBLE => self.pass(8)?,
            UUID => self.pass(16)?,
            BINARY => {
                let length = self.number()?;
                self.pass(length)?;
            }
            LIST | SET => {
                let (count, element) = self.list()?;
                for _ in 0..count {
                    self.element(element)?;
                }
            }
            MAP => {
                let count = self.number()?;
                if count > self.bytes.len() as u64 {
                    return None;
                }
                if count > 0 {
                    let kinds = self.byte()?;
                    for _ in 0..count {
                        self.element(kinds >> 4)?;
                        self.element(kinds & 0x0f)?;
                    }
                }
            }
            STRUCT => {
                let mut field = 0;
                while let Some(kind) = self.field(&mut field)? {
                    self.skip(kind)?;
                }
            }
            _ => return None,
        }
        self.depth -= 1;
        Some(())
    }

    /// An element of a list. No description has a list of truth values, and readers differ in how many bytes they take.
    fn element(&mut self, kind: u8) -> Option<()> {
        if kind == TRUE || kind == FALSE { None } else { self.skip(kind) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_fields_have_16_bits_and_counts_31() {
        let field =
            |bytes: &[u8], mut last: i64| Thrift::new(bytes).field(&mut last).map(|kind| (kind, last));
        assert_eq!(field(&[0x35], 4), Some((Some(I32), 7)));
        assert_eq!(field(&[0x00], 4), Some((None, 4)));
        // In full, 2, -1 and 32767.
        assert_eq!(field(&[0x05, 0x04], 9), Some((Some(I32), 2)));
        assert_eq!(field(&[0x05, 0x01], 9), Some((Some(I32), -1)));
        assert_eq!(field(&[0x05, 0xfe, 0xff, 0x03], 9), Some((Some(I32), 32_767)));
        // 65538, whose lower 16 bits are 2, and the one after 32767.
        assert_eq!(field(&[0x05, 0x84, 0x80, 0x08], 9), None);
        assert_eq!(field(&[0x15], 32_767), None);
        let count = |bytes: &[u8]| Thrift::new(bytes).count();
        assert_eq!(count(&[0x0a]), Some(5));
        assert_eq!(count(&[0xfe, 0xff, 0xff, 0xff, 0x0f]), Some(i32::MAX as u32));
        // -1, 2147483648 and 4294967301, whose lower 32 bits are 5.
        assert_eq!(count(&[0x01]), None);
        assert_eq!(count(&[0x80, 0x80, 0x80, 0x80, 0x10]), None);
        assert_eq!(count(&[0x8a, 0x80, 0x80, 0x80, 0x20]), None);
    }
}
