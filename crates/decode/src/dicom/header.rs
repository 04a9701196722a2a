//! Headers of data elements, and which of the ways to read one makes sense.
//!
//! Writers mix explicit and implicit value representation, invent representations, and give long ones short lengths. A header
//! that is as the standard has it is believed. Any other is read in each of the three forms there are, and the one after which
//! another element follows is taken. All looks ahead are of constant cost.

use dicom_core::Tag;

use super::encoding::Encoding;

pub(super) const ITEM: Tag = Tag(0xfffe, 0xe000);
pub(super) const ITEM_END: Tag = Tag(0xfffe, 0xe00d);
pub(super) const SEQUENCE_END: Tag = Tag(0xfffe, 0xe0dd);
/// The length of what ends with a delimiter.
pub(super) const UNDEFINED: u32 = u32::MAX;

/// No representation: the encoding leaves it out, or what is written is none.
pub(super) const NO_VR: [u8; 2] = *b"  ";

/// The header of an element or item.
#[derive(Debug, Clone, Copy)]
pub(super) struct Header {
    pub(super) tag: Tag,
    /// [`NO_VR`] for none.
    pub(super) vr: [u8; 2],
    pub(super) len: u32,
    /// Where the value starts.
    pub(super) value: usize,
    /// It is not written as the encoding has it.
    pub(super) strange: bool,
}

impl Header {
    /// Where a value of stated length ends, if so many bytes follow.
    pub(super) fn end(&self, available: usize) -> Option<usize> {
        let end = self.value.checked_add(self.len as usize)?;
        (self.len != UNDEFINED && end <= available).then_some(end)
    }

    fn fits(&self, available: usize) -> bool {
        self.len == UNDEFINED || self.end(available).is_some()
    }
}

/// Where the length stands and how wide it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Four bytes, no representation.
    Implicit,
    /// Two bytes after the representation.
    Short,
    /// Four bytes after the representation and two reserved ones.
    Long,
}

impl Form {
    const fn of(vr: [u8; 2]) -> Self {
        if has_long_length(vr) { Self::Long } else { Self::Short }
    }
}

/// The tag at a position; none where `bytes` ends before.
pub(super) fn tag(bytes: &[u8], at: usize, encoding: Encoding) -> Option<Tag> {
    let &[a, b, c, d] = bytes.get(at..)?.first_chunk()?;
    Some(Tag(encoding.u16([a, b]), encoding.u16([c, d])))
}

/// The header at a position; none where `bytes` ends before it does.
pub(super) fn read(bytes: &[u8], at: usize, encoding: Encoding) -> Option<Header> {
    if tag(bytes, at, encoding)?.group() == 0xfffe || !encoding.explicit {
        let header = in_form(bytes, at, encoding, Form::Implicit)?;
        let Some(vr) = representation(bytes, at).filter(|&vr| is_representation(vr)) else {
            return Some(header);
        };
        if header.tag.group() == 0xfffe || is_before_sound(bytes, &header, encoding) {
            return Some(header);
        }
        // An element with its representation among others without: what looks like a long length is none.
        let other = in_form(bytes, at, encoding, Form::of(vr));
        return Some(other.filter(|other| is_before_sound(bytes, other, encoding)).unwrap_or(header));
    }
    let vr = representation(bytes, at)?;
    if is_representation(vr) {
        let form = Form::of(vr);
        let header = in_form(bytes, at, encoding, form)?;
        let is_reserved = form == Form::Long && bytes[at + 6..at + 8] != [0; 2];
        if header.fits(bytes.len()) && !is_reserved {
            return Some(header);
        }
        // The representation is right; its length may be written as that of others is, or by a writer of implicit ones.
        let other = if form == Form::Long { Form::Short } else { Form::Long };
        let other = [other, Form::Implicit]
            .into_iter()
            .filter_map(|form| in_form(bytes, at, encoding, form))
            .find(|other| other.len != 0 && is_before_sound(bytes, other, encoding));
        return Some(other.map_or(header, |other| Header { strange: true, ..other }));
    }
    let forms = if vr.iter().all(u8::is_ascii_graphic) {
        [Form::Short, Form::Long, Form::Implicit]
    } else {
        [Form::Implicit, Form::Short, Form::Long]
    };
    let headers = forms.map(|form| in_form(bytes, at, encoding, form));
    let headers = || headers.iter().flatten();
    let before_sound = headers().find(|header| is_before_sound(bytes, header, encoding));
    let followed = before_sound.or_else(|| headers().find(|header| is_followed(bytes, header, encoding)));
    let chosen = followed.or_else(|| headers().find(|header| header.fits(bytes.len())));
    chosen.or_else(|| headers().next()).map(|&header| Header { strange: true, ..header })
}

/// Whether an element or delimiter that may come after `last` starts at a position, or the bytes end there.
pub(super) fn is_element(bytes: &[u8], at: usize, encoding: Encoding, last: Tag) -> bool {
    if at == bytes.len() {
        return true;
    }
    let Some(tag) = tag(bytes, at, encoding) else { return false };
    if tag.group() == 0xfffe {
        return matches!(tag, ITEM | ITEM_END | SEQUENCE_END);
    }
    let fits = |form| in_form(bytes, at, encoding, form).is_some_and(|header| header.fits(bytes.len()));
    tag > last
        && match representation(bytes, at) {
            Some(vr) if encoding.explicit && is_representation(vr) => fits(Form::of(vr)),
            Some(_) if encoding.explicit => fits(Form::Short) || fits(Form::Implicit) || fits(Form::Long),
            _ => fits(Form::Implicit),
        }
}

