//! Text that leaves the reader: nothing in it is lost, and nothing in it acts on a terminal.
//!
//! Bytes that the character set does not have, and control characters, are written `\xHH`, a byte each in lower case. A backslash
//! that would read as the start of such an escape is itself written `\x5c`. So two different texts never become one, and
//! replacing each `\xHH` by its byte gives back what the file holds.

use encoding_rs::{DecoderResult, Encoding};

/// Text without the spaces and zeros that pad it.
pub(super) fn trim(bytes: &[u8]) -> &[u8] {
    let is_padding = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, 0 | 0x0b);
    let start = bytes.iter().position(|byte| !is_padding(byte)).unwrap_or(bytes.len());
    let end = bytes.iter().rposition(|byte| !is_padding(byte)).map_or(start, |last| last + 1);
    &bytes[start..end]
}

/// A code or number up to the zero that ends it, without padding: what writers leave behind that is of another value.
pub(super) fn terminated(bytes: &[u8]) -> &[u8] {
    let bytes = trim(bytes);
    trim(bytes.split(|&byte| byte == 0).next().unwrap_or_default())
}

/// Text of the default character set, ASCII. Writers that use more without saying so mostly mean UTF-8, which nothing else
/// looks like.
pub(super) fn of_default(bytes: &[u8]) -> String {
    let mut text = Text::default();
    text.decode(encoding_rs::UTF_8, bytes);
    text.into_string()
}

/// Decoded characters, and the bytes that are none.
#[derive(Debug, Default)]
pub(super) struct Text {
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece {
    Char(char),
    Byte(u8),
}

impl Text {
    pub(super) fn extend(&mut self, chars: impl IntoIterator<Item = char>) {
        self.pieces.extend(chars.into_iter().map(Piece::Char));
    }

    /// Appends bytes that are no characters.
    pub(super) fn extend_bytes(&mut self, bytes: &[u8]) {
        self.pieces.extend(bytes.iter().map(|&byte| Piece::Byte(byte)));
    }

    /// Appends what an encoding makes of some bytes. Whether it made something of all of them.
    pub(super) fn decode(&mut self, encoding: &'static Encoding, bytes: &[u8]) -> bool {
        let mut decoder = encoding.new_decoder_without_bom_handling();
        let mut left = bytes;
        let mut whole = true;
        loop {
            let most = decoder.max_utf8_buffer_length_without_replacement(left.len());
            let mut decoded = String::with_capacity(most.unwrap_or(left.len()));
            let (result, read) = decoder.decode_to_string_without_replacement(left, &mut decoded, true);
            self.extend(decoded.chars());
            let (now, rest) = left.split_at(read);
            left = rest;
            match result {
                DecoderResult::InputEmpty => return whole,
                DecoderResult::OutputFull => {}
                DecoderResult::Malformed(bad, good) => {
                    whole = false;
                    let (bad, good) = (usize::from(bad), usize::from(good));
                    // The decoder has read `good` bytes beyond the bad ones: it is given them again, anew.
                    let end = now.len().saturating_sub(good);
                    self.extend_bytes(&now[end.saturating_sub(bad)..end]);
                    left = &bytes[bytes.len() - left.len() - (now.len() - end)..];
                    decoder = encoding.new_decoder_without_bom_handling();
                }
            }
        }
    }

    /// Appends the bytes as they are decoded, if all of them are.
    pub(super) fn decode_whole(&mut self, encoding: &'static Encoding, bytes: &[u8]) -> bool {
        let before = self.pieces.len();
        let whole = self.decode(encoding, bytes);
        if !whole {
            self.pieces.truncate(before);
        }
        whole
    }

    /// Whether some bytes are no characters.
    pub(super) fn has_bytes(&self) -> bool {
        self.pieces.iter().any(|piece| matches!(piece, Piece::Byte(_)))
    }

