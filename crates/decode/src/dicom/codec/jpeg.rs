//! JPEG: baseline and progressive with 8 bits, lossless with up to 16, extended with 12.

mod extended;
pub(super) mod header;

use jpeg_decoder::{ColorTransform, Decoder, PixelFormat};

use self::header::{Header, Process};
use super::{Decoded, check_size};
use crate::dicom::colour::rgb_of_ybr;
use crate::dicom::layout::{Layout, Photometric};
use crate::dicom::problem::Problem;
use crate::dicom::samples::Samples;
use crate::error::Reason;
use crate::limits::Limits;

const CODEC: &str = "JPEG";

/// Passes over all coefficients that a progressive image may ask for. Encoders make about ten.
const MAX_SCANS: usize = 100;

pub(super) fn decode(stream: &[u8], layout: &Layout, limits: &Limits) -> Result<Decoded, Reason> {
    let header = Header::read(stream, CODEC)?;
    check_size(CODEC, layout, header.width, header.height, header.components.len() as u32)?;
    if header.scans > MAX_SCANS {
        return Err(unsupported(format!("{} scans, more than {MAX_SCANS}", header.scans)).into());
    }
    if !header.ends {
        return Err(damaged("it has no end-of-image marker").into());
    }
    match (header.process, header.precision) {
        (Process::Baseline | Process::Extended | Process::Progressive, 8) | (Process::Lossless, 2..=16) => {}
        (Process::Extended, 12) => return Ok(extended::decode(stream, &header, layout)?),
        (process, precision) => {
            return Err(unsupported(format!("the {process} process with {precision} bits")).into());
        }
    }
    // Coefficients of a progressive image, two bytes each, and planes of a lossless one.
    if layout.samples() as u64 * 4 > limits.max_memory_bytes {
        return Err(Reason::TooMuchMemory { limit: limits.max_memory_bytes });
    }
    let mut decoder = Decoder::new(stream);
    // Three components as they are, pixel by pixel; the decoder's `None` would give them line by line.
    let is_colour = layout.photometric.samples() == 3;
    decoder.set_color_transform(if is_colour { ColorTransform::RGB } else { ColorTransform::Grayscale });
    decoder.set_max_decoding_buffer_size(layout.samples() * 2);
    let bytes = decoder.decode().map_err(damaged)?;
    let format = decoder.info().map(|info| info.pixel_format);
    let words: Vec<u16> = match format {
        Some(PixelFormat::L8 | PixelFormat::RGB24) => bytes.iter().map(|&byte| u16::from(byte)).collect(),
        Some(PixelFormat::L16) => bytes.as_chunks().0.iter().map(|&pair| u16::from_ne_bytes(pair)).collect(),
        other => return Err(unsupported(format!("pixels as {other:?}")).into()),
    };
    if words.len() != layout.samples() {
        return Err(damaged(format!("it gave {} of {} samples", words.len(), layout.samples())).into());
    }
    let words = if layout.photometric == Photometric::Rgb && header.is_luma_and_chroma() {
        rgb_of_ybr(&words)
    } else {
        words
    };
    // Attributes that call luma and chroma RGB, or the reverse, are overruled by the stream.
    let rgb = header.is_named_rgb();
    Ok(Decoded { samples: Samples::Narrow(words), precision: u16::from(header.precision), rgb })
}

#[allow(clippy::needless_pass_by_value, reason = "`map_err` gives values")]
fn damaged(error: impl ToString) -> Problem {
    Problem::Frame { codec: CODEC, message: error.to_string() }
}

fn unsupported(what: String) -> Problem {
    Problem::CodecFeature { codec: CODEC, what }
}
