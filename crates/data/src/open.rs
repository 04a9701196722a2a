//! From a file to a table: as Parquet when it starts as such, and as text otherwise.

use std::ffi::OsStr;
use std::io::Read;
use std::path::Path;

use medclip_files::open_typed;

use crate::columns::Column;
use crate::error::TableError;
use crate::table::{MAGIC, Table};
use crate::text;

impl Table<'static> {
    /// Opens a file, as Parquet when it starts as such and as text otherwise. Text may come from a pipe.
    ///
    /// # Errors
    /// [`TableError`] when it cannot be opened, is a directory, socket or device, is no table, or lacks a required column.
    pub fn open(path: &Path, columns: &[Column]) -> Result<Self, TableError> {
        let fail = |source| TableError::Open { path: path.to_owned(), source };
        let mut file = open_typed(path).map_err(fail)?;
        let mut start = Vec::new();
        Read::by_ref(&mut file).take(MAGIC.len() as u64).read_to_end(&mut start).map_err(fail)?;
        let is_named =
            path.extension().and_then(OsStr::to_str).is_some_and(|end| end.eq_ignore_ascii_case("parquet"));
        if start == MAGIC || is_named {
            return Self::from_parquet(file.into_file().map_err(fail)?, columns);
        }
        // A pipe cannot go back, and need not: what was read is put in front.
        Self::from_reader(std::io::Cursor::new(start).chain(file), columns)
    }

    /// Reads a file's bytes, as Parquet when they start as such and as text otherwise.
    ///
    /// # Errors
    /// As [`Table::open`].
    pub fn from_bytes(bytes: Vec<u8>, columns: &[Column]) -> Result<Self, TableError> {
        if bytes.starts_with(MAGIC) {
            return Self::from_parquet(bytes, columns);
        }
        Self::from_reader(std::io::Cursor::new(bytes), columns)
    }

    #[cfg(feature = "parquet")]
    fn from_parquet(
        source: impl Into<crate::parquet::Source>,
        columns: &[Column],
    ) -> Result<Self, TableError> {
        crate::parquet::read(source.into(), columns)
    }

    #[cfg(not(feature = "parquet"))]
    fn from_parquet<S>(_source: S, _columns: &[Column]) -> Result<Self, TableError> {
        Err(TableError::ParquetLeftOut)
    }
}

impl<'a> Table<'a> {
    /// Reads a table of text from any reader, such as standard input; gzipped or not.
    ///
    /// # Errors
    /// As [`Table::open`]. Parquet files can only be read from where one can seek, and are refused here.
    pub fn from_reader(input: impl Read + 'a, columns: &[Column]) -> Result<Self, TableError> {
        text::read(Box::new(input), columns)
    }
}
