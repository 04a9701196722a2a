//! A codestream as the frame of a DICOM film of its own size.

use libfuzzer_sys::Corpus;
use medclip_decode::Limits;
use medclip_decode::dicom::{self, DicomOptions};

/// What no fuzzed film goes beyond: far below the limit of memory that the fuzzer runs with.
fn limits() -> Limits {
    Limits { max_pixels: 4_000_000, max_memory_bytes: 64 << 20, ..Limits::default() }
}

/// Decodes `stream`, an image of these columns and rows.
pub(crate) fn decode(syntax: &str, [columns, rows]: [u16; 2], samples: u16, stream: &[u8]) -> Corpus {
    let film = film(syntax, [columns, rows], samples, stream);
    let values = dicom::values(&film, &limits(), &DicomOptions::default());
    if let Ok(values) = values {
        assert_eq!([values.width, values.height], [columns, rows].map(u32::from));
        assert_eq!(values.data.len(), usize::from(columns) * usize::from(rows) * usize::from(samples));
    }
    Corpus::Keep
}

/// Columns, rows and components that a JPEG 2000 codestream states.
#[allow(dead_code, reason = "JPEG XL states them otherwise")]
pub(crate) fn stated(stream: &[u8]) -> Option<([u16; 2], u16)> {
    let word = |at: usize| Some(u32::from_be_bytes(*stream.get(at..)?.first_chunk()?));
    let side = |axis: usize| u16::try_from(word(8 + axis)?.checked_sub(word(16 + axis)?)?).ok();
    let samples = u16::from_be_bytes(*stream.get(40..)?.first_chunk()?);
    Some(([side(0)?, side(4)?], samples))
}

fn film(syntax: &str, [columns, rows]: [u16; 2], samples: u16, stream: &[u8]) -> Vec<u8> {
    let mut film = vec![0; 128];
    film.extend(b"DICM");
    let mut element = |tag: u32, representation: &[u8; 2], value: &[u8]| {
        let padding = value.len() % 2;
        film.extend([(tag >> 16) as u16, tag as u16].map(u16::to_le_bytes).concat());
        film.extend(representation);
        film.extend(((value.len() + padding) as u16).to_le_bytes());
        film.extend(value);
        film.resize(film.len() + padding, 0);
    };
    element(0x0002_0010, b"UI", syntax.as_bytes());
    let is_gray = samples != 3;
    element(0x0028_0002, b"US", &samples.min(3).to_le_bytes());
    element(0x0028_0004, b"CS", if is_gray { b"MONOCHROME2" } else { b"RGB" });
    element(0x0028_0010, b"US", &rows.to_le_bytes());
    element(0x0028_0011, b"US", &columns.to_le_bytes());
    element(0x0028_0100, b"US", &16_u16.to_le_bytes());
    element(0x0028_0101, b"US", &16_u16.to_le_bytes());
    element(0x0028_0102, b"US", &15_u16.to_le_bytes());
    element(0x0028_0103, b"US", &0_u16.to_le_bytes());
    film.extend(b"\xe0\x7f\x10\x00OB\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\0\0\0\0\xfe\xff\x00\xe0");
    film.extend((stream.len().next_multiple_of(2) as u32).to_le_bytes());
    film.extend(stream);
    film.resize(film.len().next_multiple_of(2), 0);
    film.extend(b"\xfe\xff\xdd\xe0\0\0\0\0");
    film
}
