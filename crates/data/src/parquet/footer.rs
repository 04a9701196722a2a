//! The description at the end of a Parquet file. It is looked at before the library reads it: that reserves memory by numbers of
//! children that the file states, follows groups within groups without end, and passes lists of truth values, which take no
//! bytes there, one by one.

use parquet::errors::Result;
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};
use parquet::file::reader::{ChunkReader, Length};

use super::{Source, general};
use crate::table::MAGIC;

/// Most bytes of a description: those of thousands of groups of rows are smaller.
const MAX_BYTES: u64 = 32 << 20;

/// Most groups within groups.
const MAX_DEPTH: usize = 64;

/// Length of the description and the letters after it.
const TAIL_BYTES: u64 = 8;

/// # Errors
/// `ParquetError` when the file is not a Parquet file, is encrypted, or its description is damaged.
pub(super) fn read(source: &Source) -> Result<ParquetMetaData> {
    let length = Length::len(source);
    let whole = TAIL_BYTES + MAGIC.len() as u64;
    if length < whole || source.get_bytes(0, MAGIC.len())? != MAGIC {
        return Err(general("it does not begin with the letters PAR1"));
    }
    let tail = source.get_bytes(length - TAIL_BYTES, TAIL_BYTES as usize)?;
    let (stated, letters) = tail.split_at(4);
    match letters {
        b"PAR1" => {}
        b"PARE" => return Err(general("it is encrypted")),
        _ => return Err(general("it does not end with the letters PAR1: it was cut off")),
    }
    let stated = u64::from(u32::from_le_bytes(stated.try_into().map_err(|_| general("it is cut off"))?));
    if stated > length - whole {
        return Err(general("its description is longer than the file"));
    }
    if stated > MAX_BYTES {
        return Err(general(format!("its description has {stated} bytes, the limit is {MAX_BYTES}")));
    }
    let bytes = source.get_bytes(length - TAIL_BYTES - stated, stated as usize)?;
    check(&bytes).ok_or_else(|| general("its description is damaged"))?;
    ParquetMetaDataReader::decode_metadata(&bytes)
}

/// Whether every list has its elements and the schema's groups have their children, within limits. `None` when not.
fn check(bytes: &[u8]) -> Option<()> {
    let mut thrift = Thrift { bytes, depth: 0 };
    let (mut field, mut has_schema) = (0, false);
    while let Some(kind) = thrift.field(&mut field)? {
        if field == SCHEMA && kind == LIST {
            check_schema(&mut thrift)?;
            has_schema = true;
        } else {
            thrift.skip(kind)?;
        }
    }
    has_schema.then_some(())
}

fn check_schema(thrift: &mut Thrift<'_>) -> Option<()> {
    let (count, element) = thrift.list()?;
    if element != STRUCT {
        return None;
    }
    // Children that are still to come of each group that is open.
    let mut open: Vec<u64> = Vec::new();
    for left in (0..count).rev() {
        let children = thrift.children()?;
        if children > left {
            return None;
        }
        if let Some(last) = open.last_mut() {
            *last -= 1;
        }
        if children > 0 {
            open.push(children);
        }
        if open.len() > MAX_DEPTH {
            return None;
        }
        while open.last() == Some(&0) {
            open.pop();
        }
    }
    open.is_empty().then_some(())
}

/// Field of the description that holds the schema, and of one of its elements that holds the number of its children.
const SCHEMA: i64 = 2;
const CHILDREN: i64 = 5;

/// Types of the compact protocol.
const I16: u8 = 4;
const I32: u8 = 5;
const I64: u8 = 6;
const DOUBLE: u8 = 7;
const BINARY: u8 = 8;
const LIST: u8 = 9;
const SET: u8 = 10;
const MAP: u8 = 11;
const STRUCT: u8 = 12;
const UUID: u8 = 13;

/// A walk over Thrift's compact protocol.
struct Thrift<'a> {
    bytes: &'a [u8],
    depth: usize,
}

