//! Data elements of a data set, borrowed from the bytes of the file.
//!
//! A value is a slice of the file, so a length that lies costs nothing: memory is bounded by the number of elements. Lengths are
//! compared with what is there before anything is read.

use std::collections::HashMap;

use dicom_core::Tag;
use dicom_dictionary_std::tags;

use super::encoding::Encoding;
use super::number::{self, Decimals};
use super::parse::Parser;
use super::problem::{Problem, written};
use super::text;
use crate::note::Note;

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
    /// Of sequences that no picture needs there are none.
    Items(Vec<DataSet<'a>>),
    /// Compressed pixel data; the offset table is the first.
    Fragments(Vec<&'a [u8]>),
    /// A sequence that a picture may need and that cannot be read, and why.
    Unreadable(String),
}

/// Elements in the order of the file.
#[derive(Debug)]
pub(crate) struct DataSet<'a> {
    elements: Vec<Element<'a>>,
    encoding: Encoding,
}

impl<'a> DataSet<'a> {
    pub(super) const fn new(elements: Vec<Element<'a>>, encoding: Encoding) -> Self {
        Self { elements, encoding }
    }

    /// All elements of `bytes` up to its pixel data, and what is odd about them.
    pub(crate) fn parse(bytes: &'a [u8], encoding: Encoding) -> Result<(Self, Vec<Note>), Problem> {
        let (data, mut notes) = Parser::new(bytes).whole(encoding)?;
        notes.extend(data.repeated().map(|tag| Note::Repeated { tag: written(tag) }));
        Ok((data, notes))
    }

    /// The leading elements of a group: file meta information. Gives the bytes they take, too.
    pub(crate) fn parse_group(bytes: &'a [u8], group: u16) -> Result<(Self, usize), Problem> {
        let (data, end, result) = Parser::new(bytes).prefix(Encoding::EXPLICIT, Some(group));
        let Err(problem) = result else { return Ok((data, end)) };
        // The group's stated length leads over an element that cannot be read.
        let stated = data.elements.first().filter(|first| first.tag == Tag(group, 0));
        let stated = stated.and_then(|first| match first.value {
            Value::Bytes(bytes) => Some(12 + Encoding::EXPLICIT.u32(*bytes.first_chunk()?) as usize),
            _ => None,
        });
        match stated {
            Some(stated)
                if stated >= end && stated < bytes.len() && data.get(tags::TRANSFER_SYNTAX_UID).is_some() =>
            {
                Ok((data, stated))
            }
            _ => Err(problem),
        }
    }

    /// The elements that are whole in the start of a data set.
    pub(crate) fn prefix(bytes: &'a [u8], encoding: Encoding) -> Self {
        Parser::new(bytes).prefix(encoding, None).0
    }

    pub(crate) const fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// The first element with a tag.
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

    /// Items of a sequence; none of one that cannot be read.
    pub(crate) fn items(&self, tag: Tag) -> &[DataSet<'a>] {
        match self.get(tag) {
            Some(Element { value: Value::Items(items), .. }) => items,
            _ => &[],
        }
    }

    /// Items of a sequence that the picture needs.
    pub(crate) fn sequence(&self, tag: Tag, attribute: &'static str) -> Result<&[DataSet<'a>], Problem> {
        match self.get(tag).map(|element| &element.value) {
            Some(Value::Unreadable(what)) => Err(Problem::Sequence { attribute, what: what.clone() }),
            _ => Ok(self.items(tag)),
        }
    }

    /// A code or identifier of the default character set without its padding and without what follows a zero in it, see [`text`];
    /// none where nothing is left.
    pub(crate) fn text(&self, tag: Tag) -> Option<String> {
        let bytes = text::terminated(self.bytes(tag)?);
        (!bytes.is_empty()).then(|| text::of_default(bytes))
    }

    /// 16-bit numbers of a value, `US` or `SS` alike: the bits.
    pub(crate) fn words(&self, tag: Tag) -> Option<Vec<u16>> {
        let words: Vec<_> =
            self.bytes(tag)?.chunks_exact(2).map(|pair| self.encoding.u16([pair[0], pair[1]])).collect();
        (!words.is_empty()).then_some(words)
    }

    /// The first 16-bit number of a value: the bits of `US` or `SS`, or what another representation writes as text or wider.
    pub(crate) fn word(&self, tag: Tag) -> Option<u16> {
        let bytes = self.bytes(tag)?;
        let vr = self.get(tag)?.vr;
        if matches!(&vr, b"UL" | b"SL" | b"IS" | b"DS" | b"UV" | b"SV") {
            let number = self.decimals(tag)?.values.first().copied().flatten()?;
            let fits = number.fract() == 0.0 && (f64::from(i16::MIN)..=f64::from(u16::MAX)).contains(&number);
            return fits.then_some(number as i64 as u16);
        }
        bytes.first_chunk().map(|&pair| self.encoding.u16(pair))
    }

    /// Numbers of a value, written as text (`DS`, `IS`) or in binary; none where it is empty.
    pub(crate) fn decimals(&self, tag: Tag) -> Option<Decimals> {
        let bytes = self.bytes(tag)?;
        let vr = self.get(tag)?.vr;
        number::binary(bytes, vr, self.encoding).or_else(|| number::text(bytes))
    }

    /// The first tag of those that matter whose element is there twice with different values.
    fn repeated(&self) -> Option<Tag> {
        if self.elements.is_sorted_by(|a, b| a.tag < b.tag) {
            return None;
        }
        let mut seen = HashMap::new();
        let matters = |tag: Tag| {
            matches!(tag.group(), 0x0008 | 0x0010 | 0x0018 | 0x0020 | 0x0028) && tag.element() != 0
        };
        let bytes = |element: &Element<'a>| match element.value {
            Value::Bytes(bytes) if matters(element.tag) => Some(bytes),
            _ => None,
        };
        self.elements.iter().find_map(|element| {
            let bytes = bytes(element)?;
            (*seen.entry(element.tag).or_insert(bytes) != bytes).then_some(element.tag)
        })
    }
}
