//! The encodings of values that are read.

use parquet::basic::{Encoding, Type};
use parquet::errors::Result;

use super::{delta, general};

/// The encoding of this number.
pub(super) fn named(encoding: u32) -> Result<Encoding> {
    let known = Encoding::VARIANTS.iter().find(|known| **known as u32 == encoding);
    known.copied().ok_or_else(|| general(format!("a page has the unknown encoding {encoding}")))
}

/// Least bytes of a value in a dictionary, which has its length in front or is of fixed length.
pub(super) const fn least_bytes(physical: Type) -> u64 {
    match physical {
        Type::BYTE_ARRAY | Type::INT32 | Type::FLOAT => 4,
        Type::INT64 | Type::DOUBLE => 8,
        Type::INT96 => 12,
        Type::BOOLEAN | Type::FIXED_LEN_BYTE_ARRAY => 1,
    }
}

/// Refuses what would be reserved for without being there.
pub(super) fn check(encoding: Encoding, values: &[u8], count: u32) -> Result<()> {
    let streams = match encoding {
        Encoding::PLAIN
        | Encoding::RLE
        | Encoding::PLAIN_DICTIONARY
        | Encoding::RLE_DICTIONARY
        | Encoding::BYTE_STREAM_SPLIT => 0,
        Encoding::DELTA_BINARY_PACKED | Encoding::DELTA_LENGTH_BYTE_ARRAY => 1,
        Encoding::DELTA_BYTE_ARRAY => 2,
        other => return Err(general(format!("it is encoded as {other}, which is not read"))),
    };
    // A page of nulls alone may have no values at all.
    if !values.is_empty() && !delta::is_within(values, streams, u64::from(count)) {
        return Err(general("a page states more values than it has"));
    }
    Ok(())
}
