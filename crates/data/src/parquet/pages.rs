//! Pages of a column, unpacked here, and refused where what they state would make the library reserve memory without end.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use parquet::basic::{Compression, Encoding, Type};
use parquet::column::page::{Page, PageMetadata, PageReader};
use parquet::errors::Result;
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::serialized_reader::SerializedPageReader;

use super::{Source, delta, general, unpack};

/// Most bytes of a page: DuckDB writes up to 100 MB into one.
const MAX_PAGE_BYTES: usize = 128 << 20;

/// Most bytes of all pages that are open, one of each column and its dictionary.
const MAX_OPEN_BYTES: usize = 512 << 20;

/// Most values of a page.
const MAX_VALUES: u32 = 1 << 24;

/// Bytes that the open pages of a file of any length may have.
const MIN_OPEN_BYTES: usize = 128 << 20;

/// And that a byte of a file may stand for.
const MAX_GROWTH: u64 = 1000;

/// Bytes of the pages that are open.
#[derive(Debug)]
pub(super) struct Budget {
    used: AtomicUsize,
    limit: usize,
}

impl Budget {
    /// What the pages of a file of so many bytes may need.
    pub(super) fn of_file(bytes: u64) -> Self {
        let limit = usize::try_from(bytes.saturating_mul(MAX_GROWTH)).unwrap_or(usize::MAX);
        Self { used: AtomicUsize::new(0), limit: limit.clamp(MIN_OPEN_BYTES, MAX_OPEN_BYTES) }
    }
}

/// The pages of one column in one group of rows.
pub(super) struct Pages {
    /// It is told that nothing is compressed, and gives pages as they are.
    inner: SerializedPageReader<Source>,
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
        rows: u64,
        budget: &Arc<Budget>,
    ) -> Result<Self> {
        let plain = chunk.clone().into_builder().set_compression(Compression::UNCOMPRESSED).build()?;
        let rows = usize::try_from(rows).map_err(|_| general("a group has too many rows"))?;
        let descriptor = chunk.column_descr();
        Ok(Self {
            inner: SerializedPageReader::new(Arc::clone(source), &plain, rows, None)?,
            codec: chunk.compression(),
            physical: descriptor.physical_type(),
            has_nulls: descriptor.max_def_level() > 0,
            has_repetitions: descriptor.max_rep_level() > 0,
            budget: Arc::clone(budget),
            dictionary: 0,
            page: 0,
        })
    }

    fn hold(&self, bytes: usize) -> Result<usize> {
        let Budget { used, limit } = &*self.budget;
        if used.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes) > *limit {
            used.fetch_sub(bytes, Ordering::Relaxed);
            return Err(general(format!("its pages need more than {limit} bytes at a time")));
        }
        Ok(bytes)
    }

    fn release(&self, bytes: usize) {
        self.budget.used.fetch_sub(bytes, Ordering::Relaxed);
    }

    fn unpacked(&self, packed: &Bytes) -> Result<Bytes> {
        if self.codec == Compression::UNCOMPRESSED {
            return Ok(packed.clone());
        }
        // What is left of the budget, so that no page is unpacked only to be refused.
        let left = self.budget.limit.saturating_sub(self.budget.used.load(Ordering::Relaxed));
        let limit = left.saturating_add(self.page).min(MAX_PAGE_BYTES);
        let unpacked = unpack::unpack(self.codec, packed, limit).map_err(general)?;
        Ok(unpacked.into())
    }

    fn page(&mut self, page: Page) -> Result<Page> {
        if page.num_values() > MAX_VALUES {
            return Err(general(format!("a page has more than {MAX_VALUES} values")));
        }
        match page {
            Page::DictionaryPage { buf, num_values, encoding, is_sorted } => {
                let buf = self.unpacked(&buf)?;
                // Each has its length or its value in front.
                let least = match self.physical {
                    Type::BYTE_ARRAY | Type::INT32 | Type::FLOAT => 4,
                    Type::INT64 | Type::DOUBLE => 8,
                    Type::INT96 => 12,
                    Type::BOOLEAN | Type::FIXED_LEN_BYTE_ARRAY => 1,
                };
                if u64::from(num_values) * least > buf.len() as u64 {
                    return Err(general("a dictionary has fewer values than it says"));
                }
                self.dictionary = self.hold(buf.len() + num_values as usize * size_of::<Bytes>())?;
                Ok(Page::DictionaryPage { buf, num_values, encoding, is_sorted })
            }
            Page::DataPage {
                buf,
                num_values,
                encoding,
                def_level_encoding,
                rep_level_encoding,
                statistics,
            } => {
                let buf = self.unpacked(&buf)?;
                self.open(buf.len())?;
                let levels = usize::from(self.has_repetitions) + usize::from(self.has_nulls);
                let is_plain =
                    [def_level_encoding, rep_level_encoding].iter().all(|level| *level == Encoding::RLE);
                if levels > 0 && !is_plain {
                    return Err(general("its nulls are in an old encoding, which is not read"));
                }
                let mut values = &buf[..];
                for _ in 0..levels {
                    let (length, rest) =
                        values.split_first_chunk::<4>().ok_or_else(|| general("a page is cut off"))?;
                    values = rest
                        .get(u32::from_le_bytes(*length) as usize..)
                        .ok_or_else(|| general("a page is cut off"))?;
                }
                check(encoding, values, num_values)?;
                Ok(Page::DataPage {
                    buf,
                    num_values,
                    encoding,
                    def_level_encoding,
                    rep_level_encoding,
                    statistics,
                })
            }
            Page::DataPageV2 {
                buf,
                num_values,
                encoding,
                num_nulls,
                num_rows,
                def_levels_byte_len,
                rep_levels_byte_len,
                is_compressed,
                statistics,
            } => {
                let levels = (def_levels_byte_len as usize).saturating_add(rep_levels_byte_len as usize);
                if levels > buf.len() {
                    return Err(general("a page is cut off"));
                }
                let buf = if is_compressed {
                    let mut whole = buf[..levels].to_vec();
                    whole.extend_from_slice(&self.unpacked(&buf.slice(levels..))?);
                    whole.into()
                } else {
                    buf
                };
                self.open(buf.len())?;
                check(encoding, &buf[levels..], num_values)?;
                Ok(Page::DataPageV2 {
                    buf,
                    num_values,
                    encoding,
                    num_nulls,
                    num_rows,
                    def_levels_byte_len,
                    rep_levels_byte_len,
                    is_compressed: false,
                    statistics,
                })
            }
        }
    }

    /// The page before it is closed.
    fn open(&mut self, bytes: usize) -> Result<()> {
        self.release(self.page);
        self.page = 0;
        self.page = self.hold(bytes)?;
        Ok(())
    }
}

/// Refuses what would be reserved for without being there.
fn check(encoding: Encoding, values: &[u8], count: u32) -> Result<()> {
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

impl Drop for Pages {
    fn drop(&mut self) {
        self.release(self.page + self.dictionary);
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
        match self.inner.get_next_page()? {
            Some(page) => self.page(page).map(Some),
            None => Ok(None),
        }
    }

    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>> {
        self.inner.peek_next_page()
    }

    fn skip_next_page(&mut self) -> Result<()> {
        self.inner.skip_next_page()
    }
}
