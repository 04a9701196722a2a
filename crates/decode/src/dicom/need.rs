//! How much memory a DICOM file will take to decode.

use dicom_dictionary_std::tags;

use super::content;
use super::element::DataSet;
use super::encoding::Encoding;
use super::syntax::{Compression, TransferSyntax};
use crate::limits::{Limits, inflated};

/// Records of a JPEG 2000 decoder for tiny code blocks, and tables of a JPEG XL decoder, in bytes.
const RECORDS: u64 = 32 << 20;
/// What a deflated data set holds beside its samples, as a rule.
const SPARE: u64 = 16 << 20;

/// Most bytes beside those of the file, if the start tells the size of the image and how it is compressed.
pub(crate) fn need(start: &[u8], len: u64, limits: &Limits) -> Option<u64> {
    let (meta, data, deflated) = content::prefix_with_deflated(start)?;
    let syntax = match meta.text(tags::TRANSFER_SYNTAX_UID).map(|uid| TransferSyntax::from_uid(&uid)) {
        // Refused before anything is made.
        Some(Err(_)) => return Some(0),
        Some(Ok(syntax)) => Some(syntax),
        None => None,
    };
    if let Some(deflated) = deflated {
        return Some(of_deflated(&deflated, len, limits));
    }
    of_data(&data?, syntax)
}

/// What a deflated data set holds, and what that takes: as much as any may inflate to where its start does not tell.
fn of_deflated(start: &[u8], len: u64, limits: &Limits) -> u64 {
    let most = inflated(usize::try_from(len).unwrap_or(usize::MAX), limits.max_memory_bytes);
    let data = DataSet::prefix(start, Encoding::EXPLICIT);
    let Some(decoding) = of_data(&data, None) else { return most.saturating_mul(2) };
    // Native samples, the attributes, and what may follow.
    let frames =
        data.decimals(tags::NUMBER_OF_FRAMES).and_then(|frames| frames.values.first().copied().flatten());
    let frames = frames.map_or(1, |frames| frames.clamp(1.0, 1e9) as u64);
    let holds = decoding.saturating_mul(frames).saturating_add(SPARE).min(most);
    holds.saturating_add(decoding)
}

/// What decoding a frame takes, if the attributes tell.
fn of_data(data: &DataSet<'_>, syntax: Option<TransferSyntax>) -> Option<u64> {
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
        Compression::Jpeg2000 | Compression::HighThroughputJpeg2000 => (4 * 4 + 2, RECORDS),
        // Its account is limited to this much.
        Compression::JpegXl => (48, RECORDS),
    };
    // Planes of color are put together anew, and the gray image may be made square.
    let of_pixel = samples * (sample + if samples > 1 { kept } else { 0 }) + 3;
    Some(pixels.saturating_mul(of_pixel).saturating_add(fixed))
}
