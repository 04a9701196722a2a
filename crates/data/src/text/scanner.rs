//! Records of CSV text: RFC 4180 with any separator, strict about quotation marks.

use std::io::{self, BufRead};

/// Most bytes of one row: far above any report, and little enough to hold while a mark that never closes is looked for.
const MAX_ROW_BYTES: usize = 16 << 20;

/// Most cells of one row.
const MAX_CELLS: usize = 1 << 16;

/// Why no further record can be read.
#[derive(Debug)]
pub(super) enum Fault {
    /// The input broke off.
    Read { line: u64, source: io::Error },
    /// A quoted cell has no end.
    Unclosed { cell: usize, opened: u64 },
    /// Text follows the mark that closes a cell.
    AfterQuote { cell: usize, opened: u64, closed: u64 },
    /// A NUL.
    Nul { line: u64 },
    /// More bytes than a row may have, perhaps because of a mark that is open since this line.
    Bytes { limit: usize, opened: Option<u64> },
    /// More cells than a row may have.
    Cells { limit: usize },
}

/// One cell of a record.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cell {
    start: usize,
    end: usize,
    /// Line of its opening mark; `None` of a cell that is not quoted.
    pub(super) opened: Option<u64>,
    /// Whether a line ends in it.
    pub(super) has_break: bool,
}

/// One record, used again for the next.
#[derive(Debug, Default)]
pub(super) struct Record {
    /// Line on which it begins, from 1.
    pub(super) line: u64,
    /// Its bytes in the file, without the end of its last line.
    pub(super) raw: Vec<u8>,
    /// Its cells, one after the other, without their marks.
    content: Vec<u8>,
    cells: Vec<Cell>,
}

impl Record {
    pub(super) fn len(&self) -> usize {
        self.cells.len()
    }

    pub(super) fn cells(&self) -> impl Iterator<Item = (Cell, &[u8])> {
        self.cells.iter().map(|cell| (*cell, &self.content[cell.start..cell.end]))
    }

    pub(super) fn cell(&self, index: usize) -> Option<(Cell, &[u8])> {
        let cell = *self.cells.get(index)?;
        Some((cell, &self.content[cell.start..cell.end]))
    }

    fn clear(&mut self, line: u64) {
        self.line = line;
        self.raw.clear();
        self.content.clear();
        self.cells.clear();
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Only spaces so far.
    Start,
    /// In a cell without marks; a mark in its middle is text, as every reader takes it.
    Plain,
    /// Between the marks.
    Quoted,
    /// After a mark within the marks: it closes the cell, or it is the first of two.
    Mark,
    /// Spaces after the closing mark.
    Closed,
}

/// Reads records.
pub(super) struct Scanner<R> {
    input: R,
    separator: u8,
    /// Line that is read, from 1.
    line: u64,
    /// A CR was read last: an LF belongs to it.
    after_cr: bool,
}

/// What the scanner knows within a record.
struct Scan {
    state: State,
    start: usize,
    opened: Option<u64>,
    has_break: bool,
    closed: u64,
}

impl Scan {
    const fn cell(start: usize) -> Self {
        Self { state: State::Start, start, opened: None, has_break: false, closed: 0 }
    }
}

impl<R: BufRead> Scanner<R> {
    pub(super) const fn new(input: R, separator: u8, line: u64) -> Self {
        Self { input, separator, line, after_cr: false }
    }

    /// What was not read yet.
    pub(super) fn into_input(self) -> R {
        self.input
    }

    /// Reads the next record that is no blank line; false at the end. Nothing is read after a fault.
    pub(super) fn read(&mut self, record: &mut Record) -> Result<bool, Fault> {
        record.clear(self.line);
        let mut scan = Scan::cell(0);
        loop {
            let read = match self.input.fill_buf() {
                Ok([]) => return self.end(record, &scan),
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(source) => return Err(Fault::Read { line: self.line, source }),
            };
            let (mut used, mut is_whole) = (0, false);
            let mut fault = None;
            for &byte in read {
                used += 1;
                if self.after_cr {
                    self.after_cr = false;
                    if byte == b'\n' {
                        if scan.state == State::Quoted {
                            record.raw.push(byte);
                            record.content.push(byte);
                        }
                        continue;
                    }
                }
                match step(byte, self.separator, &mut self.line, record, &mut scan) {
                    Ok(Step::Byte) => {
                        self.after_cr = byte == b'\r';
                        record.raw.push(byte);
                        if record.raw.len() > MAX_ROW_BYTES {
                            let opened = scan.opened.filter(|_| scan.state == State::Quoted);
                            fault = Some(Fault::Bytes { limit: MAX_ROW_BYTES, opened });
                            break;
                        }
                        if record.cells.len() > MAX_CELLS {
                            fault = Some(Fault::Cells { limit: MAX_CELLS });
                            break;
                        }
                    }
                    Ok(Step::Blank) => {
                        self.after_cr = byte == b'\r';
                        record.line = self.line;
                    }
                    Ok(Step::End) => {
                        self.after_cr = byte == b'\r';
                        is_whole = true;
                        break;
                    }
                    Err(found) => {
                        fault = Some(found);
                        break;
                    }
                }
            }
            self.input.consume(used);
            if let Some(fault) = fault {
                return Err(fault);
            }
            if is_whole {
                return Ok(true);
            }
        }
    }

