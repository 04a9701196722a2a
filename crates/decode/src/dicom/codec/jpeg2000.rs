//! JPEG 2000.

mod codestream;
mod effort;
mod grid;
#[cfg(feature = "htj2k")]
pub(super) mod high_throughput;
mod marker;
mod packet;
mod size;
mod style;
mod work;
mod zeros;

use hayro_jpeg2000::{DecodeSettings, DecoderContext, Image};

use self::codestream::Codestream;
use self::effort::Effort;
use self::packet::{Block, Visitor};
use self::style::Style;
use self::work::Work;
use self::zeros::Zeros;
use super::{Decoded, check_size};
use crate::dicom::layout::Layout;
use crate::dicom::problem::Problem;
use crate::dicom::samples::Samples;
use crate::error::Reason;
use crate::limits::Limits;

const CODEC: &str = "JPEG 2000";

/// Which decoder reads a codestream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Decoder {
    Plain,
    #[cfg_attr(not(feature = "htj2k"), allow(dead_code, reason = "the walk is the same for both"))]
    HighThroughput,
}

pub(super) fn decode(stream: &[u8], layout: &Layout, limits: &Limits) -> Result<Decoded, Reason> {
    let codestream = checked(stream, layout, limits, Decoder::Plain)?;
    let settings = DecodeSettings { resolve_palette_indices: false, strict: true, target_resolution: None };
    let image = Image::new(codestream.bytes, &settings).map_err(damaged)?;
    let mut context = DecoderContext::default();
    let decoded = image.decode(&mut context).map_err(damaged)?;
    let components = decoded.components();
    let count = codestream.size.components.len();
    if components.len() != count || components.iter().any(|plane| plane.samples().len() != layout.pixels()) {
        return Err(damaged("its components are of other sizes").into());
    }
    let precision = codestream.size.components[0].precision;
    let mut words = vec![0_u16; layout.samples()];
    for (number, plane) in components.iter().enumerate() {
        // The decoder lifts all samples by half their range, which only unsigned ones want.
        let lift =
            if codestream.size.components[number].signed { (1 << (precision - 1)) as f32 } else { 0.0 };
        // Lossy frames overshoot.
        let highest = ((1_u32 << precision) - 1) as f32;
        let (low, high) = (-lift, highest - lift);
        for (word, &sample) in words[number..].iter_mut().step_by(count).zip(plane.samples()) {
            *word = (sample - lift).round().clamp(low, high) as i32 as u16;
        }
    }
    Ok(Decoded {
        samples: Samples::Narrow(words),
        precision: u16::from(precision),
        rgb: true,
        notes: Vec::new(),
    })
}

/// A codestream that is of the size the attributes say and within the limits.
fn checked<'a>(
    stream: &'a [u8],
    layout: &Layout,
    limits: &Limits,
    decoder: Decoder,
) -> Result<Codestream<'a>, Reason> {
    let (bytes, size) = codestream::start(stream)?;
    let [width, height] = size.image();
    check_size(CODEC, layout, width, height, size.components.len() as u32)?;
    size.check_components()?;
    // Coefficients and samples, both as 32-bit numbers.
    if layout.samples() as u64 * 8 > limits.max_memory_bytes {
        return Err(Reason::TooMuchMemory { limit: limits.max_memory_bytes });
    }
    let codestream = Codestream::read(bytes, size)?;
    let work = Work::of(&codestream)?;
    let mut seen = Seen { pixels: layout.pixels(), effort: Effort::new(decoder), zeros: Zeros::default() };
    if let Err(problem) = packet::walk(&codestream, decoder, &mut seen) {
        // Runs of zero bytes say more of the cause.
        zeros::check_all(&codestream, work.packets)?;
        return Err(problem.into());
    }
    seen.zeros.check(codestream.bytes.len())?;
    seen.effort.check(layout.pixels() as u64)?;
    Ok(codestream)
}

/// What is noted of packets.
struct Seen {
    pixels: usize,
    effort: Effort,
    zeros: Zeros,
}

impl Visitor for Seen {
    fn data(&mut self, start: usize, data: &[u8], style: &Style) {
        self.zeros.add(start, data, style, self.pixels);
    }

    fn block(&mut self, block: &Block, size: [u64; 2], flags: u8) {
        self.effort.add(block, size, flags);
    }
}

#[allow(clippy::needless_pass_by_value, reason = "`map_err` gives values")]
fn damaged(error: impl ToString) -> Problem {
    Problem::Frame { codec: CODEC, message: error.to_string() }
}
