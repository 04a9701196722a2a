//! A table: a header, and rows read one at a time.

use std::ffi::OsStr;
use std::fmt;
use std::io::Read;
use std::path::Path;

use medclip_core::files::open_typed;

use crate::columns::Column;
use crate::error::TableError;
use crate::text;

/// Where a row stands in its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Place {
    /// Row from 1, the first after the header, which is 0. Blank lines are no rows.
    pub row: u64,
    /// Line of a CSV file on which the row begins, from 1; none of a Parquet file.
    pub line: Option<u64>,
}

impl Place {
    #[cfg(feature = "parquet")]
    pub(crate) const fn row(row: u64) -> Self {
        Self { row, line: None }
    }

    pub(crate) const fn line(row: u64, line: u64) -> Self {
        Self { row, line: Some(line) }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.row, self.line) {
            (0, Some(line)) => write!(f, "the header (line {line})"),
            (row, Some(line)) => write!(f, "row {row} (line {line})"),
            (row, None) => write!(f, "row {row}"),
        }
    }
}

/// One row: the cells of the columns that were asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableRow {
    pub(crate) place: Place,
    /// The cells, one after the other.
    pub(crate) text: String,
    /// Where each ends; `None` where the table lacks the column.
    pub(crate) cells: Vec<Option<[usize; 2]>>,
    pub(crate) is_blank: bool,
}

impl TableRow {
    pub(crate) fn new(place: Place) -> Self {
        Self { place, text: String::new(), cells: Vec::new(), is_blank: true }
    }

    pub(crate) fn push(&mut self, cell: Option<&str>) {
        let start = self.text.len();
        self.cells.push(cell.map(|cell| {
            self.text.push_str(cell);
            [start, self.text.len()]
        }));
    }

    /// Where it stands.
    pub const fn place(&self) -> Place {
        self.place
    }

    /// Whether no cell holds anything, those of columns that were not asked for included. Spreadsheets write such rows at the
    /// end of a table.
    pub const fn is_blank(&self) -> bool {
        self.is_blank
    }

    /// What a cell holds, without spaces around it; blank where the table lacks the column and where a Parquet file has null.
    ///
    /// # Shapes
    /// - `column`: place in the list of columns that were asked for, from 0
    pub fn cell(&self, column: usize) -> &str {
        self.whole(column).trim()
    }

    /// What a cell holds, with the spaces around it.
    pub fn whole(&self, column: usize) -> &str {
        let cell = self.cells.get(column).copied().flatten();
        cell.and_then(|[start, end]| self.text.get(start..end)).unwrap_or_default()
    }

    /// What a cell holds; `None` when blank or when the table lacks the column.
    pub fn filled(&self, column: usize) -> Option<&str> {
        Some(self.cell(column)).filter(|value| !value.is_empty())
    }

    /// The error of a cell.
    pub fn wrong(&self, column: &str, value: &str, expected: &'static str) -> TableError {
        TableError::Value { place: self.place, column: column.to_owned(), value: value.to_owned(), expected }
    }
}

/// Rows of a table, in its order. Where one cannot be told apart from the next, its error is the last item.
pub struct Table<'a> {
    pub(crate) header: Vec<String>,
    /// Whether each of the columns asked for is there.
    pub(crate) found: Vec<bool>,
    pub(crate) rows: Box<dyn Iterator<Item = Result<TableRow, TableError>> + 'a>,
}

impl fmt::Debug for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table").field("header", &self.header).finish_non_exhaustive()
    }
}

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

    /// Whether the table has a column.
    ///
    /// # Shapes
    /// - `column`: place in the list of columns that were asked for, from 0
    pub fn has(&self, column: usize) -> bool {
        self.found.get(column).copied().unwrap_or_default()
    }
}

impl Iterator for Table<'_> {
    type Item = Result<TableRow, TableError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.rows.next()
    }
}

/// How a Parquet file starts.
pub(crate) const MAGIC: &[u8] = b"PAR1";
