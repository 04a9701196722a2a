//! Data elements of a data set, borrowed from the bytes of the file.
//!
//! A value is a slice of the file, so a length that lies costs nothing: memory is bounded by the number of elements, and
//! that by [`MAX_ELEMENTS`]. Lengths are compared with what is there before anything is read.

use dicom_core::Tag;
use dicom_dictionary_std::tags;

use super::problem::{Problem, written};

/// Most elements, items and fragments of one file. Multi-frame images have a few dozen per frame.
pub(crate) const MAX_ELEMENTS: usize = 1_000_000;
/// Deepest nesting of sequences. Structured reports reach about ten.
pub(crate) const MAX_DEPTH: usize = 24;

const ITEM: Tag = Tag(0xfffe, 0xe000);
const ITEM_END: Tag = Tag(0xfffe, 0xe00d);
const SEQUENCE_END: Tag = Tag(0xfffe, 0xe0dd);
const UNDEFINED: u32 = u32::MAX;

/// Sequences that are read even where implicit value representation does not say that they are sequences.
const SEQUENCES: [Tag; 8] = [
    tags::MODALITY_LUT_SEQUENCE,
    tags::VOILUT_SEQUENCE,
    tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE,
    tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE,
    tags::FRAME_VOILUT_SEQUENCE,
    tags::PIXEL_VALUE_TRANSFORMATION_SEQUENCE,
    tags::PIXEL_MEASURES_SEQUENCE,
    tags::PIXEL_DATA,
];

/// Elements with pixels, the last of a data set that matter.
const PIXELS: [Tag; 3] = [tags::PIXEL_DATA, tags::FLOAT_PIXEL_DATA, tags::DOUBLE_FLOAT_PIXEL_DATA];

/// How elements are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Encoding {
    /// Each element says its value representation.
    pub(crate) explicit: bool,
    /// Most significant byte first.
    pub(crate) big_endian: bool,
}

impl Encoding {
    pub(crate) const IMPLICIT: Self = Self { explicit: false, big_endian: false };
    pub(crate) const EXPLICIT: Self = Self { explicit: true, big_endian: false };
    pub(crate) const BIG_ENDIAN: Self = Self { explicit: true, big_endian: true };

    fn u16(self, bytes: [u8; 2]) -> u16 {
        if self.big_endian { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) }
    }

    fn u32(self, bytes: [u8; 4]) -> u32 {
        if self.big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }
    }
}

/// An element.
#[derive(Debug)]
pub(crate) struct Element<'a> {
    pub(crate) tag: Tag,
    /// Value representation, spaces where the encoding leaves it out.
    pub(crate) vr: [u8; 2],
    pub(crate) value: Value<'a>,
}