impl Thrift<'_> {
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

    fn signed(&mut self) -> Option<i64> {
        let number = self.number()?;
        Some((number >> 1) as i64 ^ -((number & 1) as i64))
    }

    /// Type of the next field, whose number goes to `last`; `None` at the end of the structure.
    #[allow(clippy::option_option, reason = "the end of a structure is no damage")]
    fn field(&mut self, last: &mut i64) -> Option<Option<u8>> {
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
    fn list(&mut self) -> Option<(u64, u8)> {
        let head = self.byte()?;
        let count = if head >> 4 == 15 { self.number()? } else { u64::from(head >> 4) };
        // Each has a byte at least.
        (count <= self.bytes.len() as u64).then_some((count, head & 0x0f))
    }

    /// Children of an element of the schema.
    fn children(&mut self) -> Option<u64> {
        let (mut field, mut children) = (0, 0);
        while let Some(kind) = self.field(&mut field)? {
            if field == CHILDREN && kind == I32 {
                children = u64::try_from(self.signed()?).ok()?;
            } else {
                self.skip(kind)?;
            }
        }
        Some(children)
    }

    fn skip(&mut self, kind: u8) -> Option<()> {
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A description with nothing but a schema, whose elements have so many children each.
    fn schema(children: &[u32]) -> Vec<u8> {
        let mut bytes = vec![0x29, 0xf0 | STRUCT, children.len() as u8];
        for &count in children {
            bytes.push(0x50 | I32);
            let mut zigzag = u64::from(count) << 1;
            while zigzag >= 0x80 {
                bytes.push(0x80 | (zigzag & 0x7f) as u8);
                zigzag >>= 7;
            }
            bytes.extend_from_slice(&[zigzag as u8, 0]);
        }
        bytes.push(0);
        bytes
    }

    #[test]
    fn a_schema_has_the_children_that_it_states() {
        let deep = |depth| [vec![1; depth], vec![0]].concat();
        let sound: [&[u32]; 4] = [&[0], &[2, 0, 0], &[2, 2, 0, 0, 1, 0], &deep(60)];
        for children in sound {
            assert!(check(&schema(children)).is_some(), "{children:?}");
        }
        let lies: [&[u32]; 4] = [&[i32::MAX as u32], &[2, 0], &[1, 0, 3], &deep(100)];
        for children in lies {
            assert!(check(&schema(children)).is_none(), "{children:?}");
        }
        let bytes = schema(&[2, 0, 0]);
        for length in 0..bytes.len() - 1 {
            assert!(check(&bytes[..length]).is_none(), "cut at {length}");
        }
        assert!(check(&[0x2c].repeat(5000)).is_none(), "structures within structures");
    }
    #[test]
    fn no_list_has_more_elements_than_bytes() {
        let sound = schema(&[0]);
        let with = |rest: &[u8]| [&sound[..sound.len() - 1], rest, &[0]].concat();
        // A field of a number that nobody knows: a list of numbers, of structures, an empty list of truth values.
        for rest in [&[0x19, 0x25, 1, 2][..], &[0x19, 0x1c, 0], &[0x19, 0x01]] {
            assert!(check(&with(rest)).is_some(), "{rest:?}");
        }
        let many = [0xff, 0xff, 0xff, 0xff, 0x07];
        for kind in [1, 2, I32, STRUCT, LIST] {
            let list = [&[0x19, 0xf0 | kind][..], &many].concat();
            assert!(check(&with(&list)).is_none(), "{kind}");
            let set = [&[0x1a, 0xf0 | kind][..], &many].concat();
            assert!(check(&with(&set)).is_none(), "{kind}");
            let map = [&[0x1b][..], &many, &[kind << 4 | kind]].concat();
            assert!(check(&with(&map)).is_none(), "{kind}");
            let inner = [&[0x19, 0x19, 0xf0 | kind][..], &many].concat();
            assert!(check(&with(&inner)).is_none(), "{kind}");
        }
        assert!(check(&with(&[0x19, 0x21])).is_none(), "two truth values without a byte");
    }
}
