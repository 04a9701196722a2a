//! Tables of text: separated by a character, in any Unicode encoding.

mod dialect;
mod encoding;
mod scanner;
mod swallowed;

use std::io::{self, BufRead, BufReader, Cursor, Read};

use flate2::bufread::MultiGzDecoder;

use crate::columns::{self, Column, Kind};
use crate::error::{Names, TableError};
use crate::place::Place;
use crate::spreadsheet::unguard_cell;
use crate::table::{Table, TableRow};
use dialect::Look;
use encoding::{Encoding, Utf16};
use scanner::{Fault, Record, Scanner};

/// Bytes by which the kind of a file and its encoding are told.
const START_BYTES: usize = 256;

/// Most bytes of the line that names the columns.
const MAX_HEADER_BYTES: usize = 1 << 20;

/// How a gzip stream starts.
const GZIP: &[u8] = &[0x1f, 0x8b];

/// A table of text from any reader, gzipped or not.
pub(crate) fn read<'a>(input: Box<dyn Read + 'a>, columns: &[Column]) -> Result<Table<'a>, TableError> {
    let (start, input) = peek(input)?;
    if start.starts_with(GZIP) {
        let unpacked: Box<dyn Read + 'a> = Box::new(MultiGzDecoder::new(BufReader::new(input)));
        let (start, input) = peek(unpacked)?;
        return decoded(&start, input, columns);
    }
    decoded(&start, input, columns)
}

/// The first bytes, and a reader of all.
fn peek<'a>(mut input: Box<dyn Read + 'a>) -> Result<(Vec<u8>, Box<dyn Read + 'a>), TableError> {
    let mut start = Vec::new();
    Read::by_ref(&mut input)
        .take(START_BYTES as u64)
        .read_to_end(&mut start)
        .map_err(|source| TableError::Read { line: 1, source })?;
    let all = Box::new(Cursor::new(start.clone()).chain(input));
    Ok((start, all))
}

fn decoded<'a>(
    start: &[u8],
    mut input: Box<dyn Read + 'a>,
    columns: &[Column],
) -> Result<Table<'a>, TableError> {
    if start.starts_with(GZIP) {
        return Err(TableError::NotText { found: "it is compressed twice with gzip; unpack it first" });
    }
    let (encoding, mark) = encoding::detect(start)?;
    let fail = |source| TableError::Read { line: 1, source };
    Read::by_ref(&mut input).take(mark as u64).read_to_end(&mut Vec::new()).map_err(fail)?;
    match encoding {
        Encoding::Utf8 => table(BufReader::new(input), encoding, columns),
        Encoding::Utf16 { is_big_endian } => table(Utf16::new(input, is_big_endian), encoding, columns),
    }
}

fn table<'a>(
    mut input: impl BufRead + 'a,
    encoding: Encoding,
    columns: &[Column],
) -> Result<Table<'a>, TableError> {
    let mut start = Vec::new();
    // A header that does not end yet is looked at again when twice as much is there: each look is at all of it.
    let mut next = 1;
    let dialect = loop {
        let read = match input.fill_buf() {
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(source) => return Err(TableError::Read { line: 1, source }),
        };
        let (is_whole, used) = (read.is_empty(), read.len());
        start.extend_from_slice(read);
        input.consume(used);
        if start.len() < next && !is_whole {
            continue;
        }
        next = start.len() * 2;
        match dialect::look(&start, is_whole, columns)? {
            Look::Found(dialect) => break dialect,
            Look::Broken(fault) => return Err(error(fault, Place::line(0, 1), &[])),
            Look::NeedsMore if start.len() > MAX_HEADER_BYTES => {
                return Err(TableError::LongHeader { limit: MAX_HEADER_BYTES });
            }
            Look::NeedsMore => {}
        }
    };
    let found = columns::find(&dialect.header, columns)?;
    let skipped_lines = u64::from(dialect.skipped > 0);
    start.drain(..dialect.skipped);
    let mut scanner = Scanner::new(Cursor::new(start).chain(input), dialect.separator, 1 + skipped_lines);
    let mut record = Record::default();
    let named = dialect.header.iter().rposition(|name| !name.is_empty()).map_or(0, |last| last + 1);
    let is_there = found.iter().map(Option::is_some).collect();
    let header = dialect.header.clone();
    // The header was looked at already.
    scanner.read(&mut record).map_err(|fault| error(fault, Place::line(0, 1 + skipped_lines), &header))?;
    let mut rows = Rows {
        scanner,
        first: Some(std::mem::take(&mut record)),
        record,
        encoding,
        separator: dialect.separator,
        wanted: found.into_iter().zip(columns.iter().cloned()).collect(),
        header: dialect.header,
        named,
        number: 0,
        is_done: false,
    };
    Ok(Table { header, found: is_there, rows: Box::new(std::iter::from_fn(move || rows.next())) })
}

