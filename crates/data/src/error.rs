//! Why a table was refused.

mod unnamed;

use std::fmt;
use std::path::PathBuf;

use thiserror::Error;

use crate::place::Place;

/// Most column names that a message lists.
const MOST_NAMES: usize = 30;

/// Why a table, or a row of it, was refused.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TableError {
    /// The file cannot be opened.
    #[error("cannot open {}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The file cannot be read to its end.
    #[error("cannot read line {line}")]
    Read {
        /// The line that cannot be read, from 1.
        line: u64,
        /// The system's reason, or that of the decompressor.
        source: std::io::Error,
    },
    /// Something else than a table of text.
    #[error("not a CSV file: {found}")]
    NotText {
        /// What it is instead, and what to do.
        found: &'static str,
    },
    /// Nothing in it.
    #[error("the table is empty: its first line must name the columns")]
    Empty,
    /// A header that has no end.
    #[error("the first line, which names the columns, does not end within {limit} bytes")]
    LongHeader {
        /// Most bytes of a header.
        limit: usize,
    },
    /// Two separators give the columns that were asked for.
    #[error("the header can be read with {first} and with {second} between its columns; keep one of them")]
    AmbiguousSeparator {
        /// One of them.
        first: &'static str,
        /// The other.
        second: &'static str,
    },
    /// A column is missing.
    #[error("column `{column}` is missing; the columns are {present}")]
    MissingColumn {
        /// Its name.
        column: String,
        /// Those that are there.
        present: Names,
    },
    /// Two columns have the name that was asked for.
    #[error("column `{column}` is there twice, as columns {first} and {second}; rename one of them")]
    DuplicateColumn {
        /// Its name.
        column: String,
        /// Number of the first, from 1.
        first: usize,
        /// Number of the second, from 1.
        second: usize,
    },
    /// A quoted cell without end.
    #[error(
        "{place}, column {column}: the quotation mark that opens on line {opened} is never closed; close it, or double it if it is part of the text"
    )]
    UnclosedQuote {
        /// The row in which it opens.
        place: Place,
        /// The cell's column, by name in back-ticks or by number.
        column: String,
        /// Line of the mark.
        opened: u64,
    },
    /// Text between the end of a quoted cell and the next separator.
    #[error(
        "{place}, column {column}: the quoted cell that opens on line {opened} ends on line {closed}, but text follows its closing mark; double the marks that are part of the text"
    )]
    TextAfterQuote {
        /// The row in which the cell opens.
        place: Place,
        /// The cell's column, by name in back-ticks or by number.
        column: String,
        /// Line of its first mark.
        opened: u64,
        /// Line of the mark that closes it.
        closed: u64,
    },
    /// A quoted cell that contains what looks like another row.
    #[error(
        "{place}, column {column}: the quoted cell that opens on line {opened} swallows line {line}, which is a row of its own; close the quotation mark"
    )]
    SwallowedRow {
        /// The row in which the cell opens.
        place: Place,
        /// The cell's column, by name in back-ticks or by number.
        column: String,
        /// Line of its first mark.
        opened: u64,
        /// The line that looks like a row.
        line: u64,
    },
    /// A line break where there can be none.
    #[error(
        "{place}, column `{column}`: the quoted cell that opens on line {opened} holds a line break; close its quotation mark on the same line"
    )]
    LineBreak {
        /// Its row.
        place: Place,
        /// Its column.
        column: String,
        /// Line of its first mark.
        opened: u64,
    },
    /// A row of another length than the header.
    #[error(
        "{place}: the row has {actual} cells and the header {expected} (columns {header}); quote cells that contain the separator, {separator}"
    )]
    Ragged {
        /// The row.
        place: Place,
        /// Columns of the header.
        expected: usize,
        /// Cells of the row.
        actual: usize,
        /// The header's columns.
        header: Names,
        /// What separates cells.
        separator: &'static str,
    },
    /// Bytes that are no text.
    #[error("{place}, column `{column}`: byte {byte:#04x} is not {encoding} text; save the table as UTF-8")]
    Encoding {
        /// The row.
        place: Place,
        /// The column.
        column: String,
        /// The first byte (of UTF-16: of its UTF-8 form) that is wrong.
        byte: u8,
        /// What the file is read as.
        encoding: &'static str,
    },
    /// A NUL, which no text has.
    #[error("line {line} contains a NUL byte, which no text has; the file is damaged or not a table")]
    Nul {
        /// Its line.
        line: u64,
    },
    /// A row beyond the limits.
    #[error("{place}: the row has more than {limit}; {hint}")]
    TooLong {
        /// The row.
        place: Place,
        /// What it has too much of.
        limit: String,
        /// What it may be.
        hint: String,
    },
    /// A cell that is longer than its column may hold.
    #[error("{place}, column `{column}`: the cell has {bytes} bytes; {limit} are the most there may be")]
    LongCell {
        /// Its row.
        place: Place,
        /// Its column.
        column: String,
        /// Bytes of its text.
        bytes: usize,
        /// Most bytes of a cell of this column.
        limit: usize,
    },
    /// Rows that hold far more text than their file could say.
    #[error(
        "{place}: the rows up to here have more than {limit} bytes of text, but the file only {file}; it repeats long cells \
         without end"
    )]
    Amplified {
        /// The row at which it shows.
        place: Place,
        /// Most bytes of text of a file of this length.
        limit: u64,
        /// Bytes of the file.
        file: u64,
    },
    /// A cell holds something else than its column may.
    #[error("{place}, column `{column}`: `{value}` is not {expected}")]
    Value {
        /// Its row.
        place: Place,
        /// Column name.
        column: String,
        /// What the cell holds.
        value: String,
        /// What it may hold.
        expected: &'static str,
    },
    /// A column of a Parquet file whose type has no cells of text.
    #[error("column `{column}` is of type {found}, but must be {expected}")]
    ColumnType {
        /// Its name.
        column: String,
        /// Its type.
        found: String,
        /// What it may be.
        expected: &'static str,
    },
    /// Not a Parquet file, or a damaged one.
    #[error("not a readable Parquet file")]
    Parquet(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A Parquet file, which this build does not read.
    #[error("this build does not read Parquet files: it lacks the feature `parquet`")]
    ParquetLeftOut,
}

impl TableError {
    /// Whether rows after this one can still be told apart. Where not, the table gives no more of them.
    pub const fn is_of_one_row(&self) -> bool {
        matches!(
            self,
            Self::SwallowedRow { .. }
                | Self::LineBreak { .. }
                | Self::Ragged { .. }
                | Self::Encoding { .. }
                | Self::LongCell { .. }
                | Self::Value { .. }
        )
    }
}

/// Names of columns, of which a message lists the first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names(pub(crate) Vec<String>);

impl fmt::Display for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, name) in self.0.iter().take(MOST_NAMES).enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            // What a stranger's header holds may be of any length and have control characters.
            let short: String = name.chars().take(80).collect();
            write!(
                f,
                "{comma}`{}`",
                short.escape_debug().to_string().replace("\\'", "'").replace("\\\"", "\"")
            )?;
        }
        match self.0.len() {
            0 => f.write_str("none"),
            count if count > MOST_NAMES => write!(f, " and {} more", count - MOST_NAMES),
            _ => Ok(()),
        }
    }
}
