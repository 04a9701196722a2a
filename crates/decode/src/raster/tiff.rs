//! TIFF files: their pages, and whether a page's data is there.
//!
//! # Source
//! TIFF revision 6.0 (1992), and the `BigTIFF` design of libtiff.

use std::borrow::Cow;

use super::jpeg;
use super::orientation::Orientation;
use crate::error::Reason;
use crate::limits::Limits;

const WIDTH: u16 = 256;
const HEIGHT: u16 = 257;
const NEW_SUBFILE_TYPE: u16 = 254;
const SUBFILE_TYPE: u16 = 255;
const COMPRESSION: u16 = 259;
/// Its value for JPEG streams, not that of the earlier design.
const JPEG: u64 = 7;
const JPEG_TABLES: u16 = 347;
const STRIP_OFFSETS: u16 = 273;
const ORIENTATION: u16 = 274;
const STRIP_BYTE_COUNTS: u16 = 279;
const TILE_OFFSETS: u16 = 324;
const TILE_BYTE_COUNTS: u16 = 325;

/// Pages beyond which nobody looks for more.
const MOST_PAGES: usize = 4096;
/// Attributes of all pages together. Directories may lie over each other.
const MOST_ENTRIES: usize = 1 << 20;
/// How often the pixels of a page may be in its JPEG streams. Tiles go beyond the edges of a page; streams that lie over each other
/// would be walked for each of their tiles.
const MOST_COPIES: u64 = 4;
const SPARE_PIXELS: u64 = 1 << 20;
/// Bytes of tables that JPEG streams may share, which are joined with each.
const MOST_TABLES: usize = 1 << 16;

/// A page that can be decoded.
pub(super) struct Page<'a> {
    /// The file, made to start with the page.
    pub(super) bytes: Cow<'a, [u8]>,
    pub(super) orientation: Orientation,
}

/// The page of this number, or the only one. Small copies and masks of pages are no pages.
pub(super) fn page<'a>(bytes: &'a [u8], number: Option<u32>, limits: &Limits) -> Result<Page<'a>, Reason> {
    let file = File::open(bytes).ok_or_else(|| truncated("inside of its header"))?;
    let all = file.directories()?;
    let main: Vec<_> = all.iter().filter(|directory| !directory.is_auxiliary()).collect();
    let pages = if main.is_empty() { all.iter().collect() } else { main };
    let index = match number {
        Some(number) => number as usize,
        None if pages.len() > 1 => return Err(Reason::SeveralPages { pages: pages.len() as u32 }),
        None => 0,
    };
    let Some(directory) = pages.get(index) else {
        return Err(Reason::NoSuchPage { page: index as u32, pages: pages.len() as u32 });
    };
    directory.check_data(limits)?;
    let orientation = Orientation::of_value(directory.number(ORIENTATION).unwrap_or(1) as u32);
    let bytes =
        if directory.at == file.first { Cow::Borrowed(bytes) } else { file.starting_with(directory.at) };
    Ok(Page { bytes, orientation })
}

/// Columns and rows of the largest page.
pub(super) fn size(bytes: &[u8]) -> Option<[u32; 2]> {
    let pages = File::open(bytes)?.directories().ok()?;
    let side = |page: &Directory<'_>, attribute| u32::try_from(page.number(attribute)?).ok();
    let sizes = pages.iter().filter_map(|page| Some([side(page, WIDTH)?, side(page, HEIGHT)?]));
    sizes.max_by_key(|&[width, height]| u64::from(width) * u64::from(height))
}

fn truncated(place: &str) -> Reason {
    Reason::Truncated { what: format!("the TIFF file ends {place}") }
}

/// A file's numbers.
#[derive(Debug, Clone, Copy)]
struct File<'a> {
    bytes: &'a [u8],
    big_endian: bool,
    /// Offsets of eight bytes.
    wide: bool,
    first: usize,
}

impl<'a> File<'a> {
    fn open(bytes: &'a [u8]) -> Option<Self> {
        let (big_endian, wide) = match bytes.first_chunk()? {
            b"II*\0" => (false, false),
            b"MM\0*" => (true, false),
            b"II+\0" => (false, true),
            b"MM\0+" => (true, true),
            _ => return None,
        };
        let file = Self { bytes, big_endian, wide, first: 0 };
        Some(Self { first: file.offset(if wide { 8 } else { 4 })?, ..file })
    }

    fn uint(&self, at: usize, width: usize) -> Option<u64> {
        let bytes = self.bytes.get(at..)?.get(..width)?;
        let number = |number: u64, &byte: &u8| number << 8 | u64::from(byte);
        Some(if self.big_endian { bytes.iter().fold(0, number) } else { bytes.iter().rev().fold(0, number) })
    }

    fn offset(&self, at: usize) -> Option<usize> {
        usize::try_from(self.uint(at, if self.wide { 8 } else { 4 })?).ok()
    }