/// Rows of a table of text.
struct Rows<R> {
    scanner: Scanner<R>,
    record: Record,
    /// The header, until the first row was compared with it.
    first: Option<Record>,
    encoding: Encoding,
    separator: u8,
    /// The columns asked for, and where they are.
    wanted: Vec<(Option<usize>, Column)>,
    header: Vec<String>,
    /// Columns up to the last that has a name.
    named: usize,
    number: u64,
    is_done: bool,
}

impl<R: BufRead> Rows<R> {
    fn next(&mut self) -> Option<Result<TableRow, TableError>> {
        if self.is_done {
            return None;
        }
        match self.scanner.read(&mut self.record) {
            Ok(true) => {
                self.number += 1;
                if let Some(error) = self.first.take().and_then(|header| self.swallowed_by(&header)) {
                    self.is_done = true;
                    return Some(Err(error));
                }
                Some(self.row())
            }
            Ok(false) => {
                self.is_done = true;
                None
            }
            Err(fault) => {
                self.is_done = true;
                Some(Err(error(fault, Place::line(self.number + 1, self.record.line), &self.header)))
            }
        }
    }

    /// The error of a header that has a row within one of its names.
    fn swallowed_by(&self, header: &Record) -> Option<TableError> {
        let offset = swallowed::find_in_header(header, &self.record, self.separator, self.header.len())?;
        Some(swallowed_row(header, offset, Place::line(0, header.line), &[]))
    }

    fn row(&self) -> Result<TableRow, TableError> {
        let (record, width) = (&self.record, self.header.len());
        let place = Place::line(self.number, record.line);
        if let Some(offset) = swallowed::find(record, self.separator, width) {
            return Err(swallowed_row(record, offset, place, &self.header));
        }
        let is_blank = |(_, bytes): (_, &[u8])| bytes.trim_ascii().is_empty();
        // A row that is too long is refused even where its last cells are blank: a separator in an unquoted text makes such rows
        // of those whose last column is blank.
        let is_whole = record.len() == width
            || (self.named..width).contains(&record.len()) && record.cells().skip(self.named).all(is_blank);
        if !is_whole {
            return Err(TableError::Ragged {
                place,
                expected: width,
                actual: record.len(),
                header: Names(self.header.clone()),
                separator: dialect::name(self.separator),
            });
        }
        let mut row = TableRow::new(place);
        row.is_blank = record.cells().all(is_blank);
        for (position, column) in &self.wanted {
            let Some((cell, bytes)) = position.and_then(|position| record.cell(position)) else {
                row.push(None);
                continue;
            };
            if cell.has_break && column.kind != Kind::Text {
                let opened = cell.opened.unwrap_or(record.line);
                return Err(TableError::LineBreak { place, column: column.name.to_string(), opened });
            }
            column.check_length(place, bytes.len())?;
            let text = std::str::from_utf8(bytes).map_err(|error| TableError::Encoding {
                place,
                column: column.name.to_string(),
                byte: bytes.get(error.valid_up_to()).copied().unwrap_or_default(),
                encoding: self.encoding.name(),
            })?;
            row.push(Some(unguard_cell(text)));
        }
        Ok(row)
    }
}

/// A column for messages: by its name, or by its number where it has none.
fn column_name(header: &[String], cell: usize) -> String {
    match header.get(cell) {
        Some(name) if !name.is_empty() => format!("`{name}`"),
        _ => format!("number {}", cell + 1),
    }
}

/// The error of a record of which a line, counted from its first as 0, is a row of its own.
fn swallowed_row(record: &Record, offset: usize, place: Place, header: &[String]) -> TableError {
    let broken = record.cells().position(|(cell, _)| cell.has_break).unwrap_or_default();
    let opened = record.cell(broken).and_then(|(cell, _)| cell.opened).unwrap_or(record.line);
    let (column, line) = (column_name(header, broken), record.line + offset as u64);
    TableError::SwallowedRow { place, column, opened, line }
}

fn error(fault: Fault, place: Place, header: &[String]) -> TableError {
    match fault {
        Fault::Read { line, source } => TableError::Read { line, source },
        Fault::Unclosed { cell, opened } => {
            TableError::UnclosedQuote { place, column: column_name(header, cell), opened }
        }
        Fault::AfterQuote { cell, opened, closed } => {
            TableError::TextAfterQuote { place, column: column_name(header, cell), opened, closed }
        }
        Fault::Nul { line } => TableError::Nul { line },
        Fault::Bytes { limit, opened } => TableError::TooLong {
            place,
            limit: format!("{limit} bytes"),
            hint: opened.map_or_else(
                || "this is not a table of text".to_owned(),
                |line| format!("perhaps the quotation mark that opens on line {line} is never closed"),
            ),
        },
        Fault::Cells { limit } => TableError::TooLong {
            place,
            limit: format!("{limit} cells"),
            hint: "this is not a table of text".to_owned(),
        },
    }
}
