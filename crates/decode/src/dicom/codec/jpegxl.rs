//! JPEG XL.
//!
//! A codestream may hold any number of layers of any size, and profiles of a quarter of a gigabyte in a few bytes. The header is
//! read and compared with the attributes before the decoder gets anything, frames are counted while it gets the rest, and what
//! it allocates is limited by the size of the image.

mod container;

use jxl_bitstream::Bitstream;
use jxl_oxide::image::{BitDepth, ImageHeader};
use jxl_oxide::{AllocTracker, InitializeResult, JxlImage};
use jxl_oxide_common::Bundle;

use super::{Decoded, check_size};
use crate::dicom::layout::Layout;
use crate::dicom::problem::Problem;
use crate::dicom::samples::Samples;
use crate::error::Reason;
use crate::limits::Limits;

const CODEC: &str = "JPEG XL";

/// Channels beside gray or color: transparency.
const MAX_EXTRA_CHANNELS: usize = 2;
/// Bytes of a header, with a color profile as it is encoded; and of that profile.
const MAX_HEADER: usize = 1 << 18;
const MAX_PROFILE: u64 = 4 << 20;
/// Layers, stores of patches and smaller copies of the image.
const MAX_FRAMES: usize = 16;
/// Pixels of all frames together, by those of the image; and those of small stores.
const MAX_FRAME_AREA: u64 = 4;
const SPARE_AREA: u64 = 1 << 16;
/// Bytes that a decoder may take for a pixel of the image: four copies of three channels of 32 bits; and those of small tables.
const PIXEL_BYTES: u64 = 4 * 3 * 4;
const SPARE_BYTES: u64 = 64 << 20;
/// Bytes that the decoder gets at a time.
const PORTION: usize = 1 << 16;

pub(super) fn decode(stream: &[u8], layout: &Layout, limits: &Limits) -> Result<Decoded, Reason> {
    let codestream = container::codestream(stream)?;
    check_header(&codestream, layout)?;
    if layout.samples() as u64 * 4 > limits.max_memory_bytes {
        return Err(Reason::TooMuchMemory { limit: limits.max_memory_bytes });
    }
    let image = load(&codestream, layout, limits)?;
    let metadata = &image.image_header().metadata;
    let precision = metadata.bit_depth.bits_per_sample();
    let is_float = matches!(metadata.bit_depth, BitDepth::FloatSample { .. });
    let samples = if image.pixel_format().is_grayscale() { 1 } else { 3 };
    check_size(CODEC, layout, image.width(), image.height(), samples)?;
    if is_float || !(1..=16).contains(&precision) {
        let what = format!("{precision} bits{}", if is_float { " in floating point" } else { "" });
        return Err(Problem::CodecFeature { codec: CODEC, what }.into());
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

/// Refuses other images than the attributes describe, and what no film has.
fn check_header(codestream: &[u8], layout: &Layout) -> Result<(), Problem> {
    let mut bits = Bitstream::new(codestream);
    let header = ImageHeader::parse(&mut bits, ()).map_err(damaged)?;
    let metadata = &header.metadata;
    let samples = if metadata.grayscale() { 1 } else { 3 };
    check_size(CODEC, layout, header.width_with_orientation(), header.height_with_orientation(), samples)?;
    let unsupported = |what: &str| Err(Problem::CodecFeature { codec: CODEC, what: what.to_owned() });
    if metadata.preview.is_some() || metadata.animation.is_some() {
        return unsupported("a preview or an animation");
    }
    let extra = metadata.ec_info.len();
    if extra > MAX_EXTRA_CHANNELS {
        return Err(excessive(format!("{extra} channels beside its samples")));
    }
    if metadata.colour_encoding.want_icc() {
        let profile = bits.read_u64().map_err(damaged)?;
        if profile > MAX_PROFILE {
            return Err(excessive(format!("a colour profile of {profile} bytes")));
        }
    }
    Ok(())
}

/// Gives the decoder the codestream, as long as its frames are those of a film.
fn load(codestream: &[u8], layout: &Layout, limits: &Limits) -> Result<JxlImage, Problem> {
    let pixels = layout.pixels() as u64;
    let memory = limits.max_memory_bytes.min(pixels * PIXEL_BYTES + SPARE_BYTES);
    let tracker = AllocTracker::with_limit(usize::try_from(memory).unwrap_or(usize::MAX));
    let mut start = JxlImage::builder().alloc_tracker(tracker).build_uninit();
    let (mut fed, mut end) = (0, PORTION.min(codestream.len()));
    let mut image = loop {
        fed += start.feed_bytes(&codestream[fed..end]).map_err(damaged)?;
        start = match start.try_init().map_err(damaged)? {
            InitializeResult::Initialized(image) => break image,
            InitializeResult::NeedMoreData(start) => start,
        };
        if end == codestream.len() {
            let what = "it ends inside of its header".to_owned();
            return Err(Problem::FrameTruncated { codec: CODEC, what });
        }
        if end >= MAX_HEADER {
            return Err(excessive(format!("a header of more than {MAX_HEADER} bytes")));
        }
        // Twice as much: the decoder reads the header from its start again.
        end = (end * 2).min(codestream.len());
    };
    check_frames(&image, pixels)?;
    while fed < codestream.len() && !image.is_loading_done() {
        let end = (fed + PORTION).min(codestream.len());
        match image.feed_bytes(&codestream[fed..end]).map_err(damaged)? {
            0 => break,
            consumed => fed += consumed,
        }
        check_frames(&image, pixels)?;
    }
    image.finalize().map_err(damaged)?;
    Ok(image)
}

fn check_frames(image: &JxlImage, pixels: u64) -> Result<(), Problem> {
    let frames = image.num_loaded_frames();
    if frames > MAX_FRAMES {
        return Err(excessive(format!("{frames} frames or more")));
    }
    let headers = || (0..=frames).filter_map(|index| image.frame(index)).map(|frame| frame.header());
    let area = |header: &jxl_oxide::FrameHeader| {
        u64::from(header.color_sample_width()).saturating_mul(header.color_sample_height().into())
    };
    let total = headers().map(area).fold(0, u64::saturating_add);
    if total > pixels * MAX_FRAME_AREA + SPARE_AREA {
        return Err(excessive(format!("frames of {total} pixels for an image of {pixels}")));
    }
    // Each may cross the whole image at any width, and no encoder makes them.
    if headers().any(|header| header.flags.splines()) {
        return Err(Problem::CodecFeature { codec: CODEC, what: "splines".to_owned() });
    }
    Ok(())
}

fn excessive(what: String) -> Problem {
    Problem::FrameExcessive { codec: CODEC, what }
}

#[allow(clippy::needless_pass_by_value, reason = "`map_err` gives values")]
fn damaged(error: impl ToString) -> Problem {
    Problem::Frame { codec: CODEC, message: error.to_string() }
}
