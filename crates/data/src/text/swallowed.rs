//! Rows within a quoted cell: two marks are missing, and what lies between is taken for one text.

use super::scanner::Record;

/// The line, counted from the record's first as 0, that is a row of its own: it has as many cells as the header, or more, and one
/// of them is of the same make as the record's cell of that column, such as a path with the same ending or the next number.
///
/// Reports have lines with commas too, but none that begins like the row does.
pub(super) fn find(record: &Record, separator: u8, width: usize) -> Option<usize> {
    within(record, record, separator, width)
}

/// The same of a header, whose cells are names of columns: its lines are compared with the first row.
pub(super) fn find_in_header(header: &Record, row: &Record, separator: u8, width: usize) -> Option<usize> {
    within(header, row, separator, width)
}

/// A line of `record` that is a row like `model`.
///
/// A row of more cells has separators in its text, which is in the record's broken cells: what is on the left of the first of
/// them is told by its place from the left, and what is on the right of the last from the right.
fn within(record: &Record, model: &Record, separator: u8, width: usize) -> Option<usize> {
    let breaks: Vec<usize> =
        record.cells().enumerate().filter(|(_, (cell, _))| cell.has_break).map(|(index, _)| index).collect();
    let (&first, &last) = breaks.first().zip(breaks.last())?;
    // Of numbers in turn: how far a line is from the model.
    let ahead = |offset: u64| model.line.checked_sub(record.line + offset).unwrap_or(offset);
    lines(&record.raw).enumerate().skip(1).find_map(|(offset, line)| {
        let cells: Vec<&[u8]> = line.split(|byte| *byte == separator).collect();
        let more = cells.len().checked_sub(width).filter(|_| width > 1)?;
        let is_row = model.cells().enumerate().any(|(index, (cell, ours))| {
            let place = if index < first || more == 0 {
                index
            } else if index > last {
                index + more
            } else {
                return false;
            };
            let Some(theirs) = cells.get(place).filter(|_| !cell.has_break) else { return false };
            let theirs = theirs.strip_prefix(b"\"").unwrap_or(theirs);
            let theirs = theirs.strip_suffix(b"\"").unwrap_or(theirs);
            // A number, a comma and a space begin an item of a list.
            let is_item = cells.get(place + 1).is_some_and(|cell| cell.starts_with(b" "));
            let next = (more == 0 && !is_item).then(|| ahead(offset as u64));
            is_alike(ours.trim_ascii(), theirs.trim_ascii(), next)
        });
        is_row.then_some(offset)
    })
}

/// Lines, whatever ends them.
fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let Some(end) = text.iter().position(|byte| b"\r\n".contains(byte)) else { return rest.take() };
        let next = if text[end..].starts_with(b"\r\n") { end + 2 } else { end + 1 };
        rest = Some(&text[next..]);
        Some(&text[..end])
    })
}

/// Whether two cells are names of the same make; of short numbers, whether they are so far from each other.
fn is_alike(ours: &[u8], theirs: &[u8], next: Option<u64>) -> bool {
    if let (Some(ours), Some(theirs)) = (ending(ours), ending(theirs)) {
        return ours.eq_ignore_ascii_case(theirs);
    }
    let (Some(our_make), Some(their_make)) = (make(ours), make(theirs)) else { return false };
    if our_make == b"0" {
        // Short numbers are in every text: only the next one is taken for a name.
        let number = |text: &[u8]| std::str::from_utf8(text).ok()?.parse::<u64>().ok();
        let is_next = number(ours)
            .zip(number(theirs))
            .zip(next)
            .is_some_and(|((ours, theirs), next)| ours.checked_add(next) == Some(theirs));
        return their_make == our_make && (is_next || ours.len() >= 5 && ours.len() == theirs.len());
    }
    our_make == their_make
}

/// The ending of a file's name.
fn ending(cell: &[u8]) -> Option<&[u8]> {
    let dot = cell.iter().rposition(|byte| *byte == b'.')?;
    let end = &cell[dot + 1..];
    let is_one = dot > 0
        && (2..=7).contains(&end.len())
        && end.iter().all(u8::is_ascii_alphanumeric)
        && end[0].is_ascii_alphabetic();
    is_one.then_some(end)
}

/// An identifier with its numbers as 0: `CXR17_IM-0482` is of the make `cxr0_im-0`. `None` of words and of plain decimals.
fn make(cell: &[u8]) -> Option<Vec<u8>> {
    let mut make = Vec::new();
    for &byte in cell {
        match byte {
            b'0'..=b'9' if make.last() == Some(&b'0') => {}
            b'0'..=b'9' => make.push(b'0'),
            _ if byte.is_ascii_whitespace() => return None,
            _ => make.push(byte.to_ascii_lowercase()),
        }
    }
    let is_name =
        make.contains(&b'0') && !matches!(&make[..], b"0.0" | b"-0.0" | b"-0" | b"0%" | b"0." | b"0)");
    is_name.then_some(make)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_alike_and_words_are_not() {
        let alike = [
            ("a.png", "b.PNG"),
            ("m/a.png", "m/b c.png"),
            ("CXR1_IM-0001", "CXR22_IM-0482"),
            ("1.2.840.1", "1.2.840.2"),
            ("17", "18"),
            ("12345", "54321"),
        ];
        for (ours, theirs) in alike {
            assert!(is_alike(ours.as_bytes(), theirs.as_bytes(), Some(1)), "{ours} {theirs}");
        }
        let others = [
            ("a.png", "No effusion"),
            ("17", "1"),
            ("17", "15"),
            ("12", "No"),
            ("train", "lungs"),
            ("0.53", "1.2"),
            ("p12", "T12"),
            ("PA", "PA"),
            ("", ""),
        ];
        for (ours, theirs) in others {
            assert!(!is_alike(ours.as_bytes(), theirs.as_bytes(), Some(1)), "{ours} {theirs}");
        }
    }
}
