//! Columns that are asked for, and where a header has them.

use std::borrow::Cow;

use crate::error::{Names, TableError};
use crate::place::Place;

/// What a column may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A path, name or identifier: text without line breaks. In a Parquet file also whole numbers.
    Name,
    /// A number, as text without line breaks. In a Parquet file any type of numbers, and truth values, which are 1 and 0.
    Number,
    /// A text of any number of lines.
    Text,
}

/// Most bytes of a name or number. Systems take paths of 4 KiB at most; escapes in names need room.
const MAX_NAME_BYTES: usize = 32 << 10;

/// Most bytes of a text: far above any report.
pub(crate) const MAX_TEXT_BYTES: usize = 16 << 20;

impl Kind {
    /// Most bytes of a cell.
    pub(crate) const fn limit(self) -> usize {
        match self {
            Self::Name | Self::Number => MAX_NAME_BYTES,
            Self::Text => MAX_TEXT_BYTES,
        }
    }
}

/// A column that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    pub(crate) name: Cow<'static, str>,
    pub(crate) kind: Kind,
    pub(crate) is_required: bool,
}

impl Column {
    /// A column without which the table is refused.
    pub fn required(name: impl Into<Cow<'static, str>>, kind: Kind) -> Self {
        Self { name: name.into(), kind, is_required: true }
    }

    /// A column that is read where it is there.
    pub fn optional(name: impl Into<Cow<'static, str>>, kind: Kind) -> Self {
        Self { name: name.into(), kind, is_required: false }
    }

    /// Its name, as asked for.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// # Errors
    /// [`TableError::LongCell`] when a cell of it has more bytes than one may have.
    pub(crate) fn check_length(&self, place: Place, bytes: usize) -> Result<(), TableError> {
        let limit = self.kind.limit();
        if bytes <= limit {
            return Ok(());
        }
        Err(TableError::LongCell { place, column: self.name.to_string(), bytes, limit })
    }
}

/// Where `header` has each of `columns`, from 0.
///
/// # Errors
/// [`TableError::MissingColumn`], [`TableError::DuplicateColumn`].
pub(crate) fn find(header: &[String], columns: &[Column]) -> Result<Vec<Option<usize>>, TableError> {
    columns
        .iter()
        .map(|column| {
            let found = position(header, column.name.trim()).map_err(|[first, second]| {
                TableError::DuplicateColumn {
                    column: column.name.to_string(),
                    first: first + 1,
                    second: second + 1,
                }
            })?;
            match found {
                None if column.is_required => Err(TableError::MissingColumn {
                    column: column.name.to_string(),
                    present: Names(header.to_vec()),
                }),
                found => Ok(found),
            }
        })
        .collect()
}

/// The column of this name; of this name without regard to case where none has it exactly. An error if there are two.
fn position(header: &[String], name: &str) -> Result<Option<usize>, [usize; 2]> {
    let only = |is_it: &dyn Fn(&str) -> bool| {
        let mut found = header.iter().enumerate().filter(|(_, other)| is_it(other)).map(|(at, _)| at);
        match (found.next(), found.next()) {
            (Some(first), Some(second)) => Err([first, second]),
            (first, _) => Ok(first),
        }
    };
    Ok(match only(&|other| other == name)? {
        Some(exact) => Some(exact),
        None => only(&|other| other.to_lowercase() == name.to_lowercase())?,
    })
}
