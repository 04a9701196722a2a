//! Where a row stands.

use std::fmt;

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