/// What an element holds.
#[derive(Debug)]
pub(crate) enum Value<'a> {
    Bytes(&'a [u8]),
    Items(Vec<DataSet<'a>>),
    /// Compressed pixel data; the offset table is the first.
    Fragments(Vec<&'a [u8]>),
}

/// Elements in the order of the file.
#[derive(Debug)]
pub(crate) struct DataSet<'a> {
    elements: Vec<Element<'a>>,
    encoding: Encoding,
}

impl<'a> DataSet<'a> {
    /// All elements of `bytes` up to its pixel data.
    pub(crate) fn parse(bytes: &'a [u8], encoding: Encoding) -> Result<Self, Problem> {
        let mut parser = Parser { bytes, at: 0, encoding, left: MAX_ELEMENTS };
        let elements = parser.elements(bytes.len(), false, 0)?;
        Ok(Self { elements, encoding })
    }

    /// The leading elements of a group: file meta information. Gives the bytes they take, too.
    pub(crate) fn parse_group(bytes: &'a [u8], group: u16) -> Result<(Self, usize), Problem> {
        let encoding = Encoding::EXPLICIT;
        let mut parser = Parser { bytes, at: 0, encoding, left: MAX_ELEMENTS };
        let mut elements = Vec::new();
        while bytes.len() >= parser.at + 8 && parser.peek_group() == group {
            elements.push(parser.element(bytes.len(), 0)?);
        }
        Ok((Self { elements, encoding }, parser.at))
    }

    /// The elements that are whole in the start of a data set.
    pub(crate) fn prefix(bytes: &'a [u8], encoding: Encoding) -> Self {
        let mut parser = Parser { bytes, at: 0, encoding, left: MAX_ELEMENTS };
        let mut elements = Vec::new();
        while let Ok(element) = parser.element(bytes.len(), 0) {
            elements.push(element);
        }
        Self { elements, encoding }
    }

    pub(crate) const fn encoding(&self) -> Encoding {
        self.encoding
    }

    pub(crate) fn get(&self, tag: Tag) -> Option<&Element<'a>> {
        self.elements.iter().find(|element| element.tag == tag)
    }

    /// Bytes of a value; empty ones are as good as none.
    pub(crate) fn bytes(&self, tag: Tag) -> Option<&'a [u8]> {
        match self.get(tag)?.value {
            Value::Bytes(bytes) if !bytes.is_empty() => Some(bytes),
            _ => None,
        }
    }

    pub(crate) fn items(&self, tag: Tag) -> &[DataSet<'a>] {
        match self.get(tag) {
            Some(Element { value: Value::Items(items), .. }) => items,
            _ => &[],
        }
    }

    /// Text without its padding; none where nothing is left.
    pub(crate) fn text(&self, tag: Tag) -> Option<String> {
        let text = String::from_utf8_lossy(self.bytes(tag)?);
        let text = text.trim_matches(|c: char| c.is_whitespace() || c == '\0');
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// 16-bit numbers of a value, `US` or `SS` alike: the bits.
    pub(crate) fn words(&self, tag: Tag) -> Option<Vec<u16>> {
        let words: Vec<_> =
            self.bytes(tag)?.chunks_exact(2).map(|pair| self.encoding.u16([pair[0], pair[1]])).collect();
        (!words.is_empty()).then_some(words)
    }

    pub(crate) fn word(&self, tag: Tag) -> Option<u16> {
        let bytes = self.bytes(tag)?;
        (bytes.len() >= 2).then(|| self.encoding.u16([bytes[0], bytes[1]]))
    }

    /// Numbers written as text (`DS`, `IS`), separated by backslashes.
    pub(crate) fn numbers(&self, tag: Tag, attribute: &'static str) -> Result<Vec<f64>, Problem> {
        let Some(text) = self.text(tag) else { return Ok(Vec::new()) };
        let parse = |part: &str| part.trim().parse::<f64>().ok().filter(|number| number.is_finite());
        text.split('\\').map(parse).collect::<Option<_>>().ok_or_else(|| Problem::Invalid {
            attribute,
            value: text.chars().take(64).collect(),
            expected: "a number",
        })
    }

    pub(crate) fn number(&self, tag: Tag, attribute: &'static str) -> Result<Option<f64>, Problem> {
        Ok(self.numbers(tag, attribute)?.first().copied())
    }
}

struct Parser<'a> {
    bytes: &'a [u8],
    at: usize,
    encoding: Encoding,
    left: usize,
}

