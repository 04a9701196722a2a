//! `SpecificCharacterSet`: which characters the bytes of a text are (PS3.3, C.12.1.1.2; PS3.5, 6.1).

use dicom_core::Tag;
use dicom_dictionary_std::tags;
use encoding_rs::Encoding;

use super::element::DataSet;
use super::text::{self, Text};
use crate::note::Note;

/// The character sets of a data set.
#[derive(Debug)]
pub(crate) enum CharacterSets {
    /// One encoding for all bytes: UTF-8, GB18030, GBK, or what writers name that the standard does not.
    Whole(&'static Encoding),
    /// ASCII with another set in the upper half of bytes, and whatever escape sequences bring in.
    Extended {
        /// What bytes from 0x80 on are where a text starts.
        upper: Upper,
        /// Sets that may be meant where no escape sequence brings them in.
        further: Vec<Upper>,
    },
}

/// Characters of bytes from 0x80 on (G1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Upper {
    /// None.
    Ascii,
    /// A byte each, from 0xa0 on.
    Single(&'static Encoding),
    /// Latin-1.
    Latin1,
    /// JIS X 0201: half-width katakana. Japanese writers put Shift JIS here.
    Katakana,
    /// Two bytes each.
    Double(&'static Encoding),
}

/// Characters of bytes below 0x80 (G0).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lower {
    Ascii,
    /// JIS X 0208.
    Kanji,
    /// JIS X 0212.
    FurtherKanji,
}

/// What an escape sequence brings in.
enum Designation {
    Lower(Lower),
    Upper(Upper),
}

impl CharacterSets {
    pub(crate) fn of(data: &DataSet<'_>, notes: &mut Vec<Note>) -> Self {
        let value = data.text(tags::SPECIFIC_CHARACTER_SET).unwrap_or_default();
        let mut terms = Vec::new();
        for term in value.split('\\') {
            let found = Term::of(term);
            if found.is_none() {
                notes.push(Note::CharacterSetUnknown { value: term.trim().chars().take(32).collect() });
            }
            terms.push(found.unwrap_or(Term::Upper(Upper::Ascii)));
        }
        if let Some(whole) = terms.iter().find_map(|term| match term {
            Term::Whole(encoding) => Some(encoding),
            Term::Upper(_) => None,
        }) {
            return Self::Whole(whole);
        }
        let mut uppers = terms.into_iter().filter_map(|term| match term {
            Term::Upper(upper) => Some(upper),
            Term::Whole(_) => None,
        });
        Self::Extended { upper: uppers.next().unwrap_or(Upper::Ascii), further: uppers.collect() }
    }

    /// A text without its padding, see [`text`]; none where nothing is left. `attribute` is noted if some bytes are no
    /// characters of its set.
    pub(crate) fn text(
        &self,
        data: &DataSet<'_>,
        tag: Tag,
        attribute: &'static str,
        notes: &mut Vec<Note>,
    ) -> Option<String> {
        self.named(text::trim(data.bytes(tag)?), attribute, notes)
    }

    /// As [`Self::text`], without what follows a zero in it.
    pub(crate) fn code(
        &self,
        data: &DataSet<'_>,
        tag: Tag,
        attribute: &'static str,
        notes: &mut Vec<Note>,
    ) -> Option<String> {
        self.named(text::terminated(data.bytes(tag)?), attribute, notes)
    }

    fn named(&self, bytes: &[u8], attribute: &'static str, notes: &mut Vec<Note>) -> Option<String> {
        let text = self.decode(bytes);
        if text.has_bytes() {
            notes.push(Note::TextEscaped { attribute });
        }
        (!bytes.is_empty()).then(|| text.into_string())
    }

