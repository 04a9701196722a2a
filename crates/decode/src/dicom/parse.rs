//! From bytes to elements.
//!
//! Only what a picture may need is kept: values as slices of the file, and the sequences of [`NEEDED`]. Every other sequence is
//! stepped over, by its length or to its delimiter, so that nothing in it costs the film. What cannot be stepped over is searched
//! for its delimiter. Every step counts against [`MAX_ELEMENTS`] and every search against the length of the file, also those that
//! are taken again, so that time is linear in the file.

use dicom_core::Tag;
use dicom_dictionary_std::tags;

use super::element::{DataSet, Element, Value};
use super::encoding::Encoding;
use super::header::{self, Header, ITEM, ITEM_END, NO_VR, SEQUENCE_END, UNDEFINED};
use super::problem::{Problem, written};
use crate::note::Note;

/// Most elements, items and fragments of one file. Multi-frame images have a few dozen per frame.
const MAX_ELEMENTS: usize = 1_000_000;
/// Deepest nesting of sequences. Structured reports reach about ten.
const MAX_DEPTH: usize = 24;
/// How often the bytes of a file may be searched for a delimiter, on average.
const MAX_SEARCHES: usize = 4;

/// Sequences that a picture may need.
const NEEDED: [Tag; 7] = [
    tags::MODALITY_LUT_SEQUENCE,
    tags::VOILUT_SEQUENCE,
    tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE,
    tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE,
    tags::FRAME_VOILUT_SEQUENCE,
    tags::PIXEL_VALUE_TRANSFORMATION_SEQUENCE,
    tags::PIXEL_MEASURES_SEQUENCE,
];

/// Elements with pixels, the last of a data set that matter.
const PIXELS: [Tag; 3] = [tags::PIXEL_DATA, tags::FLOAT_PIXEL_DATA, tags::DOUBLE_FLOAT_PIXEL_DATA];

/// Where elements or items end.
#[derive(Debug, Clone, Copy)]
struct Scope {
    /// They do not go beyond.
    end: usize,
    /// A delimiter ends them before.
    delimited: bool,
    depth: usize,
    /// Whether they are kept or stepped over.
    keep: bool,
}

pub(super) struct Parser<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Steps that are left.
    left: usize,
    /// Bytes that may yet be searched.
    searches: usize,
    /// What was odd, each kind once.
    notes: Vec<Note>,
}

