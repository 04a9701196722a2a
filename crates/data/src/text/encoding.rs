//! Bytes of any Unicode encoding as UTF-8.

use std::io::{self, BufRead, Read};

use crate::error::TableError;
use crate::table::MAGIC;

/// How text is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Utf8,
    Utf16 { is_big_endian: bool },
}

impl Encoding {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "UTF-8",
            Self::Utf16 { .. } => "UTF-16",
        }
    }
}

/// The encoding, and the length of the mark that says so, by the first bytes of a file.
///
/// Without a mark, UTF-16 is known by the zeros in the letters of its header, which are of ASCII for the most part.
///
/// # Errors
/// [`TableError::NotText`] by name where the bytes are those of another kind of file.
pub(super) fn detect(start: &[u8]) -> Result<(Encoding, usize), TableError> {
    const MARKS: [(&[u8], Encoding); 3] = [
        (&[0xef, 0xbb, 0xbf], Encoding::Utf8),
        (&[0xff, 0xfe], Encoding::Utf16 { is_big_endian: false }),
        (&[0xfe, 0xff], Encoding::Utf16 { is_big_endian: true }),
    ];
    if let Some(found) = other_file(start) {
        return Err(TableError::NotText { found });
    }
    if let Some((mark, encoding)) = MARKS.iter().find(|(mark, _)| start.starts_with(mark)) {
        return Ok((*encoding, mark.len()));
    }
    let zeros = |offset| start.iter().skip(offset).step_by(2).filter(|byte| **byte == 0).count();
    let half = start.len() / 2;
    let encoding = match (zeros(0), zeros(1)) {
        (0, odd) if odd > 0 && odd >= half / 2 => Encoding::Utf16 { is_big_endian: false },
        (even, 0) if even > 0 && even >= half / 2 => Encoding::Utf16 { is_big_endian: true },
        _ => Encoding::Utf8,
    };
    Ok((encoding, 0))
}

/// Files that are offered as tables and are none.
fn other_file(start: &[u8]) -> Option<&'static str> {
    let kinds: [(&[u8], &str); 14] = [
        (MAGIC, "it is a Parquet file, which is read from a file only, not from a stream"),
        (b"PK\x03\x04", "it is a zip archive or an Excel workbook (.xlsx); save the sheet as CSV"),
        (b"\xd0\xcf\x11\xe0", "it is an Excel workbook (.xls); save the sheet as CSV"),
        (b"ARROW1", "it is an Arrow or Feather file; write it as Parquet or CSV"),
        (b"FEA1", "it is a Feather file; write it as Parquet or CSV"),
        (b"SQLite format 3\0", "it is an SQLite database; export the table as CSV"),
        (b"\x28\xb5\x2f\xfd", "it is compressed with zstd; unpack it first"),
        (b"BZh", "it is compressed with bzip2; unpack it first"),
        (b"\xfd7zXZ\0", "it is compressed with xz; unpack it first"),
        (b"\x89PNG", "it is a PNG image"),
        (b"\xff\xd8\xff", "it is a JPEG image"),
        (b"%PDF", "it is a PDF document"),
        (&[0xff, 0xfe, 0, 0], "it is UTF-32 text; save it as UTF-8"),
        (&[0, 0, 0xfe, 0xff], "it is UTF-32 text; save it as UTF-8"),
    ];
    if let Some((_, kind)) = kinds.iter().find(|(magic, _)| start.starts_with(magic)) {
        return Some(kind);
    }
    let text = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start).trim_ascii_start();
    let starts = |with: &[u8]| text.get(..with.len()).is_some_and(|text| text.eq_ignore_ascii_case(with));
    if starts(b"<!doctype") || starts(b"<html") || starts(b"<?xml") {
        return Some("it is an HTML or XML page; a download may have failed");
    }
    if starts(b"version https://git-lfs") {
        return Some("it is a pointer of Git LFS; fetch the file itself with `git lfs pull`");
    }
    None
}

/// UTF-16 as UTF-8. A half of a pair alone becomes bytes that are not UTF-8, so that whoever reads the cell refuses it.
pub(super) struct Utf16<R> {
    input: R,
    is_big_endian: bool,
    /// A byte of an unfinished unit.
    byte: Option<u8>,
    /// The first half of a pair.
    high: Option<u16>,
    /// Whether the input has ended.
    is_done: bool,
    out: Vec<u8>,
    at: usize,
}

impl<R: Read> Utf16<R> {
    pub(super) fn new(input: R, is_big_endian: bool) -> Self {
        Self { input, is_big_endian, byte: None, high: None, is_done: false, out: Vec::new(), at: 0 }
    }

    fn unit(&mut self, unit: u16) {
        if let Some(high) = self.high.take() {
            if (0xdc00..0xe000).contains(&unit) {
                let code = 0x1_0000 + ((u32::from(high) - 0xd800) << 10) + (u32::from(unit) - 0xdc00);
                self.push(code);
                return;
            }
            self.push(u32::from(high));
        }
        if (0xd800..0xdc00).contains(&unit) {
            self.high = Some(unit);
        } else {
            self.push(u32::from(unit));
        }
    }

    fn push(&mut self, code: u32) {
        if let Some(letter) = char::from_u32(code) {
            self.out.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
        } else {
            let low = |shift: u32| 0x80 | (code >> shift & 0x3f) as u8;
            self.out.extend_from_slice(&[0xe0 | (code >> 12) as u8, low(6), low(0)]);
        }
    }
}

impl<R: Read> BufRead for Utf16<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let mut bytes = [0; 8192];
        while self.at == self.out.len() && !self.is_done {
            self.out.clear();
            self.at = 0;
            let read = self.input.read(&mut bytes)?;
            for &byte in &bytes[..read] {
                match self.byte.take() {
                    None => self.byte = Some(byte),
                    Some(first) if self.is_big_endian => self.unit(u16::from_be_bytes([first, byte])),
                    Some(first) => self.unit(u16::from_le_bytes([first, byte])),
                }
            }
            if read == 0 {
                self.is_done = true;
                if let Some(high) = self.high.take() {
                    self.push(u32::from(high));
                }
                if self.byte.take().is_some() {
                    self.out.push(0xff);
                }
            }
        }
        Ok(&self.out[self.at..])
    }

    fn consume(&mut self, amount: usize) {
        self.at = (self.at + amount).min(self.out.len());
    }
}

impl<R: Read> Read for Utf16<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(out)?;
        self.consume(read);
        Ok(read)
    }
}