    fn decode(&self, bytes: &[u8]) -> Text {
        let mut text = Text::default();
        match self {
            Self::Whole(encoding) => {
                text.decode(encoding, bytes);
            }
            Self::Extended { upper, further } => extended(bytes, *upper, further, &mut text),
        }
        text
    }
}

/// What a value of the attribute says.
enum Term {
    Whole(&'static Encoding),
    Upper(Upper),
}

impl Term {
    /// Spaces, underscores and case differ from writer to writer. Beyond the defined terms, the names that the web has for
    /// encodings are understood.
    fn of(term: &str) -> Option<Self> {
        let name: String = term.chars().filter(char::is_ascii_alphanumeric).collect();
        let name = name.to_ascii_uppercase();
        let registration = name.strip_prefix("ISO2022IR").or_else(|| name.strip_prefix("ISOIR"));
        let upper = match registration.unwrap_or(&name) {
            "" | "6" if registration.is_some() || name.is_empty() => Upper::Ascii,
            "192" if registration.is_some() => return Some(Self::Whole(encoding_rs::UTF_8)),
            number if registration.is_some() => Upper::of(number)?,
            "GB18030" => return Some(Self::Whole(encoding_rs::GB18030)),
            "GBK" => return Some(Self::Whole(encoding_rs::GBK)),
            "LATIN1" | "ISO88591" => Upper::Latin1,
            _ => return Encoding::for_label(term.as_bytes()).map(Self::Whole),
        };
        Some(Self::Upper(upper))
    }
}

impl Upper {
    /// The set of a number in ISO's registry.
    fn of(number: &str) -> Option<Self> {
        Some(match number {
            "100" => Self::Latin1,
            "101" => Self::Single(encoding_rs::ISO_8859_2),
            "109" => Self::Single(encoding_rs::ISO_8859_3),
            "110" => Self::Single(encoding_rs::ISO_8859_4),
            "144" => Self::Single(encoding_rs::ISO_8859_5),
            "127" => Self::Single(encoding_rs::ISO_8859_6),
            "126" => Self::Single(encoding_rs::ISO_8859_7),
            "138" => Self::Single(encoding_rs::ISO_8859_8),
            // These two are the upper half of windows code pages.
            "148" => Self::Single(encoding_rs::WINDOWS_1254),
            "166" => Self::Single(encoding_rs::WINDOWS_874),
            "203" => Self::Single(encoding_rs::ISO_8859_15),
            "13" | "14" => Self::Katakana,
            "149" => Self::Double(encoding_rs::EUC_KR),
            "58" => Self::Double(encoding_rs::GBK),
            // Kanji are in the lower half, brought in by escape sequences.
            "87" | "159" => Self::Ascii,
            _ => return None,
        })
    }

    /// Appends a run of bytes from 0x80 on, if all of them are characters.
    fn decode_whole(self, run: &[u8], text: &mut Text) -> bool {
        match self {
            Self::Ascii => false,
            Self::Latin1 => {
                let whole = run.iter().all(|&byte| byte >= 0xa0);
                if whole {
                    text.extend(run.iter().map(|&byte| char::from(byte)));
                }
                whole
            }
            Self::Single(encoding) => {
                run.iter().all(|&byte| byte >= 0xa0) && text.decode_whole(encoding, run)
            }
            Self::Katakana => text.decode_whole(encoding_rs::SHIFT_JIS, run),
            Self::Double(encoding) => text.decode_whole(encoding, run),
        }
    }

