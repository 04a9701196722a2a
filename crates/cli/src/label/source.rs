//! Reports from text files, columns of tables and standard input.

use std::io::{self, Read};
use std::path::Path;

use medclip_data::{Column, Kind, Table, TableError};
use medclip_files::{open_typed, read_at_most, text};

/// Most bytes of a report: far above any.
const MAX_REPORT_BYTES: u64 = 16 << 20;

/// A report as found, or why it could not be read.
pub(crate) struct Report {
    /// Row of the table, from 1, the first after its header; none for a text file.
    pub(crate) row: Option<u64>,
    pub(crate) text: anyhow::Result<String>,
}

/// Hands every report of `path` (`-` for standard input) to `sink`: one, or one per row when `column` names the
/// column of a table that holds them. What cannot be read is handed on as its error.
///
/// # Errors
/// Those of `sink`.
pub(crate) fn for_each_report(
    path: &Path,
    column: Option<&str>,
    mut sink: impl FnMut(Report) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let is_stdin = path == Path::new("-");
    let Some(column) = column else {
        let text = if is_stdin {
            read_text(io::stdin().lock())
        } else {
            open_typed(path).map_err(anyhow::Error::from).and_then(read_text)
        };
        return sink(Report { row: None, text });
    };
    let columns = [Column::required(column.to_owned(), Kind::Text)];
    let table =
        if is_stdin { Table::from_reader(io::stdin().lock(), &columns) } else { Table::open(path, &columns) };
    for_each_row(table, sink)
}

fn read_text(input: impl Read) -> anyhow::Result<String> {
    Ok(text(read_at_most(input, MAX_REPORT_BYTES)?)?)
}

fn for_each_row(
    table: Result<Table<'_>, TableError>,
    mut sink: impl FnMut(Report) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let table = match table {
        Ok(table) => table,
        Err(error) => return sink(Report { row: None, text: Err(error.into()) }),
    };
    // A row that is refused counts too: those after it keep their numbers.
    for (row, read) in (1..).zip(table) {
        let text = read.map(|read| read.whole(0).to_owned()).map_err(anyhow::Error::from);
        sink(Report { row: Some(row), text })?;
    }
    Ok(())
}
