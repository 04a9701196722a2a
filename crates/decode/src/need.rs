//! How much memory a file will take to decode, told from its start.

use crate::format::Format;
use crate::jpeg;
use crate::limits::Limits;

/// Tables, buffers and whatever else does not grow with the image, in bytes.
const FIXED: u64 = 4 << 20;
/// Bytes for each pixel of which nothing is known but that it is one: 16-bit color with transparency, twice, and gray.
const UNKNOWN_PIXEL: u64 = 17;

/// Most bytes that decoding takes beside the file's own, as far as `start` tells: all of the file, or its first [`NEED_BYTES`](crate::NEED_BYTES).
///
/// A figure that is not in the start is taken to be the largest that the limits allow once the whole file was given (`len` is its
/// length in bytes); before that, there is no answer. The answer is an estimate from above for whatever the decoder accepts.
pub fn need(start: &[u8], len: u64, limits: &Limits) -> Option<u64> {
    let is_whole = start.len() as u64 >= len;
    let most = limits.max_memory_bytes.saturating_add(limits.max_pixels);
    let found = match Format::recognize(start) {
        // Refused at once.
        None => return Some(0),
        // How much a stream holds stands at its end.
        Some(Format::Gzip) => is_whole.then(|| of_gzip(start, limits)),
        Some(Format::Dicom) => of_dicom(start, len, limits),
        Some(Format::Png) => png(start).map(|bytes| bytes.saturating_add(len)),
        Some(Format::Jpeg) => jpeg::size(start).map(|([width, height], components)| {
            // Coefficients, samples, planes, and gray.
            pixels(width, height).saturating_mul(components * 6 + 1)
        }),
        Some(Format::Bmp) => bmp(start),
        Some(Format::WebP) => webp(start),
        // Directories stand anywhere.
        Some(Format::Tiff) => is_whole.then(|| tiff(start)).flatten(),
    };
    let found = found.or_else(|| is_whole.then_some(most));
    found.map(|bytes| bytes.min(most).saturating_add(FIXED))
}

fn pixels(width: u32, height: u32) -> u64 {
    u64::from(width) * u64::from(height)
}

/// What a gzip stream holds, and what that takes. A stream that says it holds less than it does is damaged and takes more until
/// that shows: as much as any may inflate to.
#[cfg(feature = "dicom")]
fn of_gzip(file: &[u8], limits: &Limits) -> u64 {
    let most = crate::limits::inflated(file.len(), limits.max_file_bytes);
    // Of several streams, or with padding behind them, the end says nothing that could be true.
    let stated = file.last_chunk().map_or(0, |&stated| u64::from(u32::from_le_bytes(stated)));
    let holds = if stated >= file.len() as u64 / 2 { stated.min(most) } else { most };
    let start = crate::limits::start_of(flate2::read::GzDecoder::new(file), crate::limits::NEED_BYTES);
    let decoding = of_dicom(&start, holds, limits).unwrap_or(holds);
    holds.saturating_add(decoding)
}

#[cfg(not(feature = "dicom"))]
fn of_gzip(_file: &[u8], _limits: &Limits) -> u64 {
    0
}

#[cfg(feature = "dicom")]
fn of_dicom(start: &[u8], len: u64, limits: &Limits) -> Option<u64> {
    crate::dicom::need(start, len, limits)
}

#[cfg(not(feature = "dicom"))]
#[allow(clippy::unnecessary_wraps, reason = "other builds have no answer at times")]
fn of_dicom(_start: &[u8], _len: u64, _limits: &Limits) -> Option<u64> {
    Some(0)
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|&word| u32::from_le_bytes(word))
}

fn png(start: &[u8]) -> Option<u64> {
    let [width, height] = [16, 20].map(|at| word(start, at).map(u32::swap_bytes));
    let (&depth, &kind) = (start.get(24)?, start.get(25)?);
    // Transparency and palettes are spread out.
    let channels = if kind & 2 == 2 || kind & 1 == 1 { 4 } else { 2 };
    let sample = if depth > 8 { 2 } else { 1 };
    Some(pixels(width?, height?).saturating_mul(2 * channels * sample + 1))
}

fn bmp(start: &[u8]) -> Option<u64> {
    let size = word(start, 14)?;
    let (width, height) = if size == 12 {
        let sides = word(start, 18)?;
        (sides & 0xffff, sides >> 16)
    } else {
        // Rows from the top down have a negative number.
        (word(start, 18)?, (word(start, 22)? as i32).unsigned_abs())
    };
    Some(pixels(width, height).saturating_mul(9))
}

fn webp(start: &[u8]) -> Option<u64> {
    let (width, height) = match start.get(12..16)? {
        b"VP8 " => {
            let sides = word(start, 26)?;
            (sides & 0x3fff, sides >> 16 & 0x3fff)
        }
        b"VP8L" => {
            let sides = word(start, 21)?;
            ((sides & 0x3fff) + 1, (sides >> 14 & 0x3fff) + 1)
        }
        b"VP8X" => {
            let side = |at| word(start, at).map(|side| (side & 0x00ff_ffff) + 1);
            (side(24)?, side(27)?)
        }
        _ => return None,
    };
    Some(pixels(width, height).saturating_mul(UNKNOWN_PIXEL))
}

fn tiff(file: &[u8]) -> Option<u64> {
    let [width, height] = crate::raster::tiff_size(file)?;
    // A page other than the first is decoded from a copy of the file.
    Some(pixels(width, height).saturating_mul(UNKNOWN_PIXEL).saturating_add(file.len() as u64))
}
