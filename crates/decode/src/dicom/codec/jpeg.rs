//! JPEG: baseline and progressive with 8 bits, lossless with up to 16, extended with 12.
//!
//! Lossless samples are those that counting them gives: the decoder of the other processes leaves out what restart markers mean
//! for the prediction.

mod extended;
pub(super) mod header;

use jpeg_decoder::{ColorTransform, Decoder, PixelFormat};

use self::header::{Header, Process};
use super::{Decoded, check_size};
use crate::dicom::color::rgb_of_ybr;
use crate::dicom::layout::{Layout, Photometric};
use crate::dicom::problem::Problem;
use crate::dicom::samples::Samples;
use crate::error::Reason;
use crate::jpeg::{Fault, start_of_image, survey_with_samples};
use crate::limits::Limits;

const CODEC: &str = "JPEG";

pub(super) fn decode(stream: &[u8], layout: &Layout, limits: &Limits) -> Result<Decoded, Reason> {
    let stream = without_padding(stream);
    let header = Header::read(stream, CODEC)?;
    check_size(CODEC, layout, header.width, header.height, header.components.len() as u32)?;
    // Coefficients of a progressive image, two bytes each, and planes of a lossless one.
    if layout.samples() as u64 * 4 > limits.max_memory_bytes {
        return Err(Reason::TooMuchMemory { limit: limits.max_memory_bytes });
    }
    let mut survey = survey_with_samples(stream, limits.max_pixels).map_err(problem)?;
    let words = match (header.process, header.precision) {
        (Process::Lossless, 2..=16) => lossless(survey.planes.take(), layout)?,
        (Process::Extended, 12) => extended::decode(&survey.mended(stream), &header, layout)?,
        (Process::Baseline | Process::Extended | Process::Progressive, 8) => {
            lossy(&survey.mended(stream), layout)?
        }
        (process, precision) => {
            return Err(unsupported(format!("the {process} process with {precision} bits")).into());
        }
    };
    let words = if layout.photometric == Photometric::Rgb && header.is_luma_and_chroma() {
        rgb_of_ybr(&words)
    } else {
        words
    };
    Ok(Decoded {
        samples: Samples::Narrow(words),
        precision: u16::from(header.precision),
        // Attributes that call luma and chroma RGB, or the reverse, are overruled by the stream.
        rgb: header.is_named_rgb(),
        notes: survey.notes(),
    })
}

/// The stream from its image on.
pub(super) fn without_padding(stream: &[u8]) -> &[u8] {
    start_of_image(stream).map_or(stream, |start| &stream[start..])
}

fn problem(fault: Fault) -> Problem {
    match fault {
        Fault::Scans { .. } => unsupported(fault.to_string()),
        fault if fault.is_truncation() => Problem::FrameTruncated { codec: CODEC, what: fault.to_string() },
        fault => damaged(fault),
    }
}

/// Samples of 8 bits.
fn lossy(stream: &[u8], layout: &Layout) -> Result<Vec<u16>, Problem> {
    let mut decoder = Decoder::new(stream);
    // Three components as they are, pixel by pixel; the decoder's `None` would give them line by line.
    let is_color = layout.photometric.samples() == 3;
    decoder.set_color_transform(if is_color { ColorTransform::RGB } else { ColorTransform::Grayscale });
    decoder.set_max_decoding_buffer_size(layout.samples() * 2);
    let bytes = decoder.decode().map_err(damaged)?;
    match decoder.info().map(|info| info.pixel_format) {
        Some(PixelFormat::L8 | PixelFormat::RGB24) => {}
        other => return Err(unsupported(format!("pixels as {other:?}"))),
    }
    if bytes.len() != layout.samples() {
        return Err(damaged(format!("it gave {} of {} samples", bytes.len(), layout.samples())));
    }
    Ok(bytes.into_iter().map(u16::from).collect())
}

/// The samples of a pixel together.
fn lossless(planes: Option<Vec<Vec<u16>>>, layout: &Layout) -> Result<Vec<u16>, Problem> {
    let mut planes =
        planes.ok_or_else(|| unsupported("lossless components of different sizes".to_owned()))?;
    if planes.len() == 1 {
        return Ok(planes.swap_remove(0));
    }
    let mut words = vec![0; layout.samples()];
    let count = planes.len();
    for (number, plane) in planes.iter().enumerate() {
        for (word, &sample) in words[number..].iter_mut().step_by(count).zip(plane) {
            *word = sample;
        }
    }
    Ok(words)
}

#[allow(clippy::needless_pass_by_value, reason = "`map_err` gives values")]
fn damaged(error: impl ToString) -> Problem {
    Problem::Frame { codec: CODEC, message: error.to_string() }
}

fn unsupported(what: String) -> Problem {
    Problem::CodecFeature { codec: CODEC, what }
}
