//! A Parquet file as the library's readers of rows take it, read within the limits of this module.

use std::fs::File;
use std::sync::Arc;

use parquet::bloom_filter::Sbbf;
use parquet::column::page::PageReader;
use parquet::errors::Result;
use parquet::file::metadata::{ParquetMetaData, RowGroupMetaData};
use parquet::file::reader::{FileReader, RowGroupReader};
use parquet::record::reader::RowIter;
use parquet::schema::types::Type;

use super::budget::Budget;
use super::pages::Pages;
use super::{Source, footer, general};

/// A Parquet file whose description was checked before the library read it, and whose pages are unpacked within limits.
///
/// The library can panic on what is damaged all the same: callers catch that.
#[derive(Debug)]
pub struct ParquetFile {
    source: Arc<Source>,
    metadata: ParquetMetaData,
    budget: Arc<Budget>,
}

impl ParquetFile {
    /// Reads the description of a file.
    ///
    /// # Errors
    /// `ParquetError` when it is not a Parquet file, is encrypted, or its description is damaged.
    pub fn open(file: File) -> Result<Self> {
        let source = Source::from(file);
        let metadata = footer::read(&source)?;
        let budget = Arc::new(Budget::of_file(source.length()));
        Ok(Self { source: Arc::new(source), metadata, budget })
    }
}

impl FileReader for ParquetFile {
    fn metadata(&self) -> &ParquetMetaData {
        &self.metadata
    }

    fn num_row_groups(&self) -> usize {
        self.metadata.num_row_groups()
    }

    fn get_row_group(&self, group: usize) -> Result<Box<dyn RowGroupReader + '_>> {
        let metadata =
            self.metadata.row_groups().get(group).ok_or_else(|| general("it lacks a group of rows"))?;
        Ok(Box::new(Group { file: self, metadata }))
    }

    fn get_row_iter(&self, projection: Option<Type>) -> Result<RowIter<'_>> {
        RowIter::from_file(projection, self)
    }
}

/// One group of rows.
struct Group<'a> {
    file: &'a ParquetFile,
    metadata: &'a RowGroupMetaData,
}

impl RowGroupReader for Group<'_> {
    fn metadata(&self) -> &RowGroupMetaData {
        self.metadata
    }

    fn num_columns(&self) -> usize {
        self.metadata.num_columns()
    }

    fn get_column_page_reader(&self, column: usize) -> Result<Box<dyn PageReader>> {
        let chunk = self.metadata.columns().get(column).ok_or_else(|| general("a group lacks a column"))?;
        Ok(Box::new(Pages::new(&self.file.source, chunk, &self.file.budget)?))
    }

    fn get_column_bloom_filter(&self, _column: usize) -> Option<&Sbbf> {
        None
    }

    fn get_row_iter(&self, projection: Option<Type>) -> Result<RowIter<'_>> {
        RowIter::from_row_group(projection, self)
    }
}
