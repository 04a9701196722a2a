//! Report text → sentences.

use std::sync::LazyLock;

use regex::Regex;

/// What part of a report a sentence stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Section {
    /// Findings, impression, or text without a heading: what was seen.
    Body,
    /// Indication, history, technique, comparison: why and how the study was made.
    Context,
}

/// One sentence of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sentence<'t> {
    /// The sentence as written, without heading, list number and surrounding white space.
    pub text: &'t str,
    /// Where it stands.
    pub section: Section,
}

/// The sentences of a report that say what was seen.
///
/// ```
/// let text = "INDICATION: Cough. FINDINGS: Nodule of 1.5 cm, Dr. XXXX informed. IMPRESSION: 1. Nodule. 2. Clear bases.";
/// let want = ["Nodule of 1.5 cm, Dr. XXXX informed.", "Nodule.", "Clear bases."];
/// assert_eq!(medclip_report::sentences(text), want);
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
/// A sentence ends at `.`, `?` or `!` before white space or a capital, at an empty line, and before a heading or list
/// item that begins a line. Decimals, initials and common abbreviations do not end one. "1. … 2. …" on one line is split when the
/// numbers count up.
pub fn split(text: &str) -> Vec<Sentence<'_>> {
    let mut sentences = Vec::new();
    let mut section = Section::Body;
    for piece in pieces(text) {
        let mut rest = piece.trim();
        while let Some((after, found)) = strip_lead(rest) {
            section = found.unwrap_or(section);
            rest = after.trim_start();
        }
        if rest.contains(char::is_alphabetic) {
            sentences.push(Sentence { text: rest, section });
        }
    }
    sentences
}

static HEADING: LazyLock<Regex> = LazyLock::new(|| {
    let body = "findings?|impressions?|conclusions?|report|results?|observations?|assessment|addendum";
    let context = "(?:clinical )?(?:indications?|history|information|data)|reason for (?:exam(?:ination)?|study)|technique|\
                   procedures?|comparisons?|exam(?:ination)?|study|views?|date|recommendations?";
    Regex::new(&format!(
        r"^(?i:(?:final |clinical )?(?:(?<body>{body})|(?<context>{context})))(?: (?i:and|/|&) (?i:{body}))?(?:[ \t]*:|[ \t]*\r?\n)"
    ))
    .expect("a constant pattern, compiled by the tests")
});

static CAPITALS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^[A-Z][A-Z /&]{2,40}:[ \t\r]*(?:\n|$)").expect("a constant pattern, compiled by the tests")
});

static MARKER: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^(?:\(?[0-9]{1,2}[.)](?:\s|$|[A-Za-z])|[-*•·–—]+\s|\.+)")
        .expect("a constant pattern, compiled by the tests")
});

/// Strips one heading, list marker or bullet, and says which section a heading opens.
fn strip_lead(text: &str) -> Option<(&str, Option<Section>)> {
    if let Some(found) = HEADING.captures(text) {
        let section = if found.name("context").is_some() { Section::Context } else { Section::Body };
        return text.get(found.get_match().end()..).map(|rest| (rest, Some(section)));
    }
    if let Some(found) = CAPITALS.find(text) {
        return text.get(found.end()..).map(|rest| (rest, Some(Section::Body)));
    }
    let found = MARKER.find(text)?;
    let end = found.as_str().trim_end_matches(|c: char| c.is_alphabetic()).len();
    text.get(end..).map(|rest| (rest, None))
}

/// Cuts at sentence ends, leaving headings and markers in place.
fn pieces(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut start = 0;
    let mut number = 0;
    for (index, c) in text.char_indices() {
        let (before, after) = (text.get(start..index).unwrap_or(""), text.get(index + 1..).unwrap_or(""));
        let end = match c {
            '?' | '!' => index + 1,
            '.' | ')' => match next_item(before, after, number) {
                Some(offset) => start + offset,
                None if c == '.' && ends_sentence(before, after) => index + 1,
                None => continue,
            },
            '\n' if begins_block(after) => index + 1,
            _ => continue,
        };
        let piece = text.get(start..end).unwrap_or("");
        number = leading_number(piece).unwrap_or(number);
        pieces.push(piece);
        start = end;
    }
    pieces.extend(text.get(start..));
    pieces
}

/// Abbreviations whose full stop does not end a sentence.
const ABBREVIATIONS: [&str; 18] = [
    "dr", "mr", "mrs", "ms", "prof", "st", "vs", "eg", "e.g", "ie", "i.e", "approx", "ca", "cf", "fig",
    "resp", "incl", "s.p",
];

/// True when the full stop between `before` and `after` ends a sentence.
fn ends_sentence(before: &str, after: &str) -> bool {
    let word = before.rsplit(|c: char| c.is_whitespace() || c == '(').next().unwrap_or("");
    let is_number = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
    if is_number && before.trim().len() == word.len() {
        return false;
    }
    if ABBREVIATIONS.iter().any(|known| word.eq_ignore_ascii_case(known)) {
        return false;
    }
    match after.chars().next() {
        None | Some('.') => true,
        Some(c) if c.is_whitespace() => !after.trim_start().starts_with(char::is_lowercase) || word.len() > 3,
        Some(c) if c.is_uppercase() => word.chars().count() > 2 && word.ends_with(char::is_lowercase),
        Some(_) => false,
    }
}

/// Where in `before` the list item after `number` begins without a sentence end: "1. Clear lungs 2. Large heart".
fn next_item(before: &str, after: &str, number: u32) -> Option<usize> {
    let digits = before.bytes().rev().take_while(u8::is_ascii_digit).count();
    let (head, item) = before.split_at_checked(before.len() - digits)?;
    let previous = leading_number(head).unwrap_or(number);
    let counts_up = previous > 0 && item.parse() == Ok(previous + 1);
    let begins = head.ends_with(char::is_whitespace)
        && after.starts_with(char::is_whitespace)
        && after.trim_start().starts_with(char::is_uppercase);
    (counts_up && begins && head.contains(char::is_alphabetic)).then_some(head.len())
}

/// The number of a piece that begins as a list item.
fn leading_number(piece: &str) -> Option<u32> {
    let piece = piece.trim_start().trim_start_matches('(');
    let end = piece.find(|c: char| !c.is_ascii_digit())?;
    let (digits, rest) = piece.split_at_checked(end)?;
    if digits.len() > 2 || !rest.starts_with(['.', ')']) {
        return None;
    }
    digits.parse().ok()
}

/// True when an empty line, heading, bullet or list item follows a line break.
fn begins_block(after: &str) -> bool {
    let line = after.trim_start_matches([' ', '\t', '\r']);
    line.starts_with('\n') || HEADING.is_match(line) || CAPITALS.is_match(line) || MARKER.is_match(line)
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
        assert_eq!(found[0], Sentence { text: "Cough.", section: Section::Context });
        assert_eq!(found[1], Sentence { text: "Clear.", section: Section::Body });
    }
}