    /// At the end of the input.
    fn end(&self, record: &mut Record, scan: &Scan) -> Result<bool, Fault> {
        if scan.state == State::Quoted {
            let opened = scan.opened.unwrap_or(self.line);
            return Err(Fault::Unclosed { cell: record.cells.len(), opened });
        }
        if record.raw.is_empty() {
            return Ok(false);
        }
        finish(record, scan);
        Ok(true)
    }
}

enum Step {
    /// The byte is of the record.
    Byte,
    /// It ended a blank line.
    Blank,
    /// It ended the record.
    End,
}

fn step(
    byte: u8,
    separator: u8,
    line: &mut u64,
    record: &mut Record,
    scan: &mut Scan,
) -> Result<Step, Fault> {
    let is_break = byte == b'\n' || byte == b'\r';
    if byte == 0 {
        return Err(Fault::Nul { line: *line });
    }
    if scan.state == State::Quoted {
        if byte == b'"' {
            scan.state = State::Mark;
            scan.closed = *line;
        } else {
            record.content.push(byte);
            if is_break {
                scan.has_break = true;
                *line += 1;
            }
        }
        return Ok(Step::Byte);
    }
    if is_break {
        *line += 1;
        if record.raw.is_empty() {
            return Ok(Step::Blank);
        }
        finish(record, scan);
        return Ok(Step::End);
    }
    if byte == separator {
        finish(record, scan);
        *scan = Scan::cell(record.content.len());
        return Ok(Step::Byte);
    }
    match scan.state {
        State::Start if byte == b'"' => {
            record.content.truncate(scan.start);
            scan.state = State::Quoted;
            scan.opened = Some(*line);
        }
        State::Mark if byte == b'"' => {
            record.content.push(byte);
            scan.state = State::Quoted;
        }
        State::Mark | State::Closed if byte == b' ' => scan.state = State::Closed,
        State::Mark | State::Closed => {
            let opened = scan.opened.unwrap_or(*line);
            return Err(Fault::AfterQuote { cell: record.cells.len(), opened, closed: scan.closed });
        }
        State::Start | State::Plain | State::Quoted => {
            if byte != b' ' {
                scan.state = State::Plain;
            }
            record.content.push(byte);
        }
    }
    Ok(Step::Byte)
}

fn finish(record: &mut Record, scan: &Scan) {
    let end = record.content.len();
    let cell = Cell { start: scan.start, end, opened: scan.opened, has_break: scan.has_break };
    record.cells.push(cell);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(text: &str, separator: u8) -> Result<Vec<(u64, Vec<String>)>, Fault> {
        let mut scanner = Scanner::new(text.as_bytes(), separator, 1);
        let mut record = Record::default();
        let mut records = Vec::new();
        while scanner.read(&mut record)? {
            let text = |(_, bytes): (Cell, &[u8])| String::from_utf8(bytes.to_vec()).unwrap();
            records.push((record.line, record.cells().map(text).collect()));
        }
        Ok(records)
    }

    #[test]
    fn cells_are_what_every_reader_takes_them_for() {
        type Records<'a> = &'a [(u64, &'a [&'a str])];
        let cases: [(&str, Records<'_>); 12] = [
            ("", &[]),
            ("\n\r\n\r", &[]),
            ("a,b", &[(1, &["a", "b"])]),
            ("a,b\n", &[(1, &["a", "b"])]),
            ("a,\n,b\n", &[(1, &["a", ""]), (2, &["", "b"])]),
            ("a\rb\rc", &[(1, &["a"]), (2, &["b"]), (3, &["c"])]),
            ("a\r\n\r\nb\r\n", &[(1, &["a"]), (3, &["b"])]),
            ("\"a,b\",c", &[(1, &["a,b", "c"])]),
            ("\"a\"\"b\" , \"c\"", &[(1, &["a\"b", "c"])]),
            ("a 5\" tube,b", &[(1, &["a 5\" tube", "b"])]),
            ("\"\",x\n\"\"", &[(1, &["", "x"]), (2, &[""])]),
            ("\"a\r\nb\",x\ny,z", &[(1, &["a\r\nb", "x"]), (3, &["y", "z"])]),
        ];
        for (text, expected) in cases {
            let read = records(text, b',').unwrap();
            let read: Vec<(u64, Vec<&str>)> = read
                .iter()
                .map(|(line, cells)| (*line, cells.iter().map(String::as_str).collect()))
                .collect();
            let expected: Vec<(u64, Vec<&str>)> =
                expected.iter().map(|(line, cells)| (*line, cells.to_vec())).collect();
            assert_eq!(read, expected, "{text:?}");
        }
        assert_eq!(records("a;b,c", b';').unwrap(), [(1, vec!["a".to_owned(), "b,c".to_owned()])]);
    }

    #[test]
    fn open_marks_and_text_after_them_are_faults() {
        let fault = |text| records(text, b',').unwrap_err();
        assert!(matches!(fault("x\na,\"b\nc"), Fault::Unclosed { cell: 1, opened: 2 }));
        assert!(matches!(fault("a,\"b\nc,\"d\n"), Fault::AfterQuote { cell: 1, opened: 1, closed: 2 }));
        assert!(matches!(fault("\"a\"b\n"), Fault::AfterQuote { cell: 0, opened: 1, closed: 1 }));
        assert!(matches!(fault("\"\"a\"\"\n"), Fault::AfterQuote { cell: 0, opened: 1, closed: 1 }));
        assert!(matches!(fault("a\nb\0c\n"), Fault::Nul { line: 2 }));
        let endless = format!("\"{}", "a\n".repeat(MAX_ROW_BYTES / 2));
        assert!(matches!(fault(&endless), Fault::Bytes { opened: Some(1), .. }));
        assert!(matches!(fault(&",".repeat(MAX_CELLS + 2)), Fault::Cells { .. }));
    }
}
