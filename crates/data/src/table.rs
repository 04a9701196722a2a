//! A table: a header, and rows read one at a time.

use std::fmt;

use crate::error::TableError;
use crate::place::Place;

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

impl Table<'_> {
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
