//! The description at the end of a Parquet file. It is looked at before the library reads it: that reserves memory by numbers of
//! children that the file states, follows groups within groups without end, passes lists of truth values, which take no
//! bytes there, one by one, and takes the types of fields for granted.

use parquet::errors::Result;
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};

use super::thrift::{I32, LIST, STRUCT, Thrift};
use super::{Source, description, general};
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
    let length = source.length();
    let whole = TAIL_BYTES + MAGIC.len() as u64;
    if length < whole || source.get(0, MAGIC.len())? != MAGIC {
        return Err(general("it does not begin with the letters PAR1"));
    }
    let tail = source.get(length - TAIL_BYTES, TAIL_BYTES as usize)?;
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
    let bytes = source.get(length - TAIL_BYTES - stated, stated as usize)?;
    if !description::has_types(&bytes) || check(&bytes).is_none() {
        return Err(general("its description is damaged"));
    }
    ParquetMetaDataReader::decode_metadata(&bytes)
}

/// Whether every list has its elements and the schema's groups have their children, within limits. `None` when not.
fn check(bytes: &[u8]) -> Option<()> {
    let mut thrift = Thrift::new(bytes);
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
        let children = children(thrift)?;
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

/// Children of an element of the schema.
fn children(thrift: &mut Thrift<'_>) -> Option<u64> {
    let (mut field, mut children) = (0, 0);
    while let Some(kind) = thrift.field(&mut field)? {
        if field == CHILDREN && kind == I32 {
            children = u64::try_from(thrift.signed()?).ok()?;
        } else {
            thrift.skip(kind)?;
        }
    }
    Some(children)
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
