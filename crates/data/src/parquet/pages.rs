//! Pages of a column, unpacked here, and refused where what they state would make the library reserve memory without end.

use std::sync::Arc;

use bytes::Bytes;
use parquet::basic::{Compression, Encoding, Type};
use parquet::column::page::{Page, PageMetadata, PageReader};
use parquet::errors::Result;
use parquet::file::metadata::ColumnChunkMetaData;

use super::budget::Budget;
use super::chunk::Chunk;
use super::encoding::{check, least_bytes, named};
use super::header::{PageHeader, PageKind};
use super::{Source, general, unpack};

/// Most bytes of a page: DuckDB writes up to 100 MB into one.
const MAX_PAGE_BYTES: usize = 128 << 20;

/// Most values of a page.
const MAX_VALUES: u32 = 1 << 24;

/// The pages of one column in one group of rows.
pub(super) struct Pages {
    chunk: Chunk,
    codec: Compression,
    physical: Type,
    has_nulls: bool,
    has_repetitions: bool,
    budget: Arc<Budget>,
    dictionary: usize,
    page: usize,
}

impl Pages {
    pub(super) fn new(
        source: &Arc<Source>,
        chunk: &ColumnChunkMetaData,
        budget: &Arc<Budget>,
    ) -> Result<Self> {
        let descriptor = chunk.column_descr();
        Ok(Self {
            chunk: Chunk::new(source, chunk)?,
            codec: chunk.compression(),
            physical: descriptor.physical_type(),
            has_nulls: descriptor.max_def_level() > 0,
            has_repetitions: descriptor.max_rep_level() > 0,
            budget: Arc::clone(budget),
            dictionary: 0,
            page: 0,
        })
    }

    fn unpacked(&self, packed: &Bytes) -> Result<Bytes> {
        if self.codec == Compression::UNCOMPRESSED {
            return Ok(packed.clone());
        }
        // What is left of the budget, so that no page is unpacked only to be refused.
        let limit = self.budget.left().saturating_add(self.page).min(MAX_PAGE_BYTES);
        let unpacked = unpack::unpack(self.codec, packed, limit).map_err(general)?;
        Ok(unpacked.into())
    }

    fn page(&mut self, header: &PageHeader, bytes: &Bytes) -> Result<Page> {
        match header.kind {
            PageKind::Dictionary { values, encoding, is_sorted } => {
                let buf = self.dictionary(bytes, values)?;
                let encoding = named(encoding)?;
                Ok(Page::DictionaryPage { buf, num_values: values, encoding, is_sorted })
            }
            PageKind::Data { values, encoding, definition_encoding, repetition_encoding } => {
                let encoding = named(encoding)?;
                let (definition, repetition) = (named(definition_encoding)?, named(repetition_encoding)?);
                // The encoding of levels that the column lacks means nothing: parquet-java and fastparquet state the old one.
                if (self.has_nulls && definition != Encoding::RLE)
                    || (self.has_repetitions && repetition != Encoding::RLE)
                {
                    return Err(general("its nulls are in an old encoding, which is not read"));
                }
                Ok(Page::DataPage {
                    buf: self.data(bytes, values, encoding)?,
                    num_values: values,
                    encoding,
                    def_level_encoding: definition,
                    rep_level_encoding: repetition,
                    statistics: None,
                })
            }
            PageKind::DataV2 {
                values,
                nulls,
                rows,
                encoding,
                definition_bytes,
                repetition_bytes,
                is_compressed,
            } => {
                let encoding = named(encoding)?;
                let levels = u64::from(definition_bytes) + u64::from(repetition_bytes);
                if levels > u64::from(header.unpacked) || levels > bytes.len() as u64 {
                    return Err(general("a page is cut off"));
                }
                Ok(Page::DataPageV2 {
                    buf: self.data_v2(bytes, levels as usize, is_compressed, values, encoding)?,
                    num_values: values,
                    encoding,
                    num_nulls: nulls,
                    num_rows: rows,
                    def_levels_byte_len: definition_bytes,
                    rep_levels_byte_len: repetition_bytes,
                    is_compressed: false,
                    statistics: None,
                })
            }
            PageKind::Index => Err(general("a page of an index has no values")),
        }
    }

    fn dictionary(&mut self, bytes: &Bytes, values: u32) -> Result<Bytes> {
        let buf = self.unpacked(bytes)?;
        if u64::from(values) * least_bytes(self.physical) > buf.len() as u64 {
            return Err(general("a dictionary has fewer values than it says"));
        }
        self.dictionary += self.budget.hold(buf.len() + values as usize * size_of::<Bytes>())?;
        Ok(buf)
    }

