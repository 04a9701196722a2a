//! The pages of one column in one group of rows, as they lie in the file.

use std::sync::Arc;

use bytes::Bytes;
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::ColumnChunkMetaData;

use super::header::{PageHeader, PageKind};
use super::{Source, general};

/// Bytes in which the header of a page is looked for, then more: it may hold the smallest and the largest text of the page.
const HEADER_WINDOWS: [u64; 3] = [4 << 10, 256 << 10, 32 << 20];

/// What is left of a column's pages.
pub(super) struct Chunk {
    source: Arc<Source>,
    /// Where the next header is in the file; where the page is, while `header` holds its header.
    offset: u64,
    /// Bytes from there to the end of the column.
    left: u64,
    header: Option<PageHeader>,
}

impl Chunk {
    /// # Errors
    /// `ParquetError` when the column does not lie within the file.
    pub(super) fn new(source: &Arc<Source>, column: &ColumnChunkMetaData) -> Result<Self> {
        let start = column.dictionary_page_offset().unwrap_or_else(|| column.data_page_offset());
        let whole = u64::try_from(start).ok().zip(u64::try_from(column.compressed_size()).ok());
        let within = whole
            .filter(|(offset, left)| offset.checked_add(*left).is_some_and(|end| end <= source.length()));
        let (offset, left) = within.ok_or_else(|| general("a column does not lie within the file"))?;
        Ok(Self { source: Arc::clone(source), offset, left, header: None })
    }

    /// The header of the next page; `None` after the last. Pages of indexes are passed over.
    pub(super) fn peek(&mut self) -> Result<Option<&PageHeader>> {
        while self.header.is_none() && self.left > 0 {
            let header = self.read_header()?;
            if header.kind == PageKind::Index {
                self.pass(u64::from(header.packed));
            } else {
                self.header = Some(header);
            }
        }
        Ok(self.header.as_ref())
    }

    /// The next page, whose header [`Chunk::peek`] gave, with its bytes as they are in the file; `None` after the last.
    pub(super) fn next(&mut self) -> Result<Option<(PageHeader, Bytes)>> {
        self.peek()?;
        let Some(header) = self.header.take() else { return Ok(None) };
        let bytes = self.source.get(self.offset, header.packed as usize)?;
        self.pass(u64::from(header.packed));
        Ok(Some((header, bytes)))
    }

    /// Passes over the next page.
    ///
    /// # Errors
    /// `ParquetError` when there is none.
    pub(super) fn skip(&mut self) -> Result<()> {
        self.peek()?;
        let header = self.header.take();
        let header = header.ok_or_else(|| ParquetError::EOF("a column has no more pages".to_owned()))?;
        self.pass(u64::from(header.packed));
        Ok(())
    }

    /// Reads the header that comes next, of a page that lies within the column.
    fn read_header(&mut self) -> Result<PageHeader> {
        for window in HEADER_WINDOWS {
            let bytes = self.source.get(self.offset, self.left.min(window) as usize)?;
            if let Some((header, length)) = PageHeader::read(&bytes) {
                self.pass(length as u64);
                if u64::from(header.packed) > self.left {
                    return Err(general("a page reaches beyond the end of its column"));
                }
                return Ok(header);
            }
            if self.left <= window {
                break;
            }
        }
        Err(general("the header of a page is damaged"))
    }

    /// Goes on by so many bytes, of which the column has at least as many left.
    fn pass(&mut self, bytes: u64) {
        self.offset += bytes;
        self.left -= bytes;
    }
}

#[cfg(test)]
pub(super) mod tests {
    use parquet::schema::parser::parse_message_type;
    use parquet::schema::types::SchemaDescriptor;

    use super::*;

    /// A column of numbers whose pages begin at `start` and have so many bytes.
    pub(in super::super) fn column(start: i64, bytes: i64) -> ColumnChunkMetaData {
        let schema = parse_message_type("message table { required int32 number; }").unwrap();
        let schema = SchemaDescriptor::new(Arc::new(schema));
        let column = ColumnChunkMetaData::builder(schema.column(0));
        column.set_data_page_offset(start).set_total_compressed_size(bytes).build().unwrap()
    }

    /// Pages of a file that begin behind the first 4 bytes.
    fn chunk(pages: &[u8]) -> Chunk {
        let source = Source::from([b"PAR1", pages].concat());
        Chunk::new(&Arc::new(source), &column(4, pages.len() as i64)).unwrap()
    }

    /// A page of one value in `bytes` bytes, which says that it has `stated` of them, fewer than 64.
    pub(in super::super) fn page(bytes: usize, stated: u8) -> Vec<u8> {
        let header =
            [0x15, 0x00, 0x15, 0x02, 0x15, stated << 1, 0x2c, 0x15, 0x02, 0x15, 0x00, 0x15, 0x06, 0x15, 0x06];
        [&header[..], &[0x00, 0x00], &vec![9; bytes]].concat()
    }

    const INDEX: [u8; 11] = [0x15, 0x02, 0x15, 0x04, 0x15, 0x04, 0x3c, 0x00, 0x00, 8, 8];

    #[test]
    fn pages_follow_each_other_without_those_of_indexes() {
        let pages = [&page(3, 3)[..], &INDEX, &INDEX, &page(0, 0), &page(5, 5), &INDEX].concat();
        let mut whole = chunk(&pages);
        for bytes in [3, 0, 5] {
            assert_eq!(whole.peek().unwrap().map(|header| header.packed), Some(bytes));
            let (header, page) = whole.next().unwrap().unwrap();
            assert_eq!((header.packed, &page[..]), (bytes, &vec![9; bytes as usize][..]));
        }
        assert!(whole.peek().unwrap().is_none() && whole.next().unwrap().is_none());
        assert!(whole.skip().is_err());

        let mut skipped = chunk(&pages);
        skipped.skip().unwrap();
        skipped.peek().unwrap();
        skipped.skip().unwrap();
        assert_eq!(skipped.next().unwrap().map(|(header, _)| header.packed), Some(5));
    }

    #[test]
    fn long_headers_are_read_and_damaged_ones_are_not() {
        // Statistics with a text of 300 KB, in front of the end of the page's own header.
        let text = [&[0x1c, 0x18, 0xe0, 0xa7, 0x12][..], &vec![b'a'; 300_000], &[0x00]].concat();
        let short = page(2, 2);
        let (start, end) = short.split_at(15);
        let long = [start, &text, end].concat();
        assert_eq!(chunk(&long).next().unwrap().map(|(_, page)| page.len()), Some(2));
        for damaged in [&long[..200_000], &start[..9], &[0x1c; 200], &[0x15, 0x00, 0x00]] {
            let error = chunk(damaged).next().unwrap_err().to_string();
            assert!(error.contains("the header of a page is damaged"), "{error}");
        }
    }

    #[test]
    fn pages_lie_within_their_column_and_columns_within_the_file() {
        let error = chunk(&page(5, 6)).peek().unwrap_err().to_string();
        assert!(error.contains("beyond the end of its column"), "{error}");
        // The file has the byte, the column does not.
        let source = Arc::new(Source::from([page(5, 5), page(5, 5)].concat()));
        assert!(Chunk::new(&source, &column(0, 22)).unwrap().next().unwrap().is_some());
        assert!(Chunk::new(&source, &column(0, 21)).unwrap().next().is_err());
        for (start, bytes) in [(0, 45), (1, 44), (-1, 5), (0, -1), (i64::MAX, 1), (1, i64::MAX), (45, 0)] {
            assert!(Chunk::new(&source, &column(start, bytes)).is_err(), "{start}, {bytes}");
        }
    }
}