    pub(super) fn into_string(self) -> String {
        let mut text = String::with_capacity(self.pieces.len());
        for (index, &piece) in self.pieces.iter().enumerate() {
            match piece {
                Piece::Byte(byte) => escape(byte, &mut text),
                Piece::Char(char) if acts(char) => {
                    char.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| escape(byte, &mut text));
                }
                Piece::Char('\\') if self.looks_escaped(index) => escape(b'\\', &mut text),
                Piece::Char(char) => text.push(char),
            }
        }
        text
    }

    fn looks_escaped(&self, backslash: usize) -> bool {
        let is_hex = |piece: &Piece| matches!(piece, Piece::Char(char) if char.is_ascii_hexdigit());
        match self.pieces.get(backslash + 1..backslash + 4) {
            Some([Piece::Char('x'), digits @ ..]) => digits.iter().all(is_hex),
            _ => false,
        }
    }
}

/// Controls, and marks that turn or hide the text around them.
fn acts(char: char) -> bool {
    char.is_control()
        || matches!(char, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

fn escape(byte: u8, text: &mut String) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    text.push_str("\\x");
    text.extend([byte >> 4, byte & 15].map(|digit| char::from(DIGITS[usize::from(digit)])));
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    /// What the escapes stand for.
    fn bytes_of(text: &str) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut left = text.as_bytes();
        while let [first, rest @ ..] = left {
            let digits = left.strip_prefix(b"\\x").and_then(|rest| std::str::from_utf8(rest.get(..2)?).ok());
            if let Some(byte) = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
                bytes.push(byte);
                left = &left[4..];
            } else {
                bytes.push(*first);
                left = rest;
            }
        }
        bytes
    }

    #[test]
    fn different_bytes_are_different_text_and_come_back() {
        let mut seen = HashSet::new();
        for bytes in [
            &b"ID-1"[..],
            b"ID\\1",
            b"M\xfcller",
            b"M\\xfcller",
            b"M\\x5cxfcller",
            b"M\xc3\xbcller",
            b"\xe5\xbc",
            b"\xe5\xbc\xa0",
            b"\xff\\x",
            b"\\\xff",
            b"\\x5",
            b"\x1b[31mred",
            b"\\x1b[31mred",
            b"\x84\x31\xa4\x37",
            b"a\nb",
            "a\u{202e}b".as_bytes(),
            "a\u{85}b".as_bytes(),
        ] {
            let text = of_default(bytes);
            assert!(!text.chars().any(char::is_control), "{text:?}");
            assert_eq!(bytes_of(&text), bytes, "{text}");
            assert!(seen.insert(text.clone()), "{text}");
        }
        assert_eq!(of_default(b"M\xfcller"), "M\\xfcller");
        assert_eq!(of_default("Müller".as_bytes()), "Müller");
    }

    #[test]
    fn padding_is_no_part_of_a_text() {
        for text in [&b"1.2.3"[..], b"1.2.3\0", b"1.2.3 ", b"  1.2.3\0\0", b"1.2.3\r\n"] {
            assert_eq!(trim(text), b"1.2.3");
        }
        assert_eq!(trim(b"a b\0c "), b"a b\0c");
        assert_eq!(trim(b"\0 \0"), b"");
    }

    #[test]
    fn what_an_encoding_lacks_is_kept_as_bytes() {
        let decode = |encoding, bytes: &[u8]| {
            let mut text = Text::default();
            let whole = text.decode(encoding, bytes);
            assert_eq!(whole, !text.has_bytes());
            text.into_string()
        };
        assert_eq!(decode(encoding_rs::GB18030, b"\xd5\xc5\xc8\xfd-7"), "张三-7");
        // A first byte of two without its second, at the end and before ASCII.
        assert_eq!(decode(encoding_rs::GB18030, b"\xd5\xc5\xc8"), "张\\xc8");
        assert_eq!(decode(encoding_rs::GB18030, b"\xd5\x20\xd5\xc5"), "\\xd5 张");
        assert_eq!(decode(encoding_rs::EUC_KR, b"\xff\xb1\xe8"), "\\xff김");
        assert_eq!(decode(encoding_rs::SHIFT_JIS, b"\xd4\xcf\xc0\xde"), "ﾔﾏﾀﾞ");
    }
}