impl<'a> Parser<'a> {
    /// Elements up to `end`, or, where `delimited`, up to the delimiter of the item.
    fn elements(&mut self, end: usize, delimited: bool, depth: usize) -> Result<Vec<Element<'a>>, Problem> {
        let mut elements = Vec::new();
        loop {
            if self.at == end {
                if delimited {
                    return Err(self.cut_off("an item of a sequence"));
                }
                return Ok(elements);
            }
            if delimited && self.peek(end)? == ITEM_END {
                self.header(end)?;
                return Ok(elements);
            }
            let element = self.element(end, depth)?;
            // What follows pixel data is padding and signatures.
            let last = depth == 0 && PIXELS.contains(&element.tag);
            elements.push(element);
            if last {
                return Ok(elements);
            }
        }
    }

    fn element(&mut self, end: usize, depth: usize) -> Result<Element<'a>, Problem> {
        self.count()?;
        let at = self.at;
        let (tag, vr, len) = self.header(end)?;
        if tag.group() == 0xfffe {
            return Err(Problem::Misplaced { tag: written(tag), at, expected: "a data element" });
        }
        let value = if len == UNDEFINED {
            if tag == tags::PIXEL_DATA {
                Value::Fragments(self.fragments(end)?)
            } else {
                // An unknown representation of undefined length holds implicit little endian (PS3.5, 6.2.2).
                let outer = self.encoding;
                if &vr == b"UN" {
                    self.encoding = Encoding::IMPLICIT;
                }
                let items = self.items(end, true, depth);
                self.encoding = outer;
                Value::Items(items?)
            }
        } else {
            let bytes = self.value(tag, len, end)?;
            let sequence = SEQUENCES.contains(&tag) && tag != tags::PIXEL_DATA;
            if sequence && matches!(&vr, b"SQ" | b"  ") {
                self.at -= bytes.len();
                Value::Items(self.items(self.at + bytes.len(), false, depth)?)
            } else {
                Value::Bytes(bytes)
            }
        };
        Ok(Element { tag, vr, value })
    }

    fn items(&mut self, end: usize, delimited: bool, depth: usize) -> Result<Vec<DataSet<'a>>, Problem> {
        if depth == MAX_DEPTH {
            return Err(Problem::TooDeep { limit: MAX_DEPTH });
        }
        let mut items = Vec::new();
        loop {
            if self.at == end && !delimited {
                return Ok(items);
            }
            self.count()?;
            let at = self.at;
            let (tag, len) = self.item_header(end)?;
            match tag {
                SEQUENCE_END if delimited => return Ok(items),
                ITEM => {
                    let delimited = len == UNDEFINED;
                    let end = if delimited { end } else { self.value_end(tag, len, end)? };
                    let elements = self.elements(end, delimited, depth + 1)?;
                    items.push(DataSet { elements, encoding: self.encoding });
                }
                _ => return Err(Problem::Misplaced { tag: written(tag), at, expected: "an item" }),
            }
        }
    }

    /// Compressed pixel data. A file that stops after a whole fragment lacks only its delimiter.
    fn fragments(&mut self, end: usize) -> Result<Vec<&'a [u8]>, Problem> {
        let mut fragments = Vec::new();
        while self.at < end {
            self.count()?;
            let at = self.at;
            let (tag, len) = self.item_header(end)?;
            match tag {
                SEQUENCE_END => break,
                ITEM => fragments.push(self.value(tag, len, end)?),
                _ => return Err(Problem::Misplaced { tag: written(tag), at, expected: "a fragment" }),
            }
        }
        Ok(fragments)
    }

    /// Tag, representation and length; the value comes next.
    fn header(&mut self, end: usize) -> Result<(Tag, [u8; 2], u32), Problem> {
        let tag = self.peek(end)?;
        if tag.group() == 0xfffe {
            let (tag, len) = self.item_header(end)?;
            return Ok((tag, *b"  ", len));
        }
        self.at += 4;
        let vr: [u8; 2] = self.take(end)?;
        // Some writers mix the encodings: what is no representation is the start of a length.
        if !self.encoding.explicit || !vr.iter().all(u8::is_ascii_uppercase) {
            let rest: [u8; 2] = self.take(end)?;
            return Ok((tag, *b"  ", self.encoding.u32([vr[0], vr[1], rest[0], rest[1]])));
        }
        let short: [u8; 2] = self.take(end)?;
        if has_long_length(vr) {
            let len = self.take(end)?;
            Ok((tag, vr, self.encoding.u32(len)))
        } else {
            Ok((tag, vr, u32::from(self.encoding.u16(short))))
        }
    }

    fn item_header(&mut self, end: usize) -> Result<(Tag, u32), Problem> {
        let tag = self.peek(end)?;
        self.at += 4;
        let len = self.take(end)?;
        Ok((tag, self.encoding.u32(len)))
    }

    fn value(&mut self, tag: Tag, len: u32, end: usize) -> Result<&'a [u8], Problem> {
        let end = self.value_end(tag, len, end)?;
        let value = &self.bytes[self.at..end];
        self.at = end;
        Ok(value)
    }

    fn value_end(&self, tag: Tag, len: u32, end: usize) -> Result<usize, Problem> {
        let available = end - self.at;
        if len as usize > available {
            let tag = written(tag);
            return Err(Problem::Overrun { tag, declared: u64::from(len), available: available as u64 });
        }
        Ok(self.at + len as usize)
    }

    fn peek_group(&self) -> u16 {
        self.encoding.u16([self.bytes[self.at], self.bytes[self.at + 1]])
    }

    fn peek(&self, end: usize) -> Result<Tag, Problem> {
        let Some(&[a, b, c, d]) = self.bytes[..end].get(self.at..).and_then(<[u8]>::first_chunk) else {
            return Err(self.cut_off("the header of an element"));
        };
        Ok(Tag(self.encoding.u16([a, b]), self.encoding.u16([c, d])))
    }

    fn take<const N: usize>(&mut self, end: usize) -> Result<[u8; N], Problem> {
        let Some(bytes) = self.bytes[..end].get(self.at..).and_then(<[u8]>::first_chunk::<N>) else {
            return Err(self.cut_off("the header of an element"));
        };
        self.at += N;
        Ok(*bytes)
    }

    fn count(&mut self) -> Result<(), Problem> {
        self.left = self.left.checked_sub(1).ok_or(Problem::TooManyElements { limit: MAX_ELEMENTS })?;
        Ok(())
    }

    fn cut_off(&self, inside: &'static str) -> Problem {
        Problem::CutOff { at: self.bytes.len(), inside }
    }
}

/// Representations whose length takes four bytes, after two that are reserved.
fn has_long_length(vr: [u8; 2]) -> bool {
    matches!(
        &vr,
        b"OB" | b"OD" | b"OF" | b"OL" | b"OV" | b"OW" | b"SQ" | b"SV" | b"UC" | b"UN" | b"UR" | b"UT" | b"UV"
    )
}
