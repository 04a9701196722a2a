//! How much memory a DICOM file will take to decode.

use dicom_dictionary_std::tags;

use super::content;
use super::syntax::{Compression, TransferSyntax};
use crate::limits::{Limits, inflated};

/// Records of a JPEG 2000 decoder for tiny code blocks, and tables of a JPEG XL decoder, in bytes.
const RECORDS: u64 = 64 << 20;

/// Most bytes beside those of the file, if the start tells the size of the image and how it is compressed.
pub(crate) fn need(start: &[u8], len: u64, limits: &Limits) -> Option<u64> {
    let (meta, data) = content::prefix(start)?;
    let syntax = match meta.text(tags::TRANSFER_SYNTAX_UID).map(|uid| TransferSyntax::from_uid(&uid)) {
        // Refused before anything is made.
        Some(Err(_)) => return Some(0),
        Some(Ok(syntax)) => Some(syntax),
        None => None,
    };
    if syntax.is_some_and(|syntax| syntax.deflated) {
        let len = usize::try_from(len).unwrap_or(usize::MAX);
        return Some(inflated(len, limits.max_memory_bytes).saturating_mul(2));
    }
    let data = data?;
    let [rows, columns] = [tags::ROWS, tags::COLUMNS].map(|tag| data.word(tag).map(u64::from));
    let samples = data.word(tags::SAMPLES_PER_PIXEL).map_or(1, |samples| u64::from(samples).min(3));
    let allocated = data.word(tags::BITS_ALLOCATED)?;
    let pixels = rows? * columns?;
    // Samples as the decoder gives them.
    let kept: u64 = if allocated > 16 { 4 } else { 2 };
    let (sample, fixed) = match syntax.map_or(Compression::Native, |syntax| syntax.compression) {
        Compression::Native | Compression::Fragments => (kept, 0),
        Compression::Deflate => (kept + 4, 0),
        Compression::Rle => (kept + 1, 0),
        Compression::JpegLs => (2, 0),
        // Coefficients or planes, what the decoder gives, and both of a progressive image.
        Compression::Jpeg => (10, 0),
        // Coefficients, two steps of the transform, and planes of 32 bits.
        Compression::Jpeg2000 | Compression::HighThroughputJpeg2000 => (4 * 4 + 4, RECORDS),
        // Its account is limited to this much.
        Compression::JpegXl => (48, RECORDS),
    };
    // Planes of color are put together anew, and the gray image may be made square.
    let of_pixel = samples * (sample + if samples > 1 { kept } else { 0 }) + 3;
    Some(pixels.saturating_mul(of_pixel).saturating_add(fixed))
}
