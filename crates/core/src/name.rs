//! Names as text: every name has one text, and every text names one thing.
//!
//! Names of files and of members of archives are bytes. Most are UTF-8 and stay as they are. What cannot stand in a text or
//! would do harm in one (bytes that are not UTF-8, control characters, marks that turn the reading direction) becomes `\xNN`,
//! two small hexadecimal digits a byte. A backslash that would read as such an escape becomes `\x5c`. So different names
//! never have the same text, and [`unescape`] gives the name back.

use std::fmt::Write as _;
use std::path::Path;

use crate::terminal::is_harmful;

/// Endings of archives, in small letters; a `!` behind one of them separates an archive from its member.
pub const ARCHIVE_ENDINGS: [&str; 4] = [".zip", ".tar", ".tar.gz", ".tgz"];

/// The text of a name.
pub fn escape(name: &[u8]) -> String {
    let mut text = String::with_capacity(name.len());
    let mut at = 0;
    for chunk in name.utf8_chunks() {
        for c in chunk.valid().chars() {
            let next = at + c.len_utf8();
            if is_harmful(c) || c == '\\' && is_escape(&name[at..]) {
                push_bytes(&mut text, &name[at..next]);
            } else {
                text.push(c);
            }
            at = next;
        }
        push_bytes(&mut text, chunk.invalid());
        at += chunk.invalid().len();
    }
    text
}

/// The name of a text.
pub fn unescape(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut name = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        if let Some(byte) = escaped(&bytes[at..]) {
            name.push(byte);
            at += 4;
        } else {
            name.push(bytes[at]);
            at += 1;
        }
    }
    name
}

/// The text of a path. A `!` that would read as the separator of a member is escaped too.
pub fn of_path(path: &Path) -> String {
    let text = escape(path.as_os_str().as_encoded_bytes());
    if !text.contains('!') {
        return text;
    }
    let mut safe = String::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        if c == '!' && ends_as_archive(&text[..at]) {
            push_bytes(&mut safe, b"!");
        } else {
            safe.push(c);
        }
    }
    safe
}

/// Archive and member of an id, as texts; none where it names a file.
pub fn split_member(id: &str) -> Option<(&str, &str)> {
    let at = id.match_indices('!').map(|(at, _)| at).find(|&at| ends_as_archive(&id[..at]))?;
    Some((&id[..at], &id[at + 1..]))
}

/// The text of a member that is the `number`-th of its name in the archive, from 1: `a.png`, then `a.png#2`. A name that ends
/// so itself always has its number.
pub fn numbered(text: String, number: u64) -> String {
    if number > 1 || ends_in_number(&text) { format!("{text}#{number}") } else { text }
}

/// The text of the name alone.
pub fn without_number(text: &str) -> &str {
    match text.rsplit_once('#') {
        Some((name, number)) if is_number(number) => name,
        _ => text,
    }
}

fn ends_in_number(text: &str) -> bool {
    text.rsplit_once('#').is_some_and(|(_, number)| is_number(number))
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn ends_as_archive(text: &str) -> bool {
    ARCHIVE_ENDINGS.iter().any(|ending| {
        let start = text.len().checked_sub(ending.len());
        start.and_then(|start| text.get(start..)).is_some_and(|end| end.eq_ignore_ascii_case(ending))
    })
}

fn push_bytes(text: &mut String, bytes: &[u8]) {
    for byte in bytes {
        // Writing to a string cannot fail.
        let _ = write!(text, "\\x{byte:02x}");
    }
}

fn is_escape(bytes: &[u8]) -> bool {
    escaped(bytes).is_some()
}

/// The byte of an escape at the start.
fn escaped(bytes: &[u8]) -> Option<u8> {
    let [b'\\', b'x', high, low] = *bytes.first_chunk()? else { return None };
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
    Some(digit(high)? << 4 | digit(low)?)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn plain_names_stay_as_they_are() {
        for name in ["a/b c.png", "ü/äöß.dcm", "C:\\films\\a.png", "a#b!c.png", "東京.jpg", ""] {
            assert_eq!(escape(name.as_bytes()), name);
            assert_eq!(of_path(Path::new(name)), name);
        }
        assert_eq!(escape(b"\x84M.png"), "\\x84M.png");
        assert_eq!(escape(b"a\x1b[31m\n"), "a\\x1b[31m\\x0a");
        assert_eq!(escape("a\u{202e}gnp".as_bytes()), "a\\xe2\\x80\\xaegnp");
        assert_eq!(escape("\u{200f}\u{61c}\u{2028}".as_bytes()), "\\xe2\\x80\\x8f\\xd8\\x9c\\xe2\\x80\\xa8");
    }

    #[test]
    fn no_two_names_have_the_same_text_and_every_name_comes_back() {
        // All short names of bytes that could be mixed up.
        let alphabet = [b'\\', b'x', b'5', b'c', b'8', 0x84, 0xc3, 0x0a];
        let mut names: Vec<Vec<u8>> = vec![Vec::new()];
        for _ in 0..6 {
            let longer = names.iter().flat_map(|name| alphabet.map(|byte| [&name[..], &[byte]].concat()));
            names = longer.chain([Vec::new()]).collect();
        }
        names.sort();
        names.dedup();
        let mut seen = HashMap::new();
        for name in names {
            let text = escape(&name);
            assert_eq!(unescape(&text), name, "{text}");
            assert!(!text.contains(char::is_control));
            if let Some(other) = seen.insert(text, name.clone()) {
                panic!("{other:?} and {name:?} have the same text");
            }
        }
    }

    #[test]
    fn members_are_told_from_files_and_from_their_namesakes() {
        assert_eq!(split_member("a/x.zip!b!c.png"), Some(("a/x.zip", "b!c.png")));
        assert_eq!(split_member("wow!/x.TAR.gz!c.png"), Some(("wow!/x.TAR.gz", "c.png")));
        assert_eq!(split_member("wow!/c.png"), None);
        let file = of_path(Path::new("a/x.zip!c.png"));
        assert_eq!((file.as_str(), split_member(&file)), ("a/x.zip\\x21c.png", None));
        assert_eq!(unescape(&file), b"a/x.zip!c.png");

        let of = |name: &str, number| numbered(name.to_owned(), number);
        assert_eq!([of("a.png", 1), of("a.png", 2), of("a.png#2", 1)], ["a.png", "a.png#2", "a.png#2#1"]);
        for (name, number) in [("a.png", 1), ("a.png", 12), ("a.png#2", 1), ("a#", 1), ("#1", 3)] {
            assert_eq!(without_number(&of(name, number)), name);
        }
    }
}