impl<'a> Parser<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        let searches = bytes.len().saturating_mul(MAX_SEARCHES);
        Self { bytes, at: 0, left: MAX_ELEMENTS, searches, notes: Vec::new() }
    }

    /// A whole data set, up to its pixel data.
    pub(super) fn whole(mut self, declared: Encoding) -> Result<(DataSet<'a>, Vec<Note>), Problem> {
        let scope = Scope { end: self.bytes.len(), delimited: false, depth: 0, keep: true };
        let encoding = self.encoding(scope, declared);
        let mut elements = Vec::new();
        self.elements(&mut elements, encoding, scope)?;
        // What follows pixel data is padding and signatures, unless the elements are out of order.
        if self.at < self.bytes.len() && !elements.iter().any(|element| element.tag == tags::ROWS) {
            let _unreadable_end = self.elements(&mut elements, encoding, scope);
        }
        Ok((DataSet::new(elements, encoding), self.notes))
    }

    /// The elements that are whole in the start of a data set, or as many as belong to a group. Gives where they end, and what
    /// ended them early.
    pub(super) fn prefix(
        mut self,
        declared: Encoding,
        group: Option<u16>,
    ) -> (DataSet<'a>, usize, Result<(), Problem>) {
        let scope = Scope { end: self.bytes.len(), delimited: false, depth: 0, keep: true };
        let encoding = if group.is_some() { declared } else { self.encoding(scope, declared) };
        let mut elements = Vec::new();
        let result = loop {
            let tag = header::tag(self.bytes, self.at, encoding);
            if tag.is_none() || group.is_some_and(|group| tag.is_some_and(|tag| tag.group() != group)) {
                break Ok(());
            }
            let before = self.at;
            if let Err(problem) = self.step(&mut elements, encoding, scope) {
                self.at = before;
                break Err(problem);
            }
        };
        (DataSet::new(elements, encoding), self.at, result)
    }

    fn encoding(&mut self, scope: Scope, declared: Encoding) -> Encoding {
        let encoding = header::detect(&self.bytes[..scope.end], self.at, declared);
        if encoding != declared {
            self.note(Note::EncodingDiffers);
        }
        encoding
    }

    /// Elements up to the end of their scope or, of a whole data set, up to its pixel data.
    fn elements(
        &mut self,
        into: &mut Vec<Element<'a>>,
        encoding: Encoding,
        scope: Scope,
    ) -> Result<(), Problem> {
        loop {
            if self.at >= scope.end {
                return self.end_without_delimiter(scope, "an item of a sequence");
            }
            if self.step(into, encoding, scope)? {
                return Ok(());
            }
        }
    }

    /// One element, or one delimiter that does not belong where it is. Whether the elements end with it.
    fn step(
        &mut self,
        into: &mut Vec<Element<'a>>,
        encoding: Encoding,
        scope: Scope,
    ) -> Result<bool, Problem> {
        self.count()?;
        let at = self.at;
        let Some(header) = header::read(&self.bytes[..scope.end], at, encoding) else {
            if scope.end == self.bytes.len() {
                return Err(self.cut_off("the header of an element"));
            }
            // Too few bytes for an element at the end of an item.
            self.note(Note::StrayBytes);
            self.at = scope.end;
            return Ok(true);
        };
        match header.tag {
            ITEM_END if scope.delimited => {
                self.at = header.value;
                return Ok(true);
            }
            // The delimiter of the item is missing.
            SEQUENCE_END | ITEM if scope.delimited => {
                self.note(Note::StrayDelimiter);
                return Ok(true);
            }
            ITEM_END | SEQUENCE_END => {
                self.note(Note::StrayDelimiter);
                self.at = header.value;
                return Ok(false);
            }
            ITEM => {
                self.note(Note::StrayDelimiter);
                self.item(header.len, encoding, Scope { keep: false, ..scope })?;
                return Ok(false);
            }
            tag if tag.group() == 0xfffe => {
                return Err(Problem::Misplaced { tag: written(tag), at, expected: "a data element" });
            }
            _ => {}
        }
        if header.strange {
            self.note(Note::Representation { tag: written(header.tag) });
        }
        let value = self.value(header, encoding, scope)?;
        if scope.keep {
            into.push(Element { tag: header.tag, vr: header.vr, value });
        }
        Ok(scope.depth == 0 && PIXELS.contains(&header.tag))
    }

    fn value(&mut self, header: Header, encoding: Encoding, scope: Scope) -> Result<Value<'a>, Problem> {
        let Header { tag, vr, len, value, .. } = header;
        let needed = scope.keep && NEEDED.contains(&tag);
        // An unknown representation holds implicit little endian, whatever is around it (PS3.5, 6.2.2).
        let inner = if &vr == b"UN" { Encoding::IMPLICIT } else { encoding };
        if len == UNDEFINED {
            self.at = value;
            if tag == tags::PIXEL_DATA && scope.depth == 0 {
                return self.fragments(scope.end).map(Value::Fragments);
            }
            return match self.items(tag, inner, Scope { delimited: true, keep: needed, ..scope }) {
                Ok(items) => Ok(Value::Items(items)),
                Err(problem @ Problem::TooManyElements { .. }) => Err(problem),
                Err(problem) if !self.find_end(tag, value, encoding, scope.end) => Err(problem),
                Err(problem) => Ok(self.skipped(tag, needed, &problem)),
            };
        }
        let end = self.value_end(&header, encoding, scope)?;
        if tag == tags::PIXEL_DATA
            && scope.depth == 0
            && let Some(fragments) = self.whole_fragments(value, end)?
        {
            self.note(Note::WrongLength { tag: written(tag) });
            self.at = end;
            return Ok(Value::Fragments(fragments));
        }
        if needed && matches!(&vr, b"SQ" | b"UN" | &NO_VR) {
            self.at = value;
            let items = self.items(tag, inner, Scope { end, delimited: false, ..scope });
            self.at = end;
            return match items {
                Ok(items) => Ok(Value::Items(items)),
                Err(problem @ Problem::TooManyElements { .. }) => Err(problem),
                Err(problem) => Ok(self.skipped(tag, needed, &problem)),
            };
        }
        self.at = end;
        let bytes = &self.bytes[value..value + (end - value).min(len as usize)];
        Ok(Value::Bytes(bytes))
    }

    fn skipped(&mut self, tag: Tag, needed: bool, problem: &Problem) -> Value<'a> {
        self.note(Note::SequenceSkipped { tag: written(tag) });
        if needed { Value::Unreadable(problem.to_string()) } else { Value::Items(Vec::new()) }
    }

    /// Where a value of stated length ends. Where no element can follow, there are two ways to be wrong by a length: an odd one
    /// leaves out its padding, and that of a sequence is not that of its items.
    fn value_end(&mut self, header: &Header, encoding: Encoding, scope: Scope) -> Result<usize, Problem> {
        let bytes = &self.bytes[..scope.end];
        let is_sound = |at: usize| header::is_sound(bytes, at, encoding, header.tag);
        let stated = header.end(bytes.len());
        let is_sequence = &header.vr == b"SQ" || NEEDED.contains(&header.tag) && header.vr == NO_VR;
        let is_odd = header.len % 2 == 1 && !PIXELS.contains(&header.tag);
        let found = if stated.is_some_and(|end| !(is_sequence || is_odd) || is_sound(end)) {
            None
        } else if is_sequence {
            self.items_end(header.value, encoding, scope.end)?
        } else {
            stated.filter(|_| is_odd).map(|end| end + 1)
        };
        if let Some(found) = found.filter(|&end| is_sound(end)) {
            self.note(Note::WrongLength { tag: written(header.tag) });
            return Ok(found);
        }
        stated.ok_or_else(|| Problem::Overrun {
            tag: written(header.tag),
            declared: u64::from(header.len),
            available: (scope.end - header.value) as u64,
        })
    }

    /// Where a run of items of stated lengths ends.
    fn items_end(&mut self, mut at: usize, encoding: Encoding, end: usize) -> Result<Option<usize>, Problem> {
        while at < end {
            let Some(item) = header::read(&self.bytes[..end], at, encoding).filter(|item| item.tag == ITEM)
            else {
                break;
            };
            self.count()?;
            let Some(next) = item.end(end) else { return Ok(None) };
            at = next;
        }
        Ok(Some(at))
    }

    /// Items up to the end or the delimiter of their sequence.
    fn items(&mut self, tag: Tag, declared: Encoding, scope: Scope) -> Result<Vec<DataSet<'a>>, Problem> {
        if scope.depth == MAX_DEPTH {
            return Err(Problem::TooDeep { limit: MAX_DEPTH });
        }
        let bytes = &self.bytes[..scope.end];
        let turned = Encoding { big_endian: !declared.big_endian, ..declared };
        let is_turned = matches!(header::tag(bytes, self.at, turned), Some(ITEM | SEQUENCE_END));
        let encoding = if is_turned { turned } else { declared };
        let mut items = Vec::new();
        loop {
            if self.at >= scope.end {
                self.end_without_delimiter(scope, "a sequence")?;
                return Ok(items);
            }
            self.count()?;
            let at = self.at;
            let Some(item) = header::read(bytes, at, encoding) else {
                if scope.end == self.bytes.len() {
                    return Err(self.cut_off("a sequence"));
                }
                self.note(Note::StrayBytes);
                self.at = scope.end;
                return Ok(items);
            };
            match item.tag {
                SEQUENCE_END if scope.delimited => {
                    self.at = item.value;
                    return Ok(items);
                }
                ITEM_END | SEQUENCE_END => {
                    self.note(Note::StrayDelimiter);
                    self.at = item.value;
                }
                ITEM => items.extend(self.item(item.len, encoding, scope)?),
                // The delimiter of the sequence is missing.
                _ if scope.delimited && header::is_sound(bytes, at, encoding, tag) => {
                    self.note(Note::StrayDelimiter);
                    return Ok(items);
                }
                other => return Err(Problem::Misplaced { tag: written(other), at, expected: "an item" }),
            }
        }
    }

    /// The item whose header is here, if it is kept.
    fn item(&mut self, len: u32, encoding: Encoding, scope: Scope) -> Result<Option<DataSet<'a>>, Problem> {
        self.at += 8;
        let delimited = len == UNDEFINED;
        let mut end = scope.end;
        if !delimited {
            let stated = self.at.saturating_add(len as usize);
            if stated <= end {
                end = stated;
            } else if end == self.bytes.len() {
                return Err(Problem::Overrun {
                    tag: written(ITEM),
                    declared: u64::from(len),
                    available: (end - self.at) as u64,
                });
            } else {
                self.note(Note::WrongLength { tag: written(ITEM) });
            }
        }
        let inner = Scope { end, delimited, depth: scope.depth + 1, keep: scope.keep };
        if inner.depth > MAX_DEPTH {
            return Err(Problem::TooDeep { limit: MAX_DEPTH });
        }
        let mut item = None;
        if scope.keep || delimited {
            let encoding = self.encoding(inner, encoding);
            let mut elements = Vec::new();
            self.elements(&mut elements, encoding, inner)?;
            item = scope.keep.then(|| DataSet::new(elements, encoding));
        }
        if !delimited {
            self.at = end;
        }
        Ok(item)
    }

    /// Compressed pixel data. A file that stops after a whole fragment lacks only its delimiter.
    fn fragments(&mut self, end: usize) -> Result<Vec<&'a [u8]>, Problem> {
        let mut fragments = Vec::new();
        while self.at < end {
            self.count()?;
            let at = self.at;
            let header = header::read(&self.bytes[..end], at, Encoding::IMPLICIT);
            let Some(header) = header else { return Err(self.cut_off("the header of an element")) };
            match header.tag {
                SEQUENCE_END => {
                    self.at = header.value;
                    break;
                }
                ITEM => {
                    let Some(end) = header.end(end) else {
                        let (declared, available) = (u64::from(header.len), (end - header.value) as u64);
                        return Err(Problem::Overrun { tag: written(ITEM), declared, available });
                    };
                    fragments.push(&self.bytes[header.value..end]);
                    self.at = end;
                }
                ITEM_END => {
                    self.note(Note::StrayDelimiter);
                    self.at = header.value;
                }
                // Padding or signatures of a file without the delimiter.
                tag if fragments.len() > 1 && tag > tags::PIXEL_DATA => {
                    self.note(Note::StrayDelimiter);
                    break;
                }
                tag => return Err(Problem::Misplaced { tag: written(tag), at, expected: "a fragment" }),
            }
        }
        Ok(fragments)
    }

    /// Compressed pixel data whose length is stated although a delimiter ends it: fragments that fill it. Samples never look so.
    fn whole_fragments(&mut self, mut at: usize, end: usize) -> Result<Option<Vec<&'a [u8]>>, Problem> {
        let mut fragments = Vec::new();
        while at < end {
            self.count()?;
            let Some(item) = header::read(&self.bytes[..end], at, Encoding::IMPLICIT) else {
                return Ok(None);
            };
            match (item.tag, item.end(end)) {
                (ITEM, Some(next)) => {
                    fragments.push(&self.bytes[item.value..next]);
                    at = next;
                }
                (SEQUENCE_END, _) if end - at <= 9 => break,
                _ => return Ok(None),
            }
        }
        Ok((fragments.len() > 1).then_some(fragments))
    }

    /// Goes behind the first sequence delimiter from `from` on after which another element follows, if there is one.
    fn find_end(&mut self, tag: Tag, from: usize, encoding: Encoding, end: usize) -> bool {
        let mut delimiter = [0xfe, 0xff, 0xdd, 0xe0, 0, 0, 0, 0];
        if encoding.big_endian {
            delimiter[..4].copy_from_slice(&[0xff, 0xfe, 0xe0, 0xdd]);
        }
        let mut at = from;
        loop {
            let stop = end.min(at.saturating_add(self.searches));
            let found = self.bytes[at..stop].windows(8).position(|bytes| bytes == delimiter);
            let searched = found.map_or(stop - at, |found| found + 8);
            self.searches -= searched;
            at += searched;
            if found.is_none() {
                return false;
            }
            let bytes = &self.bytes[..end];
            if header::is_element(bytes, at, encoding, tag)
                || header::is_sound(bytes, at, encoding, Tag(0, 0))
            {
                self.at = at;
                return true;
            }
        }
    }

    /// A scope that ends where the file does not lacks only its delimiter.
    fn end_without_delimiter(&mut self, scope: Scope, inside: &'static str) -> Result<(), Problem> {
        if scope.delimited {
            if scope.end == self.bytes.len() {
                return Err(self.cut_off(inside));
            }
            self.note(Note::StrayDelimiter);
        }
        Ok(())
    }

    fn count(&mut self) -> Result<(), Problem> {
        self.left = self.left.checked_sub(1).ok_or(Problem::TooManyElements { limit: MAX_ELEMENTS })?;
        Ok(())
    }

    fn note(&mut self, note: Note) {
        if !self.notes.iter().any(|noted| noted.code() == note.code()) {
            self.notes.push(note);
        }
    }

    fn cut_off(&self, inside: &'static str) -> Problem {
        Problem::CutOff { at: self.bytes.len(), inside }
    }
}
