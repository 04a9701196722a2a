//! From the bytes of a frame to its samples.

mod jpeg;
#[cfg(feature = "jpeg2000")]
mod jpeg2000;
mod jpeg_ls;
#[cfg(feature = "jpegxl")]
mod jpegxl;
mod native;
mod rle;

use std::io::Read;

use flate2::read::DeflateDecoder;
use medclip_core::guard::catch_quietly;

use super::frame::FrameBytes;
use super::layout::Layout;
use super::problem::Problem;
use super::samples::Samples;
use super::syntax::Compression;
use crate::error::Reason;
use crate::limits::Limits;
use crate::note::Note;

/// A frame's samples.
#[derive(Debug)]
pub(crate) struct Decoded {
    pub(crate) samples: Samples,
    /// Bits that the decoder gave each.
    pub(crate) precision: u16,
    /// The decoder has turned luma and chroma into red, green and blue.
    pub(crate) rgb: bool,
    /// What is unusual about the frame.
    pub(crate) notes: Vec<Note>,
}

/// Decodes a frame. It must be of the size that the attributes say, and no decoder is started that would need more than the
/// limits allow.
pub(crate) fn decode(
    frame: &FrameBytes<'_>,
    layout: &Layout,
    compression: Compression,
    limits: &Limits,
) -> Result<Decoded, Reason> {
    let stream = match frame {
        FrameBytes::Native { bytes, first_bit, big_endian } => {
            return Ok(native::decode(bytes, *first_bit, *big_endian, layout));
        }
        FrameBytes::Stream(stream) => stream,
    };
    let codec = compression.name();
    catch_quietly(|| -> Result<Decoded, Reason> {
        match compression {
            Compression::Native | Compression::Fragments => unreachable!("such frames are no streams"),
            Compression::Deflate => Ok(native::decode(&inflate(stream, layout)?, 0, false, layout)),
            Compression::Rle => Ok(rle::decode(stream, layout)?),
            Compression::Jpeg => jpeg::decode(stream, layout, limits),
            Compression::JpegLs => Ok(jpeg_ls::decode(stream, layout)?),
            #[cfg(feature = "jpeg2000")]
            Compression::Jpeg2000 => Ok(jpeg2000::decode(stream, layout, limits)?),
            #[cfg(feature = "jpegxl")]
            Compression::JpegXl => Ok(jpegxl::decode(stream, layout, limits)?),
            #[cfg(not(feature = "jpeg2000"))]
            Compression::Jpeg2000 => Err(Problem::LeftOut { name: codec, feature: "jpeg2000" }.into()),
            #[cfg(not(feature = "jpegxl"))]
            Compression::JpegXl => Err(Problem::LeftOut { name: codec, feature: "jpegxl" }.into()),
            #[cfg(feature = "htj2k")]
            Compression::HighThroughputJpeg2000 => jpeg2000::high_throughput::decode(stream, layout, limits),
            #[cfg(not(feature = "htj2k"))]
            Compression::HighThroughputJpeg2000 => {
                Err(Problem::LeftOut { name: codec, feature: "htj2k" }.into())
            }
        }
    })
    .unwrap_or_else(|message| Err(Problem::DecoderPanic { codec, message }.into()))
}

/// A deflated frame: exactly as many bytes as an uncompressed one has.
fn inflate(stream: &[u8], layout: &Layout) -> Result<Vec<u8>, Problem> {
    let needed = layout.samples() as u64 * u64::from(layout.allocated);
    let needed = needed.div_ceil(8);
    let mut bytes = Vec::new();
    DeflateDecoder::new(stream).take(needed).read_to_end(&mut bytes).map_err(Problem::Inflate)?;
    if (bytes.len() as u64) < needed {
        return Err(Problem::PixelDataShort { needed, actual: bytes.len() as u64 });
    }
    Ok(bytes)
}

/// A frame of another size than the attributes say.
fn check_size(
    codec: &'static str,
    layout: &Layout,
    width: u32,
    height: u32,
    samples: u32,
) -> Result<(), Problem> {
    let expected = [layout.width, layout.height, u32::from(layout.photometric.samples())];
    if expected == [width, height, samples] {
        return Ok(());
    }
    Err(Problem::FrameDiffers {
        codec,
        expected: layout.size(),
        actual: format!("{width}×{height}×{samples}"),
    })
}