/// As [`is_element`], and the element is just as the encoding has it.
pub(super) fn is_sound(bytes: &[u8], at: usize, encoding: Encoding, last: Tag) -> bool {
    at == bytes.len()
        || strict(bytes, at, encoding).is_some_and(|header| match header.tag.group() {
            0xfffe => matches!(header.tag, ITEM | ITEM_END | SEQUENCE_END),
            _ => header.tag > last,
        })
}

/// How the data set at a position is written: as declared, unless its first two elements only make sense otherwise.
pub(super) fn detect(bytes: &[u8], at: usize, declared: Encoding) -> Encoding {
    if tag(bytes, at, declared).is_none_or(|tag| tag.group() == 0xfffe) {
        return declared;
    }
    let explicit = Encoding { explicit: true, ..declared };
    // Implicit lengths that look like representations are far rarer than explicit elements where implicit ones are declared.
    let candidates = [explicit, declared, Encoding::EXPLICIT, Encoding::IMPLICIT, Encoding::BIG_ENDIAN];
    candidates.into_iter().find(|&encoding| makes_sense(bytes, at, encoding)).unwrap_or(declared)
}

fn makes_sense(bytes: &[u8], at: usize, encoding: Encoding) -> bool {
    let Some(first) = strict(bytes, at, encoding) else { return false };
    if first.tag.group() == 0xfffe {
        return false;
    }
    if first.len == UNDEFINED {
        return matches!(tag(bytes, first.value, encoding), Some(ITEM | SEQUENCE_END));
    }
    let Some(next) = first.end(bytes.len()) else { return false };
    next == bytes.len()
        || strict(bytes, next, encoding).is_some_and(|second| {
            matches!(second.tag, ITEM_END | SEQUENCE_END)
                || second.tag.group() != 0xfffe && second.tag > first.tag
        })
}

/// A header that is just as the encoding has it.
fn strict(bytes: &[u8], at: usize, encoding: Encoding) -> Option<Header> {
    let implicit = tag(bytes, at, encoding)?.group() == 0xfffe || !encoding.explicit;
    let form = if implicit {
        Form::Implicit
    } else {
        Form::of(representation(bytes, at).filter(|&vr| is_representation(vr))?)
    };
    in_form(bytes, at, encoding, form).filter(|header| header.fits(bytes.len()))
}

fn is_followed(bytes: &[u8], header: &Header, encoding: Encoding) -> bool {
    if header.len == UNDEFINED {
        return matches!(tag(bytes, header.value, encoding), Some(ITEM | SEQUENCE_END));
    }
    header.end(bytes.len()).is_some_and(|end| is_element(bytes, end, encoding, header.tag))
}

/// As [`is_followed`], by an element that is just as the encoding has it.
fn is_before_sound(bytes: &[u8], header: &Header, encoding: Encoding) -> bool {
    if header.len == UNDEFINED {
        return is_followed(bytes, header, encoding);
    }
    header.end(bytes.len()).is_some_and(|end| is_sound(bytes, end, encoding, header.tag))
}

fn in_form(bytes: &[u8], at: usize, encoding: Encoding, form: Form) -> Option<Header> {
    let tag = tag(bytes, at, encoding)?;
    let long = |at: usize| bytes.get(at..)?.first_chunk().map(|&len| encoding.u32(len));
    let short = |at: usize| bytes.get(at..)?.first_chunk().map(|&len| u32::from(encoding.u16(len)));
    let vr = representation(bytes, at).filter(|&vr| is_representation(vr)).unwrap_or(NO_VR);
    let (vr, len, value) = match form {
        Form::Implicit => (NO_VR, long(at + 4)?, at + 8),
        Form::Short => (vr, short(at + 6)?, at + 8),
        Form::Long => (vr, long(at + 8)?, at + 12),
    };
    Some(Header { tag, vr, len, value, strange: form != Form::Implicit && !encoding.explicit })
}

fn representation(bytes: &[u8], at: usize) -> Option<[u8; 2]> {
    bytes.get(at + 4..)?.first_chunk().copied()
}

/// The representations of PS3.5, 6.2.
const fn is_representation(vr: [u8; 2]) -> bool {
    has_long_length(vr)
        || matches!(
            &vr,
            b"AE"
                | b"AS"
                | b"AT"
                | b"CS"
                | b"DA"
                | b"DS"
                | b"DT"
                | b"FD"
                | b"FL"
                | b"IS"
                | b"LO"
                | b"LT"
                | b"PN"
                | b"SH"
                | b"SL"
                | b"SS"
                | b"ST"
                | b"TM"
                | b"UI"
                | b"UL"
                | b"US"
        )
}

/// Representations whose length takes four bytes, after two that are reserved.
const fn has_long_length(vr: [u8; 2]) -> bool {
    matches!(
        &vr,
        b"OB" | b"OD" | b"OF" | b"OL" | b"OV" | b"OW" | b"SQ" | b"SV" | b"UC" | b"UN" | b"UR" | b"UT" | b"UV"
    )
}
