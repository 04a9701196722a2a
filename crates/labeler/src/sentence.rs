//! Report text → sentences.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use crate::heading::{Lead, is_section_name, lead};
use crate::layout::Layout;
use crate::lists::PhraseLists;
use crate::section::Section;
use crate::spoken::SpokenSigns;

/// One sentence of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sentence<'t> {
    /// The sentence as written, without heading, list number and surrounding white space.
    pub text: &'t str,
    /// Where it stands.
    pub section: Section,
    /// The heading above it as written; `None` where there is none.
    pub heading: Option<&'t str>,
}

/// The sentences of a report that say what was seen.
///
/// ```
/// let text = "INDICATION: Cough. FINDINGS: Nodule of 1.5 cm, Dr. XXXX informed. IMPRESSION: 1. Nodule. 2. Clear bases.";
/// let want = ["Nodule of 1.5 cm, Dr. XXXX informed.", "Nodule.", "Clear bases."];
/// assert_eq!(medclip_labeler::sentences(text), want);
/// ```
pub fn sentences(text: &str) -> Vec<&str> {
    split(text)
        .into_iter()
        .filter(|sentence| sentence.section == Section::Body)
        .map(|sentence| sentence.text)
        .collect()
}

/// Every sentence with its section.
///
/// A sentence ends at `.`, `?` or `!` before white space or a capital, at a spoken "period", at an empty line, and at a line
/// break that is no wrap: before a heading, list item or capital. Decimals, initials and common abbreviations do not end one.
/// "1. … 2. …" on one line is split when the numbers count up. Without a heading of findings, a paragraph of its own after the
/// context is what was seen.
pub fn split(text: &str) -> Vec<Sentence<'_>> {
    let written = written(text);
    let pieces = pieces(&written);
    let mut sentences = Vec::new();
    let mut section = Section::Body;
    let mut heading: Option<Range<usize>> = None;
    let mut filled = false;
    let has_body = pieces.iter().any(|piece| opens_body(&written, piece));
    for piece in &pieces {
        let mut range = trimmed(&written, piece.range.clone());
        let mut line = piece.line;
        if piece.paragraph && section == Section::Context && filled && !has_body {
            (section, heading) = (Section::Body, None);
        }
        while let Some((length, found)) = strip_lead(slice(&written, &range), line) {
            match found {
                Some(Lead::Heading { name, section: opened, .. }) => {
                    let at = range.start + offset(slice(&written, &range), name);
                    (section, heading, filled) = (opened, Some(at..at + name.len()), false);
                }
                Some(Lead::Topic) => {
                    if section == Section::Context {
                        (section, heading) = (Section::Body, None);
                    }
                    break;
                }
                None => {}
            }
            // What follows a list number or a heading may again be a topic or heading.
            line |= found.is_none();
            range = trimmed(&written, range.start + length..range.end);
        }
        if slice(&written, &range).contains(char::is_alphabetic) {
            filled = true;
            let heading = heading.clone().and_then(|range| text.get(range));
            sentences.push(Sentence { text: text.get(range).unwrap_or_default(), section, heading });
        }
    }
    sentences
}

/// A stretch between two sentence ends.
#[derive(Debug)]
struct Piece {
    range: Range<usize>,
    /// True when it begins a line.
    line: bool,
    /// True when it begins a paragraph: after an empty line.
    paragraph: bool,
}

static SPOKEN: LazyLock<SpokenSigns> = LazyLock::new(|| {
    PhraseLists::builtin()
        .and_then(|lists| SpokenSigns::new(&lists.words.spoken))
        .expect("the built-in lists, read by the tests")
});

/// `text` with its spoken signs as signs, byte for byte in the same places. A spoken stop becomes `!`, which always ends a sentence.
fn written(text: &str) -> Cow<'_, str> {
    let marks = SPOKEN.marks(text);
    if marks.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for mark in marks {
        out.push_str(text.get(at..mark.span.start).unwrap_or_default());
        out.extend(std::iter::repeat_n(' ', mark.span.len() - 1));
        out.push(if matches!(mark.sign, '.' | '?') { '!' } else { mark.sign });
        at = mark.span.end;
    }
    out.push_str(text.get(at..).unwrap_or_default());
    Cow::Owned(out)
}

