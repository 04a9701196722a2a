//! Reports from text files and columns of tables.

use std::io::{self, Read};
use std::path::Path;

use medclip_files::{open_typed, read_at_most, text};
use thiserror::Error;

use crate::columns::{Column, Kind};
use crate::error::TableError;
use crate::table::Table;

/// Most bytes of a report: far above any.
const MAX_REPORT_BYTES: u64 = 16 << 20;

/// Why a report was not read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReportError {
    /// The text file.
    #[error(transparent)]
    Text(#[from] io::Error),
    /// The table, or its row.
    #[error(transparent)]
    Table(#[from] TableError),
}

/// Hands every report of `path` (`-` for `stdin`) to `sink`: one, or one per row when `column` names the column of a table that
/// holds them. The number is that of the row, from 1, the first after the header. What cannot be read is handed on as its error.
///
/// # Errors
/// Those of `sink`.
pub fn for_each_report<E>(
    path: &Path,
    stdin: &mut dyn Read,
    column: Option<&str>,
    mut sink: impl FnMut(Option<u64>, Result<String, ReportError>) -> Result<(), E>,
) -> Result<(), E> {
    let is_stdin = path == Path::new("-");
    let Some(column) = column else {
        let text = if is_stdin { read_text(stdin) } else { open_typed(path).and_then(read_text) };
        return sink(None, text.map_err(ReportError::from));
    };
    let columns = [Column::required(column.to_owned(), Kind::Text)];
    let table = if is_stdin { Table::from_reader(stdin, &columns) } else { Table::open(path, &columns) };
    match table {
        // A row that is refused counts too: those after it keep their numbers.
        Ok(table) => (1..).zip(table).try_for_each(|(row, read)| {
            sink(Some(row), read.map(|read| read.whole(0).to_owned()).map_err(ReportError::from))
        }),
        Err(error) => sink(None, Err(error.into())),
    }
}

fn read_text(input: impl Read) -> io::Result<String> {
    text(read_at_most(input, MAX_REPORT_BYTES)?)
}
