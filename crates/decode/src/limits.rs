//! How much a file may ask for.

#[cfg(feature = "dicom")]
use std::io::Read;

/// Bytes of a file's start that tell it of nearly all.
pub const NEED_BYTES: u64 = 1 << 16;

/// Bounds on one image, checked before memory is spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most pixels, columns times rows.
    pub max_pixels: u64,
    /// Largest file in bytes.
    pub max_file_bytes: u64,
    /// Most memory for decoded samples in bytes, at the file's own depth and channels. The gray image comes on top, a
    /// byte a pixel, and a progressive JPEG keeps its coefficients meanwhile, two bytes a sample.
    pub max_memory_bytes: u64,
}

/// What any compressed file or data set may hold: more than the samples of 100 megapixels with 16 bits.
#[cfg(feature = "dicom")]
const INFLATED: u64 = 200 << 20;
/// How many times its length it may hold beyond that. Films compress to a third; only blank ones go further.
#[cfg(feature = "dicom")]
const INFLATION: u64 = 16;

/// Most bytes that so many compressed ones may hold, of a `limit` in any case.
#[cfg(feature = "dicom")]
pub(crate) fn inflated(compressed: usize, limit: u64) -> u64 {
    limit.min((compressed as u64).saturating_mul(INFLATION).saturating_add(INFLATED))
}

/// The first bytes that a decoder gives, as far as it does.
#[cfg(feature = "dicom")]
pub(crate) fn start_of(stream: impl Read, bytes: u64) -> Vec<u8> {
    let mut start = Vec::new();
    // Damage further on is told where all is read.
    let _damage = read_up_to(stream, bytes, &mut start);
    start
}

/// Reads what a decoder gives to its end, up to a limit, in small steps: larger ones would take memory for what may not come.
#[cfg(feature = "dicom")]
pub(crate) fn read_up_to(mut stream: impl Read, limit: u64, into: &mut Vec<u8>) -> std::io::Result<()> {
    let mut step = vec![0; 1 << 16];
    let mut left = limit;
    while left > 0 {
        let most = step.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let count = match stream.read(&mut step[..most]) {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            read => read?,
        };
        if count == 0 {
            break;
        }
        into.extend_from_slice(&step[..count]);
        left -= count as u64;
    }
    Ok(())
}

impl Default for Limits {
    /// 100 megapixels, files of 512 MiB and 512 MiB of samples: six times the largest digital radiography detectors.
    fn default() -> Self {
        Self { max_pixels: 100_000_000, max_file_bytes: 512 << 20, max_memory_bytes: 512 << 20 }
    }
}