fn slice<'t>(text: &'t str, range: &Range<usize>) -> &'t str {
    text.get(range.clone()).unwrap_or_default()
}

/// Where `part`, a slice of `whole`, begins in it.
fn offset(whole: &str, part: &str) -> usize {
    part.as_ptr().addr().saturating_sub(whole.as_ptr().addr())
}

/// `range` without white space at its ends and signs at its beginning that end or join other sentences.
fn trimmed(text: &str, range: Range<usize>) -> Range<usize> {
    let whole = slice(text, &range);
    let rest = whole.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '!'));
    let start = range.start + (whole.len() - rest.len());
    start..start + rest.trim_end().len()
}

/// True when the piece begins with a heading of findings.
fn opens_body(text: &str, piece: &Piece) -> bool {
    let found = lead(slice(text, &trimmed(text, piece.range.clone())), piece.line);
    matches!(found, Some(Lead::Heading { section: Section::Body, .. }))
}

static MARKER: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^(?:\(?[0-9]{1,2}[.)](?:\s|$|[A-Za-z])|\([a-hA-H]\)\s|[a-h][.)]\s|[-*•·–—]+\s|\.+|(?i:Q|A|question|answer)[ \t]*:)")
        .expect("a constant pattern, compiled by the tests")
});

/// The length of one heading, list marker or bullet, and the heading or topic. A topic has no length: it is text.
fn strip_lead(text: &str, line: bool) -> Option<(usize, Option<Lead<'_>>)> {
    match lead(text, line) {
        Some(found @ Lead::Heading { length, .. }) => return Some((length, Some(found))),
        Some(Lead::Topic) if MARKER.find(text).is_none() => return Some((0, Some(Lead::Topic))),
        _ => {}
    }
    let found = MARKER.find(text)?;
    // The letter after "1." belongs to the text.
    let digits = found.as_str().contains(|c: char| c.is_ascii_digit());
    let end =
        if digits { found.as_str().trim_end_matches(|c: char| c.is_alphabetic()).len() } else { found.len() };
    Some((end, None))
}

/// Cuts at sentence ends, leaving headings and markers in place.
fn pieces(text: &str) -> Vec<Piece> {
    let layout = Layout::new(text);
    let mut cutter = Cutter {
        text,
        pieces: Vec::new(),
        start: 0,
        content: 0,
        open: true,
        number: 0,
        line: true,
        paragraph: false,
    };
    let (mut line_start, mut word_start) = (0, 0);
    for (index, c) in text.char_indices() {
        let next = index + c.len_utf8();
        if cutter.open && !c.is_whitespace() && index >= cutter.start {
            cutter.begin(index);
        }
        match c {
            '!' => cutter.cut(next, false, false),
            '?' if !asks_before(text, index) => cutter.cut(next, false, false),
            '.' | ')' => {
                let word = text.get(word_start..index).unwrap_or_default();
                if let Some(at) = cutter.next_item(index) {
                    cutter.cut(at, false, false);
                    cutter.begin(at);
                } else if c == '.'
                    && cutter.ends_sentence(word, word_start, text.get(next..).unwrap_or_default())
                {
                    cutter.cut(next, false, false);
                }
            }
            '\n' => {
                let before = text.get(line_start..index).unwrap_or_default();
                let after = text.get(next..).unwrap_or_default();
                let after = after.split_once('\n').map_or(after, |(line, _)| line);
                let item = MARKER.is_match(after.trim_start());
                if item || layout.ends(before, after) {
                    cutter.cut(next, true, before.trim().is_empty());
                }
                line_start = next;
            }
            ':' if word_start > cutter.content => {
                // "… cough IMPRESSION: clear"
                let word = text.get(word_start..index).unwrap_or_default();
                if word.starts_with(char::is_uppercase) && is_section_name(word) {
                    cutter.cut(word_start, false, false);
                    cutter.begin(word_start);
                }
            }
            _ => {}
        }
        if c.is_whitespace() || c == '(' {
            word_start = next;
        }
    }
    cutter.cut(text.len(), false, false);
    cutter.pieces
}

