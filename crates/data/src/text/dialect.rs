//! What separates the cells of a table: told by its header.

use super::scanner::{Fault, Record, Scanner};
use crate::columns::{self, Column};
use crate::error::TableError;
use crate::spreadsheet::unguard_cell;

/// Separators that a header may have, and their names.
const SEPARATORS: [(u8, &str); 4] = [(b',', "comma"), (b';', "semicolon"), (b'\t', "tab"), (b'|', "|")];

/// Name of a separator, for messages.
pub(super) fn name(separator: u8) -> &'static str {
    SEPARATORS
        .iter()
        .find(|(byte, _)| *byte == separator)
        .map_or("the one that its first line names", |(_, name)| name)
}

/// How a table is read.
#[derive(Debug)]
pub(super) struct Dialect {
    pub(super) separator: u8,
    /// Names of the columns, without spaces around them.
    pub(super) header: Vec<String>,
    /// Bytes in front of the header: Excel's `sep=;` with the end of its line.
    pub(super) skipped: usize,
}

/// What a look at the beginning of a table gives.
pub(super) enum Look {
    Found(Dialect),
    /// A quotation mark of the header is at fault, whatever the separator.
    Broken(Fault),
    /// The header does not end in what was looked at.
    NeedsMore,
}

/// Tells the separator of a table that begins with `start`: the one under which all required columns are there. Is it the
/// whole table, its last line needs no end.
///
/// # Errors
/// [`TableError`] when no separator gives the required columns, or several do.
pub(super) fn look(start: &[u8], is_whole: bool, columns: &[Column]) -> Result<Look, TableError> {
    let Some((said, skipped)) = first_line(start, is_whole) else { return Ok(Look::NeedsMore) };
    let rest = &start[skipped..];
    let mut candidates = Vec::new();
    let mut broken = None;
    for separator in SEPARATORS.iter().map(|(byte, _)| *byte).filter(|_| said.is_none()).chain(said) {
        match header(rest, is_whole, separator)? {
            Head::Names(header) => candidates.push(Dialect { separator, header, skipped }),
            Head::Broken(fault) => {
                broken.get_or_insert(fault);
            }
            Head::NeedsMore => return Ok(Look::NeedsMore),
        }
    }
    if let (true, Some(fault)) = (candidates.is_empty(), broken) {
        return Ok(Look::Broken(fault));
    }
    if candidates.iter().all(|candidate| candidate.header.is_empty()) {
        return Err(TableError::Empty);
    }
    let missing = |candidate: &Dialect| {
        let is_missing = |column: &&Column| {
            let only = std::slice::from_ref(*column);
            matches!(columns::find(&candidate.header, only), Err(TableError::MissingColumn { .. }))
        };
        columns.iter().filter(is_missing).count()
    };
    // A header without the separator is one column: that says nothing for it, and comes last.
    let lacks = |candidate: &Dialect| (missing(candidate), candidate.header.len() < 2);
    let Some(fewest) = candidates.iter().map(lacks).min() else { return Err(TableError::Empty) };
    candidates.retain(|candidate| lacks(candidate) == fewest);
    // Where columns are missing, the reading with the most columns tells best what is there.
    if fewest.0 > 0 {
        candidates.sort_by_key(|candidate| std::cmp::Reverse(candidate.header.len()));
        candidates.truncate(1);
    }
    // One column: whatever would separate further ones, a comma among them, makes rows too long, and they are refused.
    if fewest.1 {
        candidates.truncate(1);
    }
    let mut candidates = candidates.into_iter();
    match (candidates.next(), candidates.next()) {
        (Some(first), Some(second)) => Err(TableError::AmbiguousSeparator {
            first: name(first.separator),
            second: name(second.separator),
        }),
        (Some(only), None) => Ok(Look::Found(only)),
        (None, _) => Err(TableError::Empty),
    }
}

/// The separator that Excel's first line `sep=;` names, and the length of that line; `None` where more bytes are needed to
/// tell.
fn first_line(start: &[u8], is_whole: bool) -> Option<(Option<u8>, usize)> {
    const LONGEST: usize = b"\"sep=;\"\r\n".len();
    if start.len() < LONGEST && !is_whole {
        return None;
    }
    let line = start.iter().take(LONGEST).position(|byte| b"\r\n".contains(byte)).unwrap_or(start.len());
    let text = start[..line].trim_ascii();
    let text = text.strip_prefix(b"\"").and_then(|text| text.strip_suffix(b"\"")).unwrap_or(text);
    match text {
        [s, e, p, b'=', separator] if [*s, *e, *p].eq_ignore_ascii_case(b"sep") && *separator != b'"' => {
            let end = if start[line..].starts_with(b"\r\n") { line + 2 } else { (line + 1).min(start.len()) };
            Some((Some(*separator), end))
        }
        // A tab at the end was trimmed away.
        [s, e, p, b'='] if [*s, *e, *p].eq_ignore_ascii_case(b"sep") && start[..line].contains(&b'\t') => {
            let end = if start[line..].starts_with(b"\r\n") { line + 2 } else { (line + 1).min(start.len()) };
            Some((Some(b'\t'), end))
        }
        _ => Some((None, 0)),
    }
}

/// The header under a separator.
enum Head {
    Names(Vec<String>),
    Broken(Fault),
    /// It does not end in what was looked at.
    NeedsMore,
}

fn header(start: &[u8], is_whole: bool, separator: u8) -> Result<Head, TableError> {
    let mut record = Record::default();
    let mut scanner = Scanner::new(start, separator, 1);
    match scanner.read(&mut record) {
        Ok(true)
            if is_whole
                || !scanner.into_input().is_empty()
                || start.ends_with(b"\n")
                || start.ends_with(b"\r") => {}
        Ok(false) if is_whole => {}
        Ok(_) => return Ok(Head::NeedsMore),
        Err(Fault::Unclosed { .. }) if !is_whole => return Ok(Head::NeedsMore),
        Err(Fault::Nul { line }) => return Err(TableError::Nul { line }),
        Err(Fault::Cells { limit } | Fault::Bytes { limit, .. }) => {
            return Err(TableError::LongHeader { limit });
        }
        Err(fault) => return Ok(Head::Broken(fault)),
    }
    let names =
        record.cells().map(|(_, name)| unguard_cell(String::from_utf8_lossy(name).trim()).trim().to_owned());
    Ok(Head::Names(names.collect()))
}
