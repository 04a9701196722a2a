//! Reports from text files, CSV columns and standard input.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use anyhow::Context;

/// A report as found, or why it could not be read.
pub(crate) struct Report {
    /// Row of the CSV file after its header, from 1; none for a text file.
    pub(crate) row: Option<u64>,
    pub(crate) text: anyhow::Result<String>,
}

/// Hands every report of `path` (`-` for standard input) to `sink`: one, or one per row when `column` names the CSV
/// column that holds them. What cannot be read is handed on as its error.
///
/// # Errors
/// Those of `sink`.
pub(crate) fn for_each_report(
    path: &Path,
    column: Option<&str>,
    mut sink: impl FnMut(Report) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let input = match open(path) {
        Ok(input) => input,
        Err(error) => return sink(Report { row: None, text: Err(error) }),
    };
    match column {
        Some(column) => for_each_row(input, column, sink),
        None => sink(Report { row: None, text: read_text(input) }),
    }
}

fn open(path: &Path) -> anyhow::Result<Box<dyn Read>> {
    if path == Path::new("-") {
        return Ok(Box::new(io::stdin().lock()));
    }
    Ok(Box::new(File::open(path)?))
}

fn read_text(mut input: impl Read) -> anyhow::Result<String> {
    let mut text = String::new();
    input.read_to_string(&mut text)?;
    Ok(text)
}

fn for_each_row(
    input: impl Read,
    column: &str,
    mut sink: impl FnMut(Report) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut reader = csv::Reader::from_reader(input);
    let position = reader.headers().map_err(anyhow::Error::from).and_then(|header| {
        let names = || header.iter().collect::<Vec<_>>().join(", ");
        let found = header.iter().position(|name| name == column);
        found.with_context(|| format!("no column {column:?}, only {}", names()))
    });
    let position = match position {
        Ok(position) => position,
        Err(error) => return sink(Report { row: None, text: Err(error) }),
    };
    for (row, record) in (1..).zip(reader.into_records()) {
        let stop = record.as_ref().is_err_and(csv::Error::is_io_error);
        let text = record.map_err(anyhow::Error::from).and_then(|record| {
            let field = record.get(position).context("the row is too short")?;
            Ok(field.to_owned())
        });
        sink(Report { row: Some(row), text })?;
        if stop {
            break;
        }
    }
    Ok(())
}