    fn directories(self) -> Result<Vec<Directory<'a>>, Reason> {
        let mut found: Vec<Directory<'a>> = Vec::new();
        let (mut at, mut entries) = (self.first, 0);
        // A chain that bites its tail ends there.
        while at != 0 && found.len() < MOST_PAGES && found.iter().all(|directory| directory.at != at) {
            let (count_width, entry, last) = if self.wide { (8, 20, 8) } else { (2, 12, 4) };
            let count = self.uint(at, count_width).map_or(usize::MAX, |count| count as usize);
            let end = count.checked_mul(entry).and_then(|len| len.checked_add(at + count_width));
            let Some(end) = end.filter(|end| end + last <= self.bytes.len()) else {
                if found.is_empty() {
                    return Err(truncated("before its first page"));
                }
                return Err(truncated(&format!("before page {}", found.len() + 1)));
            };
            entries += count;
            if entries > MOST_ENTRIES {
                return Err(Reason::Damaged(
                    format!("its pages have more than {MOST_ENTRIES} attributes").into(),
                ));
            }
            found.push(Directory { file: self, at, entries: at + count_width, count });
            at = self.offset(end).unwrap_or(0);
        }
        if found.is_empty() {
            return Err(truncated("before its first page"));
        }
        Ok(found)
    }

    /// A copy whose first page is that at `at`.
    fn starting_with(&self, at: usize) -> Cow<'a, [u8]> {
        let mut bytes = self.bytes.to_vec();
        let (place, width) = if self.wide { (8, 8) } else { (4, 4) };
        let offset = at as u64;
        if self.big_endian {
            bytes[place..place + width].copy_from_slice(&offset.to_be_bytes()[8 - width..]);
        } else {
            bytes[place..place + width].copy_from_slice(&offset.to_le_bytes()[..width]);
        }
        Cow::Owned(bytes)
    }
}

/// What a page says of itself.
#[derive(Debug, Clone, Copy)]
struct Directory<'a> {
    file: File<'a>,
    at: usize,
    entries: usize,
    count: usize,
}

impl Directory<'_> {
    /// The values of an attribute.
    fn numbers(&self, attribute: u16) -> Option<Vec<u64>> {
        let file = self.file;
        let size = if file.wide { 20 } else { 12 };
        let entry = (0..self.count)
            .map(|number| self.entries + number * size)
            .find(|&at| file.uint(at, 2) == Some(attribute.into()))?;
        let width = match file.uint(entry + 2, 2)? {
            1 | 7 => 1,
            3 => 2,
            4 | 13 => 4,
            16 | 18 => 8,
            _ => return None,
        };
        let field = if file.wide { 8 } else { 4 };
        let count = usize::try_from(file.uint(entry + 4, field)?).ok()?;
        let place = entry + 4 + field;
        let len = count.checked_mul(width)?;
        let start = if len <= field { place } else { file.offset(place)? };
        if start.checked_add(len)? > file.bytes.len() {
            return None;
        }
        (0..count).map(|number| file.uint(start + number * width, width)).collect()
    }

    fn number(&self, attribute: u16) -> Option<u64> {
        self.numbers(attribute)?.first().copied()
    }

    /// A smaller copy of another page, or a mask.
    fn is_auxiliary(&self) -> bool {
        self.number(NEW_SUBFILE_TYPE).is_some_and(|kind| kind & 0b101 != 0)
            || self.number(SUBFILE_TYPE) == Some(2)
    }

    /// Refuses pages with strips or tiles that lie outside of the file.
    fn check_data(&self, limits: &Limits) -> Result<(), Reason> {
        for (name, offsets, counts) in
            [("strip", STRIP_OFFSETS, STRIP_BYTE_COUNTS), ("tile", TILE_OFFSETS, TILE_BYTE_COUNTS)]
        {
            let (Some(offsets), Some(counts)) = (self.numbers(offsets), self.numbers(counts)) else {
                continue;
            };
            let end = |(&offset, &count): (&u64, &u64)| offset.saturating_add(count);
            let len = self.file.bytes.len() as u64;
            let total = offsets.len();
            if let Some(number) = offsets.iter().zip(&counts).position(|part| end(part) > len) {
                return Err(truncated(&format!("inside of {name} {} of {total}", number + 1)));
            }
            if let Some(number) =
                offsets.iter().zip(&counts).position(|(&offset, &count)| offset == 0 || count == 0)
            {
                let what = format!("{name} {} of {total} of the TIFF file was never written", number + 1);
                return Err(Reason::Truncated { what });
            }
            if self.number(COMPRESSION) == Some(JPEG) {
                self.check_streams(&offsets, &counts, limits)?;
            }
        }
        Ok(())
    }

    /// Refuses pages with JPEG streams that hold less than they promise, or far more than the page.
    fn check_streams(&self, offsets: &[u64], counts: &[u64], limits: &Limits) -> Result<(), Reason> {
        let tables = self.numbers(JPEG_TABLES).unwrap_or_default();
        if tables.len() > MOST_TABLES {
            return Err(Reason::Damaged("its JPEG tables are larger than any".into()));
        }
        let tables: Vec<u8> = tables.into_iter().map(|byte| byte as u8).collect();
        let side = |attribute| self.number(attribute).unwrap_or(0);
        let page = side(WIDTH).saturating_mul(side(HEIGHT)).min(limits.max_pixels);
        let mut left = page.saturating_mul(MOST_COPIES).saturating_add(SPARE_PIXELS);
        for (&offset, &count) in offsets.iter().zip(counts) {
            let data = self.file.bytes.get(offset as usize..(offset + count) as usize).unwrap_or_default();
            let pixels = jpeg::check(&with_tables(&tables, data), limits)?.pixels;
            left = left.checked_sub(pixels).ok_or_else(|| {
                Reason::Damaged(
                    format!("its JPEG streams hold more than {MOST_COPIES} times its page").into(),
                )
            })?;
        }
        Ok(())
    }
}

/// A JPEG stream with the tables that all streams of the page share.
fn with_tables<'a>(tables: &[u8], data: &'a [u8]) -> Cow<'a, [u8]> {
    // Both start with the start of an image, and the tables end with its end.
    match (tables.strip_suffix(&[0xff, 0xd9]), data.strip_prefix(&[0xff, 0xd8])) {
        (Some(tables), Some(data)) => Cow::Owned([tables, data].concat()),
        _ => Cow::Borrowed(data),
    }
}
