//! Thrift's compact protocol, in which Parquet files describe themselves: walked before the library reads it, so that no list makes
//! it pass elements that take no bytes, one by one.

/// Most structures within structures.
const MAX_DEPTH: usize = 64;

/// Types of the compact protocol.
const I16: u8 = 4;
pub(super) const I32: u8 = 5;
const I64: u8 = 6;
const DOUBLE: u8 = 7;
const BINARY: u8 = 8;
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

    /// Type of the next field, whose number goes to `last`; `None` at the end of the structure.
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
            // Truth values of fields are in their type.
            1 | 2 => {}
            3 => self.pass(1)?,
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
        if kind == 1 || kind == 2 { None } else { self.skip(kind) }
    }
}