    /// Appends a run of bytes from 0x80 on.
    fn decode(self, run: &[u8], text: &mut Text) {
        match self {
            Self::Katakana => {
                text.decode(encoding_rs::SHIFT_JIS, run);
            }
            Self::Double(encoding) => {
                text.decode(encoding, run);
            }
            Self::Ascii | Self::Latin1 | Self::Single(_) => {
                for &byte in run {
                    if !self.decode_whole(&[byte], text) {
                        text.extend_bytes(&[byte]);
                    }
                }
            }
        }
    }
}

/// Code extension by ISO 2022. Escape sequences hold until the end of a line or value.
fn extended(bytes: &[u8], first: Upper, further: &[Upper], text: &mut Text) {
    let (mut lower, mut upper) = (Lower::Ascii, first);
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        if let Some((designation, len)) = designation(rest) {
            match designation {
                Designation::Lower(set) => lower = set,
                Designation::Upper(set) => upper = set,
            }
            at += len;
            continue;
        }
        let pair =
            rest.first_chunk().filter(|pair: &&[u8; 2]| pair.iter().all(|byte| (0x21..0x7f).contains(byte)));
        if let (Lower::Kanji | Lower::FurtherKanji, Some(pair)) = (lower, pair) {
            let [a, b] = pair.map(|byte| byte | 0x80);
            let prefixed = [0x8f, a, b];
            let euc = if lower == Lower::Kanji { &prefixed[1..] } else { &prefixed };
            if !text.decode_whole(encoding_rs::EUC_JP, euc) {
                text.extend_bytes(pair);
            }
            at += 2;
            continue;
        }
        let byte = rest[0];
        if byte < 0x80 {
            if matches!(byte, b'\\' | b'\r' | b'\n' | b'\t' | 0x0c) {
                (lower, upper) = (Lower::Ascii, first);
            }
            text.extend([char::from(byte)]);
            at += 1;
            continue;
        }
        // Shift JIS and GBK have second bytes below 0x80.
        let has_low_bytes = matches!(upper, Upper::Katakana) || upper == Upper::Double(encoding_rs::GBK);
        let run = &rest[..run_of(rest, has_low_bytes)];
        if upper == Upper::Ascii {
            undesignated(run, further, text);
        } else {
            upper.decode(run, text);
        }
        at += run.len();
    }
}

/// Bytes from 0x80 on where nothing says what they are: a further set of the attribute without its escape sequence, else UTF-8,
/// else no characters.
fn undesignated(run: &[u8], further: &[Upper], text: &mut Text) {
    if !further.iter().any(|upper| upper.decode_whole(run, text)) {
        text.decode(encoding_rs::UTF_8, run);
    }
}

/// Length of the bytes from 0x80 on; with those below that may be second ones of a pair.
fn run_of(bytes: &[u8], has_low_bytes: bool) -> usize {
    let mut at = 0;
    while bytes.get(at).is_some_and(|&byte| byte >= 0x80) {
        let is_first =
            has_low_bytes && (0x81..0xfd).contains(&bytes[at]) && !(0xa1..0xe0).contains(&bytes[at]);
        let has_second = bytes.get(at + 1).is_some_and(|byte| (0x40..0x7f).contains(byte));
        at += if is_first && has_second { 2 } else { 1 };
    }
    at
}

/// The escape sequence that `bytes` starts with, and its length (PS3.3, tables C.12-3 and C.12-4).
fn designation(bytes: &[u8]) -> Option<(Designation, usize)> {
    let upper = |number| Upper::of(number).map(Designation::Upper);
    let (designation, len) = match bytes.strip_prefix(b"\x1b")? {
        [b'(', b'B' | b'J', ..] => (Some(Designation::Lower(Lower::Ascii)), 3),
        [b'$', b'B' | b'@', ..] => (Some(Designation::Lower(Lower::Kanji)), 3),
        [b'$', b'(', b'D', ..] => (Some(Designation::Lower(Lower::FurtherKanji)), 4),
        [b'$', b')', b'C', ..] => (upper("149"), 4),
        [b'$', b')', b'A', ..] => (upper("58"), 4),
        [b')', b'I', ..] => (upper("13"), 3),
        [b'-', set, ..] => {
            let number = match set {
                b'A' => "100",
                b'B' => "101",
                b'C' => "109",
                b'D' => "110",
                b'F' => "126",
                b'G' => "127",
                b'H' => "138",
                b'L' => "144",
                b'M' => "148",
                b'T' => "166",
                b'b' => "203",
                _ => return None,
            };
            (upper(number), 3)
        }
        _ => return None,
    };
    Some((designation?, len))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn reads(terms: &str, bytes: &[u8], expected: &str) {
        let mut element = b"\x08\x00\x05\x00CS".to_vec();
        element.extend((terms.len() as u16).to_le_bytes());
        element.extend(terms.as_bytes());
        let (data, _) = DataSet::parse(&element, super::super::encoding::Encoding::EXPLICIT).unwrap();
        let mut notes = Vec::new();
        let sets = CharacterSets::of(&data, &mut notes);
        assert_eq!(sets.decode(bytes).into_string(), expected, "{terms}");
        assert_eq!(notes, [], "{terms}");
    }

    #[test]
    fn every_set_of_the_standard_is_read() {
        for (terms, bytes, expected) in [
            ("", &b"Doe"[..], "Doe"),
            ("ISO_IR 6", b"Doe", "Doe"),
            ("ISO_IR 100", b"Buc^J\xe9r\xf4me", "Buc^Jérôme"),
            ("ISO_IR 101", b"W\xb3adys\xb3aw", "Władysław"),
            ("ISO_IR 109", b"\xbb\xe1", "ğá"),
            ("ISO_IR 110", b"\xc7a", "Įa"),
            ("ISO_IR 144", b"\xbb\xee\xda", "Люк"),
            ("ISO_IR 127", b"\xe2\xc8\xc7\xe6\xea", "قباني"),
            ("ISO_IR 126", b"\xc4\xe9\xef\xed\xf5\xf3\xe9\xef\xf2", "Διονυσιος"),
            ("ISO_IR 138", b"\xf9\xf8\xe5\xef", "שרון"),
            ("ISO_IR 148", b"\xc7a\xf0r\xfd", "Çağrı"),
            ("ISO_IR 166", b"\xb9\xd2\xc2", "นาย"),
            ("ISO_IR 203", b"\xa4", "€"),
            ("ISO_IR 13", b"\xd4\xcf\xc0\xde^\xc0\xdb\xb3", "ﾔﾏﾀﾞ^ﾀﾛｳ"),
            ("ISO_IR 192", "王^小東".as_bytes(), "王^小東"),
            ("GB18030", b"\xcd\xf5^\xd0\xa1\xb6\xab", "王^小东"),
            ("GBK", b"\xcd\xf5^\xd0\xa1\xb6\xab", "王^小东"),
        ] {
            reads(terms, bytes, expected);
        }
    }

    #[test]
    fn escape_sequences_switch_sets() {
        // PS3.5, annexes H, I and K.
        reads(
            "\\ISO 2022 IR 87",
            b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B=\x1b$B$d$^$@\x1b(B",
            "Yamada^Tarou=山田^太郎=やまだ",
        );
        reads(
            "ISO 2022 IR 13\\ISO 2022 IR 87",
            b"\xd4\xcf\xc0\xde=\x1b$B;3ED\x1b(J^\xc0\xdb\xb3",
            "ﾔﾏﾀﾞ=山田^ﾀﾛｳ",
        );
        reads("\\ISO 2022 IR 149", b"Hong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\xd4\xd7", "Hong=洪^吉洞");
        reads("\\ISO 2022 IR 58", b"Zhang=\x1b$)A\xd5\xc5^\x1b$)A\xd0\xa1", "Zhang=张^小");
        reads("ISO 2022 IR 100\\ISO 2022 IR 144", b"J\xe9\x1b-L\xbb\xee\xda\\J\xe9", "JéЛюк\\Jé");
        reads("\\ISO 2022 IR 159", b"\x1b$(D0!\x1b(BX", "丂X");
        reads("ISO 2022 IR 6\\ISO 2022 IR 126", b"\x1b-F\xc4\xe9", "Δι");
    }

    #[test]
    fn what_writers_make_of_the_attribute_is_understood() {
        for terms in
            ["ISO_IR_100", "ISO IR 100", "iso_ir 100", "ISO-IR 100", "ISO 2022 IR 100", "ISO8859-1", "latin1"]
        {
            reads(terms, b"J\xe9", "Jé");
        }
        reads("UTF-8", "é".as_bytes(), "é");
        reads("utf8", "é".as_bytes(), "é");
        reads("windows-1251", b"\xc0\xc1", "АБ");
        // Without its escape sequence, and without any set at all.
        reads("\\ISO 2022 IR 149", b"\xb1\xe8", "김");
        reads("", "é".as_bytes(), "é");
        // Shift JIS in place of katakana; its second bytes may be backslashes.
        reads("ISO_IR 13", b"\x8eR\x93c\x95\x5c", "山田表");
    }

    #[test]
    fn what_a_set_lacks_is_escaped() {
        reads("", b"M\xfcller", "M\\xfcller");
        reads("ISO_IR 100", b"\x93ID\x94", "\\x93ID\\x94");
        reads("ISO_IR 192", b"ID\xff", "ID\\xff");
        reads("GB18030", b"\xd5\xc5\xff", "张\\xff");
        reads("\\ISO 2022 IR 87", b"\x1b$B\x7e\x7e\x1b(BX", "\\x7e\\x7eX");
        reads("ISO_IR 100", b"\x1b[31m", "\\x1b[31m");
        reads("ISO_IR 127", b"\xa1", "\\xa1");
    }

    #[test]
    fn unknown_sets_are_noted() {
        let element = b"\x08\x00\x05\x00CS\x08\x00KLINGON ";
        let (data, _) = DataSet::parse(element, super::super::encoding::Encoding::EXPLICIT).unwrap();
        let mut notes = Vec::new();
        let sets = CharacterSets::of(&data, &mut notes);
        assert_eq!(notes, [Note::CharacterSetUnknown { value: "KLINGON".into() }]);
        assert_eq!(sets.decode(b"\xe9").into_string(), "\\xe9");
    }
}
