//! JPEG XL.

use jxl_oxide::image::BitDepth;
use jxl_oxide::{AllocTracker, JxlImage};

use super::{Decoded, check_size};
use crate::dicom::layout::Layout;
use crate::dicom::problem::Problem;
use crate::dicom::samples::Samples;
use crate::error::Reason;
use crate::limits::Limits;

const CODEC: &str = "JPEG XL";

pub(super) fn decode(stream: &[u8], layout: &Layout, limits: &Limits) -> Result<Decoded, Reason> {
    let tracker = AllocTracker::with_limit(usize::try_from(limits.max_memory_bytes).unwrap_or(usize::MAX));
    let image = JxlImage::builder().alloc_tracker(tracker).read(stream).map_err(damaged)?;
    let metadata = &image.image_header().metadata;
    let precision = metadata.bit_depth.bits_per_sample();
    let is_float = matches!(metadata.bit_depth, BitDepth::FloatSample { .. });
    let samples = if image.pixel_format().is_grayscale() { 1 } else { 3 };
    check_size(CODEC, layout, image.width(), image.height(), samples)?;
    if is_float || !(1..=16).contains(&precision) {
        let what = format!("{precision} bits{}", if is_float { " in floating point" } else { "" });
        return Err(Problem::CodecFeature { codec: CODEC, what }.into());
    }
    if layout.samples() as u64 * 4 > limits.max_memory_bytes {
        return Err(Reason::TooMuchMemory { limit: limits.max_memory_bytes });
    }
    let frame = image.render_frame(0).map_err(damaged)?;
    let mut stream = frame.stream_no_alpha();
    let mut values = vec![0_f32; layout.samples()];
    if stream.channels() != samples || stream.write_to_buffer(&mut values) != values.len() {
        return Err(damaged("it gave other samples than it said").into());
    }
    let scale = ((1_u32 << precision) - 1) as f32;
    let words = values.iter().map(|value| (value * scale).round() as u16).collect();
    Ok(Decoded { samples: Samples::Narrow(words), precision: precision as u16, rgb: true, notes: Vec::new() })
}

#[allow(clippy::needless_pass_by_value, reason = "`map_err` gives values")]
fn damaged(error: impl ToString) -> Problem {
    Problem::Frame { codec: CODEC, message: error.to_string() }
}