/// True for the question mark of "?pneumonia" and "(? pneumonia)", which ends nothing.
fn asks_before(text: &str, index: usize) -> bool {
    let before = text.get(..index).unwrap_or_default();
    let after = text.get(index + 1..).unwrap_or_default();
    let spaced = before.is_empty() || before.ends_with(|c: char| c.is_whitespace() || c == '(');
    spaced && after.trim_start_matches(' ').starts_with(char::is_alphanumeric)
}

/// Pieces found so far and the one being read.
struct Cutter<'t> {
    text: &'t str,
    pieces: Vec<Piece>,
    start: usize,
    /// Where the piece's first character after white space and heading stands.
    content: usize,
    /// True until that character is found.
    open: bool,
    /// The number of the last list item.
    number: u32,
    line: bool,
    paragraph: bool,
}

/// Abbreviations whose full stop does not end a sentence.
const ABBREVIATIONS: [&str; 18] = [
    "dr", "mr", "mrs", "ms", "prof", "st", "vs", "eg", "e.g", "ie", "i.e", "approx", "ca", "cf", "fig",
    "resp", "incl", "s.p",
];

impl Cutter<'_> {
    fn begin(&mut self, at: usize) {
        self.content = at;
        self.open = false;
        let rest = self.text.get(at..).unwrap_or_default();
        if let Some(Lead::Heading { length, .. }) = lead(rest, self.line) {
            let rest = rest.get(length..).unwrap_or_default();
            self.content = at + length + (rest.len() - rest.trim_start().len());
        }
    }

    /// Ends the piece at `end`; the next begins a line or a paragraph when so said.
    fn cut(&mut self, end: usize, line: bool, paragraph: bool) {
        let piece = self.text.get(self.content.min(end)..end).unwrap_or_default();
        self.number = leading_number(piece).unwrap_or(self.number);
        let empty = self.open;
        self.pieces.push(Piece { range: self.start..end, line: self.line, paragraph: self.paragraph });
        // White space alone leaves what was known of the next piece's place.
        self.line = line || empty && self.line;
        self.paragraph = paragraph || empty && self.paragraph;
        (self.start, self.content, self.open) = (end, end, true);
    }

    /// True when the full stop after `word` ends a sentence.
    fn ends_sentence(&self, word: &str, word_start: usize, after: &str) -> bool {
        let is_number = !word.is_empty() && word.len() < 3 && word.bytes().all(|byte| byte.is_ascii_digit());
        if is_number && word_start <= self.content {
            return false;
        }
        if ABBREVIATIONS.iter().any(|known| word.eq_ignore_ascii_case(known)) {
            return false;
        }
        let long = word.chars().nth(2).is_some() && word.ends_with(char::is_alphabetic);
        let longer = word.chars().nth(3).is_some();
        match after.chars().next() {
            None | Some('.') => true,
            Some(c) if c.is_whitespace() => {
                !after.trim_start().starts_with(char::is_lowercase) || word.len() > 3
            }
            Some(c) if c.is_uppercase() => long && (word.ends_with(char::is_lowercase) || longer),
            Some(c) if c.is_lowercase() => long && longer,
            // "pneumonia.2.No effusion"
            Some(c) if c.is_ascii_digit() => {
                let digits = after.bytes().take_while(u8::is_ascii_digit).count();
                long && digits <= 2 && after.get(digits..).is_some_and(|rest| rest.starts_with(['.', ')']))
            }
            Some(_) => false,
        }
    }

    /// Where the list item after the last one begins without a sentence end: "1. Clear lungs 2. Large heart".
    fn next_item(&self, index: usize) -> Option<usize> {
        let before = self.text.get(self.content..index)?;
        let digits = before.bytes().rev().take(3).take_while(u8::is_ascii_digit).count();
        let (head, item) = before.split_at_checked(before.len() - digits)?;
        let previous = leading_number(head).unwrap_or(self.number);
        if previous == 0 || item.parse() != Ok(previous + 1) {
            return None;
        }
        let after = self.text.get(index + 1..)?;
        let begins = head.ends_with(char::is_whitespace)
            && after.starts_with(char::is_whitespace)
            && after.trim_start().starts_with(char::is_alphabetic);
        (begins && head.contains(char::is_alphabetic)).then_some(self.content + head.len())
    }
}

