//! Foreign text on a terminal or in a log.
//!
//! Names of files, DICOM attributes, class names and messages of libraries may hold characters that a terminal obeys
//! (escape sequences, carriage returns) or that show text in another order than it has. [`Escaped`] writes them as
//! `\u{1b}`, with the number of the character in hexadecimal. All other text stays as it is, whatever its script.
//!
//! Escaping twice gives the same text as escaping once, so a message may quote text that is escaped already.

#[cfg(feature = "tables")]
mod table;

use std::borrow::Cow;
use std::fmt::{self, Display, Write as _};
use std::io::{self, Write};

#[cfg(feature = "tables")]
pub use table::TextTable;

/// Whether a terminal or a reader could take `c` for something else than a letter: control characters (C0, DEL, C1), line
/// and paragraph separators (U+2028, U+2029), and the marks that change the direction of text.
pub const fn is_harmful(c: char) -> bool {
    c.is_ascii_control()
        || matches!(
            c,
            '\u{80}'..='\u{9f}'
                | '\u{61c}'
                | '\u{200e}'
                | '\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2066}'..='\u{2069}'
        )
}

/// Shows a value on one line, without [harmful](is_harmful) characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Escaped<T>(pub T);

impl<T: Display> Display for Escaped<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(Pieces(f), "{}", self.0)
    }
}

/// A text without harmful characters; line breaks are among them.
pub fn escape(text: &str) -> Cow<'_, str> {
    if text.contains(is_harmful) { Escaped(text).to_string().into() } else { text.into() }
}

/// JSON text of the same value in which harmful characters of strings are written as `\u009b`.
///
/// `serde_json` escapes C0 already and leaves the others as they are.
pub fn escape_json(json: &str) -> Cow<'_, str> {
    // Outside of strings JSON has no harmful character but the breaks and tabs between its tokens.
    let stays = |c: char| !is_harmful(c) || matches!(c, '\n' | '\r' | '\t');
    if json.chars().all(stays) {
        return json.into();
    }
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        if stays(c) {
            text.push(c);
        } else {
            // All of them have four digits. Writing to a string cannot fail.
            let _ = write!(text, "\\u{:04x}", u32::from(c));
        }
    }
    text.into()
}

/// Escapes what is written through it.
struct Pieces<'a, 'b>(&'a mut fmt::Formatter<'b>);

impl fmt::Write for Pieces<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        pieces(text, is_harmful, |piece| self.0.write_str(piece))
    }
}

/// Hands `text` on in pieces, characters that are `escaped` as their escapes.
fn pieces<E>(
    text: &str,
    escaped: impl Fn(char) -> bool,
    mut sink: impl FnMut(&str) -> Result<(), E>,
) -> Result<(), E> {
    let mut rest = text;
    while let Some((at, c)) = rest.char_indices().find(|(_, c)| escaped(*c)) {
        sink(&rest[..at])?;
        sink(&format!("\\u{{{:x}}}", u32::from(c)))?;
        rest = &rest[at + c.len_utf8()..];
    }
    sink(rest)
}

/// Writes text for people with its harmful characters escaped. Line feeds stay: they end the writer's own lines.
///
/// Bytes that are not UTF-8 are written as `\x9b`, since some terminals obey them too.
#[derive(Debug)]
pub struct EscapingWriter<W> {
    inner: W,
    /// The first bytes of a character whose rest is still to come.
    begun: Vec<u8>,
}

impl<W: Write> EscapingWriter<W> {
    /// A writer to `inner`.
    pub const fn new(inner: W) -> Self {
        Self { inner, begun: Vec::new() }
    }
}

impl<W: Write> Write for EscapingWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut all = std::mem::take(&mut self.begun);
        all.extend_from_slice(bytes);
        let mut chunks = all.utf8_chunks().peekable();
        while let Some(chunk) = chunks.next() {
            let inner = &mut self.inner;
            pieces(chunk.valid(), |c| is_harmful(c) && c != '\n', |piece| inner.write_all(piece.as_bytes()))?;
            let invalid = chunk.invalid();
            if chunks.peek().is_none() && is_begun(invalid) {
                self.begun = invalid.to_vec();
            } else {
                invalid.iter().try_for_each(|byte| write!(self.inner, "\\x{byte:02x}"))?;
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Whether more bytes can make a character of these, which end a text.
fn is_begun(bytes: &[u8]) -> bool {
    !bytes.is_empty() && std::str::from_utf8(bytes).is_err_and(|error| error.error_len().is_none())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn harmful_characters_become_visible_and_others_stay() {
        for (text, shown) in [
            ("a\u{1b}[31mred\u{7}", "a\\u{1b}[31mred\\u{7}"),
            ("a\rb\nc\td\0", "a\\u{d}b\\u{a}c\\u{9}d\\u{0}"),
            ("\u{7f}\u{80}\u{9b}2J\u{9f}", "\\u{7f}\\u{80}\\u{9b}2J\\u{9f}"),
            ("\u{202e}gnp.\u{2066}x\u{2069}", "\\u{202e}gnp.\\u{2066}x\\u{2069}"),
            ("\u{61c}\u{200e}\u{200f}\u{2028}\u{2029}", "\\u{61c}\\u{200e}\\u{200f}\\u{2028}\\u{2029}"),
            ("Müller 漢字 العربية 👩‍⚕️ \u{a0}\\u C:\\x1b", "Müller 漢字 العربية 👩‍⚕️ \u{a0}\\u C:\\x1b"),
        ] {
            assert_eq!(escape(text), shown);
            assert_eq!(Escaped(text).to_string(), shown);
        }
    }

    #[test]
    fn json_keeps_its_value() {
        let value = serde_json::json!({"a\u{9b}": ["\u{1b}\u{7f}\u{202e}\u{2028} ä\n\r"], "b": 1});
        for json in [value.to_string(), serde_json::to_string_pretty(&value).unwrap()] {
            let escaped = escape_json(&json);
            assert!(!escaped.chars().any(|c| is_harmful(c) && c != '\n'), "{escaped}");
            assert!(escaped.contains("\\u009b") && escaped.contains('ä'), "{escaped}");
            assert_eq!(serde_json::from_str::<serde_json::Value>(&escaped).unwrap(), value);
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_shown() {
        let mut out = EscapingWriter::new(Vec::new());
        out.write_all(b"a\x9b2J\xff\n\xe6").unwrap();
        out.write_all(b"\xbc\xa2\xc2").unwrap();
        out.write_all(b"\x9bz\xe6").unwrap();
        out.write_all(b"z\r\n").unwrap();
        assert_eq!(String::from_utf8(out.inner).unwrap(), "a\\x9b2J\\xff\n漢\\u{9b}z\\xe6z\\u{d}\n");
    }

    proptest! {
        #[test]
        fn escaping_is_complete_and_stable(text: String, cuts: Vec<u8>) {
            let once = escape(&text).into_owned();
            prop_assert!(!once.contains(is_harmful));
            prop_assert_eq!(escape(&once), once.as_str());

            // However the bytes arrive, the same text leaves.
            let mut out = EscapingWriter::new(Vec::new());
            let mut bytes = text.as_bytes();
            for cut in cuts {
                let (first, rest) = bytes.split_at(usize::from(cut).min(bytes.len()));
                out.write_all(first).unwrap();
                bytes = rest;
            }
            out.write_all(bytes).unwrap();
            let whole: Vec<_> = text.split('\n').map(escape).collect();
            prop_assert_eq!(String::from_utf8(out.inner).unwrap(), whole.join("\n"));
        }
    }
}
