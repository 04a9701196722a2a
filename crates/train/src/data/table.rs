//! Rows of a CSV or Parquet file, as cells of text.

#[cfg(feature = "parquet")]
mod parquet;

use std::ffi::OsStr;
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use csv::StringRecord;
use thiserror::Error;

/// Where a row stands in its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Line of a CSV file, from 1, the header's.
    Line(u64),
    /// Row of a Parquet file, from 1, the first of data.
    Row(u64),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(number) => write!(f, "line {number}"),
            Self::Row(number) => write!(f, "row {number}"),
        }
    }
}

/// Why a table was refused.
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
    /// Not a CSV file with equally long rows.
    #[error("not a readable CSV file")]
    Csv(#[from] csv::Error),
    /// Not a Parquet file, or a damaged one.
    #[error("not a readable Parquet file")]
    Parquet(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A Parquet file, which this build does not read.
    #[error("this build does not read Parquet files: it lacks the feature `parquet`")]
    ParquetLeftOut,
    /// A column is missing.
    #[error("column `{column}` is missing")]
    MissingColumn {
        /// Its name.
        column: String,
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
}

/// What a column of a Parquet file may hold; cells of a CSV file are text anyway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Text or whole numbers: names and identifiers.
    Name,
    /// Text, numbers or true and false, which are 1 and 0.
    Number,
}

/// A column that is read, by name.
pub(super) type Column = (&'static str, Kind);

/// A header, and rows read one at a time.
pub(super) struct Table<'a> {
    header: Vec<String>,
    pub(super) rows: Box<dyn Iterator<Item = Result<TableRow, TableError>> + 'a>,
}

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TableRow {
    place: Place,
    cells: StringRecord,
}

impl Table<'static> {
    /// Opens a file, as Parquet when its name ends so and as CSV otherwise. Columns that are not among `columns` may be left
    /// out.
    pub(super) fn open(path: &Path, columns: &[Column]) -> Result<Self, TableError> {
        let file = File::open(path).map_err(|source| TableError::Open { path: path.to_owned(), source })?;
        if path.extension().and_then(OsStr::to_str).is_some_and(|end| end.eq_ignore_ascii_case("parquet")) {
            return Self::from_parquet(file, columns);
        }
        Self::from_csv(file)
    }

    #[cfg(feature = "parquet")]
    fn from_parquet(file: File, columns: &[Column]) -> Result<Self, TableError> {
        parquet::read(file, columns)
    }

    #[cfg(not(feature = "parquet"))]
    fn from_parquet(_file: File, _columns: &[Column]) -> Result<Self, TableError> {
        Err(TableError::ParquetLeftOut)
    }
}

impl<'a> Table<'a> {
    pub(super) fn from_csv(input: impl Read + 'a) -> Result<Self, TableError> {
        let mut reader = csv::Reader::from_reader(input);
        let header = reader.headers()?.iter().map(|column| column.trim().to_owned()).collect();
        let rows = reader.into_records().map(|cells| {
            let cells = cells?;
            let line = cells.position().map_or(0, csv::Position::line);
            Ok(TableRow { place: Place::Line(line), cells })
        });
        Ok(Self { header, rows: Box::new(rows) })
    }

    /// Position of a column, if it is there.
    pub(super) fn optional(&self, name: &str) -> Option<usize> {
        self.header.iter().position(|column| column == name)
    }

    /// Position of a column.
    pub(super) fn required(&self, name: &str) -> Result<usize, TableError> {
        self.optional(name).ok_or_else(|| TableError::MissingColumn { column: name.to_owned() })
    }
}

impl TableRow {
    /// Where it stands.
    pub(super) fn place(&self) -> Place {
        self.place
    }

    /// What a cell holds, without spaces around it; blank where a Parquet file has null.
    pub(super) fn cell(&self, column: usize) -> &str {
        self.cells.get(column).unwrap_or_default().trim()
    }

    /// What a cell of a column that may be missing holds; `None` when blank.
    pub(super) fn filled(&self, column: Option<usize>) -> Option<&str> {
        column.map(|column| self.cell(column)).filter(|value| !value.is_empty())
    }

    /// What a cell that must not be blank holds.
    pub(super) fn not_blank(&self, name: &str, column: usize) -> Result<String, TableError> {
        match self.cell(column) {
            "" => Err(self.wrong(name, "", "a name")),
            value => Ok(value.to_owned()),
        }
    }

    /// The error of a cell.
    pub(super) fn wrong(&self, column: &str, value: &str, expected: &'static str) -> TableError {
        TableError::Value { place: self.place, column: column.to_owned(), value: value.to_owned(), expected }
    }
}

#[cfg(all(test, not(feature = "parquet")))]
mod tests {
    use super::*;

    #[test]
    fn a_build_without_parquet_says_so() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("manifest.PARQUET");
        std::fs::write(&path, "PAR1").unwrap();
        assert!(matches!(Table::open(&path, &[]), Err(TableError::ParquetLeftOut)));
    }
}
