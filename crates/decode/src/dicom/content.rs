//! A file's preamble, file meta information and data set.

use std::borrow::Cow;
use std::io::Read;

use dicom_dictionary_std::tags;
use flate2::read::DeflateDecoder;

use super::element::{DataSet, Encoding};
use super::problem::Problem;
use super::syntax::TransferSyntax;
use crate::error::Reason;
use crate::limits::Limits;
use crate::note::Note;

/// Where `DICM` stands.
const PREAMBLE: usize = 128;
const MAGIC: &[u8] = b"DICM";
const META_GROUP: u16 = 0x0002;

/// Bytes enough to recognise a file by.
pub(super) const START: usize = PREAMBLE + MAGIC.len();

/// The bytes of a data set and how to read them.
pub(crate) struct Content<'a> {
    bytes: Cow<'a, [u8]>,
    pub(crate) syntax: TransferSyntax,
    /// What the file leaves out that others have.
    pub(crate) notes: Vec<Note>,
}

/// Whether a file that starts so is DICOM: by the magic after its preamble, or, without one, by a first element that only a
/// DICOM data set has.
pub(super) fn is_dicom(start: &[u8]) -> bool {
    has_magic(start) || first_element(start).is_some()
}

fn has_magic(start: &[u8]) -> bool {
    start.get(PREAMBLE..START) == Some(MAGIC)
}

impl<'a> Content<'a> {
    /// Reads the file meta information; inflates, within the limits, what is deflated.
    pub(crate) fn new(file: &'a [u8], limits: &Limits) -> Result<Self, Reason> {
        let mut notes = Vec::new();
        let start = if has_magic(file) {
            START
        } else {
            notes.push(Note::NoPreamble);
            0
        };
        // The group's stated length is of no use: its elements end where another group begins.
        let (meta, meta_len) = DataSet::parse_group(&file[start..], META_GROUP).map_err(Reason::from)?;
        let body = &file[start + meta_len..];
        let syntax = if let Some(uid) = meta.text(tags::TRANSFER_SYNTAX_UID) {
            TransferSyntax::from_uid(&uid)?
        } else {
            notes.push(Note::NoTransferSyntax);
            TransferSyntax::native(first_element(body).unwrap_or(Encoding::IMPLICIT))
        };
        let bytes = if syntax.deflated { Cow::Owned(inflate(body, limits)?) } else { Cow::Borrowed(body) };
        Ok(Self { bytes, syntax, notes })
    }

    pub(crate) fn data_set(&self) -> Result<DataSet<'_>, Problem> {
        DataSet::parse(&self.bytes, self.syntax.encoding)
    }
}

/// What the start of a file shows of its file meta information and of its data set; nothing of other files. A data set that is
/// deflated or written in an unknown way is not looked at.
pub(super) fn prefix(start: &[u8]) -> Option<(DataSet<'_>, Option<DataSet<'_>>)> {
    if !is_dicom(start) {
        return None;
    }
    let bytes = &start[if has_magic(start) { START } else { 0 }..];
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

/// At most `limits.max_memory_bytes` of a deflate stream.
fn inflate(bytes: &[u8], limits: &Limits) -> Result<Vec<u8>, Reason> {
    let limit = limits.max_memory_bytes;
    let mut inflated = Vec::new();
    let mut stream = DeflateDecoder::new(bytes).take(limit.saturating_add(1));
    stream.read_to_end(&mut inflated).map_err(Problem::Inflate)?;
    if inflated.len() as u64 > limit {
        return Err(Reason::TooMuchMemory { limit });
    }
    Ok(inflated)
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