    /// A page of the first version: its levels are compressed with its values, and have their lengths in front.
    fn data(&mut self, bytes: &Bytes, count: u32, encoding: Encoding) -> Result<Bytes> {
        let buf = self.unpacked(bytes)?;
        self.open(buf.len())?;
        let mut values = &buf[..];
        for _ in 0..usize::from(self.has_repetitions) + usize::from(self.has_nulls) {
            let (length, rest) =
                values.split_first_chunk::<4>().ok_or_else(|| general("a page is cut off"))?;
            values = rest
                .get(u32::from_le_bytes(*length) as usize..)
                .ok_or_else(|| general("a page is cut off"))?;
        }
        check(encoding, values, count)?;
        Ok(buf)
    }

    /// A page of the second version: its first `levels` bytes, which it has, are never compressed.
    fn data_v2(
        &mut self,
        bytes: &Bytes,
        levels: usize,
        is_compressed: bool,
        count: u32,
        encoding: Encoding,
    ) -> Result<Bytes> {
        let buf = if is_compressed {
            let mut whole = bytes[..levels].to_vec();
            whole.extend_from_slice(&self.unpacked(&bytes.slice(levels..))?);
            whole.into()
        } else {
            bytes.clone()
        };
        self.open(buf.len())?;
        check(encoding, &buf[levels..], count)?;
        Ok(buf)
    }

    /// The page before it is closed.
    fn open(&mut self, bytes: usize) -> Result<()> {
        self.budget.release(self.page);
        self.page = 0;
        self.page = self.budget.hold(bytes)?;
        Ok(())
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        self.budget.release(self.page + self.dictionary);
    }
}

impl Iterator for Pages {
    type Item = Result<Page>;

    fn next(&mut self) -> Option<Self::Item> {
        self.get_next_page().transpose()
    }
}

impl PageReader for Pages {
    fn get_next_page(&mut self) -> Result<Option<Page>> {
        let Some(header) = self.chunk.peek()? else { return Ok(None) };
        if header.kind.values() > MAX_VALUES {
            return Err(general(format!("a page has more than {MAX_VALUES} values")));
        }
        if header.packed as usize > self.budget.limit() {
            return Err(self.budget.exceeded());
        }
        let Some((header, bytes)) = self.chunk.next()? else { return Ok(None) };
        self.page(&header, &bytes).map(Some)
    }

    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>> {
        Ok(self.chunk.peek()?.map(|header| {
            let (rows, values, is_dict) = match header.kind {
                PageKind::Data { values, .. } => (None, Some(values), false),
                PageKind::DataV2 { values, rows, .. } => (Some(rows), Some(values), false),
                PageKind::Dictionary { .. } | PageKind::Index => (None, None, true),
            };
            let number = |count: Option<u32>| count.map(|count| count as usize);
            PageMetadata { num_rows: number(rows), num_levels: number(values), is_dict }
        }))
    }

    fn skip_next_page(&mut self) -> Result<()> {
        self.chunk.skip()
    }
}

#[cfg(test)]
mod tests {
    use parquet::basic::PageType;

    use super::super::chunk::tests::{column, page};
    use super::*;

    #[test]
    fn pages_are_told_and_skipped_before_they_are_read() {
        let dictionary =
            [0x15, 0x04, 0x15, 0x08, 0x15, 0x08, 0x4c, 0x15, 0x02, 0x15, 0x00, 0x00, 0x00, 7, 0, 0, 0];
        let bytes = [&dictionary[..], &page(8, 8), &page(4, 4)].concat();
        let column = column(0, bytes.len() as i64);
        let budget = Arc::new(Budget::of_file(bytes.len() as u64));
        let pages = || Pages::new(&Arc::new(Source::from(bytes.clone())), &column, &budget).unwrap();

        let mut kinds = Vec::new();
        let mut reader = pages();
        while let Some(page) = reader.peek_next_page().unwrap() {
            kinds.push((page.is_dict, page.num_levels, page.num_rows));
            reader.skip_next_page().unwrap();
        }
        assert_eq!(kinds, [(true, None, None), (false, Some(1), None), (false, Some(1), None)]);
        assert!(reader.skip_next_page().is_err());

        let kinds: Vec<_> = pages().map(|page| page.unwrap().page_type()).collect();
        assert_eq!(kinds, [PageType::DICTIONARY_PAGE, PageType::DATA_PAGE, PageType::DATA_PAGE]);
        assert_eq!(budget.left(), budget.limit());
    }
}