/// The number of a piece that begins as a list item.
fn leading_number(piece: &str) -> Option<u32> {
    let piece = piece.trim_start_matches('(');
    let end = piece.bytes().take(3).position(|byte| !byte.is_ascii_digit())?;
    let (digits, rest) = piece.split_at_checked(end)?;
    if !rest.starts_with(['.', ')']) {
        return None;
    }
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits() {
        for (text, want) in [
            ("", vec![]),
            (" . .. 3. ", vec![]),
            ("Clear lungs. Normal heart", vec!["Clear lungs.", "Normal heart"]),
            ("Nodule of 1.5 cm in the apex. Stable.", vec!["Nodule of 1.5 cm in the apex.", "Stable."]),
            ("Seen by Dr. Who vs. prior. Stable.", vec!["Seen by Dr. Who vs. prior.", "Stable."]),
            ("XXXX XXXX. The XXXX is XXXX.", vec!["XXXX XXXX.", "The XXXX is XXXX."]),
            ("Scar in the apex.There is a cyst.", vec!["Scar in the apex.", "There is a cyst."]),
            (
                "1. Clear lungs. 2. Large heart. 3. Old rib fractures.",
                vec!["Clear lungs.", "Large heart.", "Old rib fractures."],
            ),
            ("1. Clear lungs 2. Large heart 3) Scar", vec!["Clear lungs", "Large heart", "Scar"]),
            ("1) Clear lungs\n2) Large heart", vec!["Clear lungs", "Large heart"]),
            ("- Clear lungs\n- Large heart", vec!["Clear lungs", "Large heart"]),
            ("Wrapped\nline. Next", vec!["Wrapped\nline.", "Next"]),
            ("No stop\n\nNew block", vec!["No stop", "New block"]),
            ("Fluid at T12. Clear apex.", vec!["Fluid at T12.", "Clear apex."]),
            ("Stable since 2. Clear apex.", vec!["Stable since 2.", "Clear apex."]),
            ("Clear lungs.. Normal heart.", vec!["Clear lungs.", "Normal heart."]),
            ("Is there fluid? None!", vec!["Is there fluid?", "None!"]),
            ("FINDINGS: Clear.\nIMPRESSION: Normal.", vec!["Clear.", "Normal."]),
            ("FINDINGS:\nClear.\nIMPRESSION:\n1. Normal.", vec!["Clear.", "Normal."]),
            ("INDICATION: Pneumonia. FINDINGS: Clear.", vec!["Clear."]),
            ("Reason for exam: fever\nComparison: None.\nFindings and impression: Clear.", vec!["Clear."]),
            ("Große Kardiomegalie. 肺は清明. Ok.", vec!["Große Kardiomegalie.", "肺は清明.", "Ok."]),
        ] {
            assert_eq!(sentences(text), want, "{text:?}");
        }
    }

    #[test]
    fn keeps_context_apart() {
        let found = split("HISTORY: Cough. FINDINGS: Clear.");
        assert_eq!(found.len(), 2);
        assert_eq!(
            found[0],
            Sentence { text: "Cough.", section: Section::Context, heading: Some("HISTORY") }
        );
        assert_eq!(found[1], Sentence { text: "Clear.", section: Section::Body, heading: Some("FINDINGS") });
    }
}
