//! A file's preamble, file meta information and data set.

use std::borrow::Cow;

use dicom_dictionary_std::tags;
use flate2::read::DeflateDecoder;

use super::element::DataSet;
use super::encoding::Encoding;
use super::problem::Problem;
use super::syntax::TransferSyntax;
use crate::error::Reason;
use crate::limits::{Limits, NEED_BYTES, inflated, read_up_to, start_of};
use crate::note::Note;

/// Where `DICM` stands.
const PREAMBLE: usize = 128;
const MAGIC: &[u8] = b"DICM";
const META_GROUP: u16 = 0x0002;

/// Bytes enough to recognize a file by.
pub(super) const START: usize = PREAMBLE + MAGIC.len();

/// The bytes of a data set and how to read them.
pub(crate) struct Content<'a> {
    bytes: Cow<'a, [u8]>,
    pub(crate) syntax: TransferSyntax,
    /// What the file leaves out that others have.
    notes: Vec<Note>,
}

/// Whether a file that starts so is DICOM: by the magic after its preamble, or, without one, by the magic alone or a first element
/// that only a DICOM data set has.
pub(super) fn is_dicom(start: &[u8]) -> bool {
    magic_end(start).is_some() || first_element(start).is_some()
}

/// Where the magic ends.
fn magic_end(start: &[u8]) -> Option<usize> {
    if start.get(PREAMBLE..START) == Some(MAGIC) {
        return Some(START);
    }
    let rest = start.strip_prefix(MAGIC)?;
    first_element(rest).is_some().then_some(MAGIC.len())
}

impl<'a> Content<'a> {
    /// Reads the file meta information; inflates, within the limits, what is deflated.
    pub(crate) fn new(file: &'a [u8], limits: &Limits) -> Result<Self, Reason> {
        let mut notes = Vec::new();
        let start = magic_end(file);
        if start != Some(START) {
            notes.push(Note::NoPreamble);
        }
        let start = start.unwrap_or(0);
        // The group's stated length is of no use: its elements end where another group begins.
        let (meta, meta_len) = DataSet::parse_group(&file[start..], META_GROUP).map_err(Reason::from)?;
        let body = &file[start + meta_len..];
        let syntax = if let Some(uid) = meta.text(tags::TRANSFER_SYNTAX_UID) {
            TransferSyntax::from_uid(&uid)?
        } else {
            notes.push(Note::NoTransferSyntax);
            TransferSyntax::native(first_element(body).unwrap_or(Encoding::IMPLICIT))
        };
        let bytes = if !syntax.deflated {
            Cow::Borrowed(body)
        } else if first_element(body).is_some() {
            // No deflate stream starts so: its first block would be longer than it says it is.
            notes.push(Note::EncodingDiffers);
            Cow::Borrowed(body)
        } else {
            Cow::Owned(inflate(body, limits).or_else(|error| match zlib_stream(body) {
                Some(stream) => {
                    notes.push(Note::EncodingDiffers);
                    inflate(stream, limits)
                }
                None => Err(error),
            })?)
        };
        Ok(Self { bytes, syntax, notes })
    }

    /// The data set, and what is odd about it and the file.
    pub(crate) fn data_set(&self) -> Result<(DataSet<'_>, Vec<Note>), Problem> {
        let (data, odd) = DataSet::parse(&self.bytes, self.syntax.encoding)?;
        Ok((data, [&self.notes[..], &odd[..]].concat()))
    }
}

/// What the start of a file shows of its file meta information and of its data set; nothing of other files. A data set that is
/// deflated or written in an unknown way is not looked at.
pub(super) fn prefix(start: &[u8]) -> Option<(DataSet<'_>, Option<DataSet<'_>>)> {
    if !is_dicom(start) {
        return None;
    }
    let bytes = &start[magic_end(start).unwrap_or(0)..];
    let Ok((meta, len)) = DataSet::parse_group(bytes, META_GROUP) else {
        return Some((DataSet::prefix(bytes, Encoding::EXPLICIT), None));
    };
    let body = &bytes[len..];
    let encoding = match meta.text(tags::TRANSFER_SYNTAX_UID) {
        Some(uid) => TransferSyntax::from_uid(&uid)
            .ok()
            .filter(|syntax| !syntax.deflated)
            .map(|syntax| syntax.encoding),
        None => first_element(body),
    };
    let data = encoding.map(|encoding| DataSet::prefix(body, encoding));
    Some((meta, data))
}

/// As [`prefix`], with the start of a data set that is deflated.
pub(super) fn prefix_with_deflated(start: &[u8]) -> Option<Prefix<'_>> {
    let (meta, data) = prefix(start)?;
    let bytes = &start[magic_end(start).unwrap_or(0)..];
    let deflated = match meta.text(tags::TRANSFER_SYNTAX_UID).map(|uid| TransferSyntax::from_uid(&uid)) {
        Some(Ok(syntax)) if syntax.deflated => {
            let (_, len) = DataSet::parse_group(bytes, META_GROUP).ok()?;
            let body = &bytes[len..];
            let stream =
                if first_element(body).is_some() { None } else { Some(zlib_stream(body).unwrap_or(body)) };
            let inflated = |stream| start_of(DeflateDecoder::new(stream), NEED_BYTES);
            Some(stream.map_or_else(|| body.to_vec(), inflated))
        }
        _ => None,
    };
    Some((meta, data, deflated))
}

/// File meta information, data set, and the start of one that is deflated.
type Prefix<'a> = (DataSet<'a>, Option<DataSet<'a>>, Option<Vec<u8>>);

/// The deflate stream behind a zlib header, which does not belong there (RFC 1950).
fn zlib_stream(bytes: &[u8]) -> Option<&[u8]> {
    let &[method, flags, ref stream @ ..] = bytes else { return None };
    let is_header = method & 15 == 8 && flags & 0x20 == 0 && u16::from_be_bytes([method, flags]) % 31 == 0;
    is_header.then_some(stream)
}

/// What a deflate stream holds, within the limits.
fn inflate(bytes: &[u8], limits: &Limits) -> Result<Vec<u8>, Reason> {
    let limit = inflated(bytes.len(), limits.max_memory_bytes);
    let mut data = Vec::new();
    read_up_to(DeflateDecoder::new(bytes), limit.saturating_add(1), &mut data).map_err(Problem::Inflate)?;
    if data.len() as u64 > limit {
        return Err(Reason::TooMuchMemory { limit });
    }
    Ok(data)
}

/// The encoding that makes sense of a first element of group 0002 or 0008.
fn first_element(bytes: &[u8]) -> Option<Encoding> {
    let &[a, b, c, d, v, r, x, y] = bytes.first_chunk()?;
    let explicit = is_representation([v, r]);
    match ([a, b], [c, d]) {
        // Groups 0002 and 0008, elements below 0100.
        ([0x02 | 0x08, 0], [_, 0]) if explicit => Some(Encoding::EXPLICIT),
        ([0, 0x02 | 0x08], [0, _]) if explicit => Some(Encoding::BIG_ENDIAN),
        ([0x08, 0], [_, 0]) => {
            let len = u32::from_le_bytes([v, r, x, y]) as usize;
            (len <= 256 && len.is_multiple_of(2)).then_some(Encoding::IMPLICIT)
        }
        _ => None,
    }
}

/// Representations that a data set starts with: lengths, identifiers, codes, dates.
fn is_representation(vr: [u8; 2]) -> bool {
    matches!(&vr, b"UL" | b"OB" | b"UI" | b"CS" | b"DA" | b"TM" | b"SH" | b"LO" | b"SQ" | b"DT")
}
