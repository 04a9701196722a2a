//! The header in front of a page. A field that has another type than the format says is damage.

use super::thrift::{FALSE, I32, STRUCT, TRUE, Thrift};

/// What the header of a page says. Sizes and numbers are as stated: none is compared with the page yet.
///
/// # Source
/// `PageHeader` in <https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift>. The checksum and the
/// statistics are passed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PageHeader {
    pub(super) kind: PageKind,
    /// Bytes of the page in the file, without this header.
    pub(super) packed: u32,
    /// Bytes of the page when it is unpacked.
    pub(super) unpacked: u32,
}

/// A kind of page, with what its header alone has. Encodings are numbers of the format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PageKind {
    Data {
        values: u32,
        encoding: u32,
        definition_encoding: u32,
        repetition_encoding: u32,
    },
    DataV2 {
        values: u32,
        nulls: u32,
        rows: u32,
        encoding: u32,
        /// Bytes of the levels, which are never compressed.
        definition_bytes: u32,
        repetition_bytes: u32,
        is_compressed: bool,
    },
    Dictionary {
        values: u32,
        encoding: u32,
        is_sorted: bool,
    },
    /// A page that readers skip.
    Index,
}

impl PageHeader {
    /// The header that `bytes` begin with, and its length.
    ///
    /// `None` when it is cut off, a field that has to be there is missing, or one has another type than the format says.
    pub(super) fn read(bytes: &[u8]) -> Option<(Self, usize)> {
        let mut thrift = Thrift::new(bytes);
        let (mut number, mut unpacked, mut packed) = (None, None, None);
        let (mut data, mut dictionary, mut data_v2) = (None, None, None);
        let mut field = 0;
        while let Some(wire) = thrift.field(&mut field)? {
            match (field, wire) {
                (1, I32) => number = Some(thrift.count()?),
                (2, I32) => unpacked = Some(thrift.count()?),
                (3, I32) => packed = Some(thrift.count()?),
                (5, STRUCT) => data = Some(PageKind::data(&mut thrift)?),
                (7, STRUCT) => dictionary = Some(PageKind::dictionary(&mut thrift)?),
                (8, STRUCT) => data_v2 = Some(PageKind::data_v2(&mut thrift)?),
                // The checksum, and the header of an index page, which has no fields.
                (4, I32) | (6, STRUCT) => thrift.skip(wire)?,
                (1..=8, _) => return None,
                _ => thrift.skip(wire)?,
            }
        }
        let kind = match number? {
            0 => data?,
            1 => PageKind::Index,
            2 => dictionary?,
            3 => data_v2?,
            _ => return None,
        };
        let header = Self { kind, packed: packed?, unpacked: unpacked? };
        Some((header, bytes.len() - thrift.left()))
    }
}

impl PageKind {
    fn data(thrift: &mut Thrift<'_>) -> Option<Self> {
        let ([values, encoding, definition_encoding, repetition_encoding], _) =
            fields(thrift, &Others { truth: None, statistics: Some(5) })?;
        Some(Self::Data { values, encoding, definition_encoding, repetition_encoding })
    }

    fn data_v2(thrift: &mut Thrift<'_>) -> Option<Self> {
        let ([values, nulls, rows, encoding, definition_bytes, repetition_bytes], is_compressed) =
            fields(thrift, &Others { truth: Some(7), statistics: Some(8) })?;
        let is_compressed = is_compressed.unwrap_or(true);
        Some(Self::DataV2 {
            values,
            nulls,
            rows,
            encoding,
            definition_bytes,
            repetition_bytes,
            is_compressed,
        })
    }

    fn dictionary(thrift: &mut Thrift<'_>) -> Option<Self> {
        let ([values, encoding], is_sorted) = fields(thrift, &Others { truth: Some(3), statistics: None })?;
        Some(Self::Dictionary { values, encoding, is_sorted: is_sorted.unwrap_or(false) })
    }

    /// Values of the page, nulls among them.
    pub(super) const fn values(&self) -> u32 {
        match self {
            Self::Data { values, .. } | Self::DataV2 { values, .. } | Self::Dictionary { values, .. } => {
                *values
            }
            Self::Index => 0,
        }
    }
}

/// Fields of one kind of page that are not numbers.
struct Others {
    truth: Option<i64>,
    statistics: Option<i64>,
}

/// The header of one kind of page: its first `N` fields are numbers, all of which have to be there; at most one other is a truth
/// value.
fn fields<const N: usize>(thrift: &mut Thrift<'_>, others: &Others) -> Option<([u32; N], Option<bool>)> {
    let (mut numbers, mut truth) = ([None; N], None);
    let mut field = 0;
    while let Some(wire) = thrift.field(&mut field)? {
        let place = usize::try_from(field).ok().and_then(|field| field.checked_sub(1));
        match (place.and_then(|place| numbers.get_mut(place)), wire) {
            (Some(number), I32) => *number = Some(thrift.count()?),
            (Some(_), _) => return None,
            (None, TRUE | FALSE) if others.truth == Some(field) => truth = Some(wire == TRUE),
            (None, STRUCT) if others.statistics == Some(field) => thrift.skip(wire)?,
            _ if others.truth == Some(field) || others.statistics == Some(field) => return None,
            _ => thrift.skip(wire)?,
        }
    }
    let whole = numbers.iter().all(Option::is_some);
    whole.then(|| (numbers.map(Option::unwrap_or_default), truth))
}

#[cfg(test)]
mod tests;
