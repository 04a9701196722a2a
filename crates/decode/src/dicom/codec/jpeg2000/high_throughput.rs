//! High-throughput block coding (JPEG 2000 part 15).

use dicom_toolkit_jpeg2000::{DecodeSettings, Image};

use super::{CODEC, Decoder, checked, damaged};
use crate::dicom::codec::Decoded;
use crate::dicom::layout::Layout;
use crate::dicom::problem::Problem;
use crate::dicom::samples::Samples;
use crate::error::Reason;
use crate::limits::Limits;

pub(in crate::dicom::codec) fn decode(
    stream: &[u8],
    layout: &Layout,
    limits: &Limits,
) -> Result<Decoded, Reason> {
    let codestream = checked(stream, layout, limits, Decoder::HighThroughput)?;
    // The decoder cuts off what is below zero.
    if codestream.size.components.iter().any(|component| component.signed) {
        let what = "signed samples of high-throughput block coding".to_owned();
        return Err(Problem::CodecFeature { codec: CODEC, what }.into());
    }
    let settings = DecodeSettings { resolve_palette_indices: false, strict: true, target_resolution: None };
    let image = Image::new(codestream.bytes, &settings).map_err(damaged)?;
    let decoded = image.decode_native().map_err(damaged)?;
    let words: Vec<u16> = match decoded.bytes_per_sample {
        1 => decoded.data.into_iter().map(u16::from).collect(),
        _ => decoded.data.as_chunks().0.iter().map(|&pair| u16::from_le_bytes(pair)).collect(),
    };
    if words.len() != layout.samples() {
        return Err(damaged("its components are of other sizes").into());
    }
    let precision = u16::from(codestream.size.components[0].precision);
    Ok(Decoded { samples: Samples::Narrow(words), precision, rgb: true, notes: Vec::new() })
}
