//! JPEG files.

use std::borrow::Cow;

use super::orientation::Orientation;
use crate::error::Reason;
use crate::jpeg::{Fault, survey};
use crate::limits::Limits;
use crate::note::Note;

/// A file that holds all that it promises.
pub(super) struct Checked<'a> {
    /// The image alone, as decoders want it.
    pub(super) stream: Cow<'a, [u8]>,
    pub(super) pixels: u64,
    pub(super) orientation: Orientation,
    pub(super) notes: Vec<Note>,
}

/// Refuses files with fewer MCUs than they promise.
pub(super) fn check<'a>(bytes: &'a [u8], limits: &Limits) -> Result<Checked<'a>, Reason> {
    if !bytes.starts_with(&[0xff, 0xd8]) {
        return Err(Reason::Damaged("a JPEG stream does not start as one".into()));
    }
    let survey = survey(bytes, limits.max_pixels).map_err(|fault| match fault {
        Fault::Size { width, height } => Reason::TooManyPixels { width, height, limit: limits.max_pixels },
        fault if fault.is_truncation() => Reason::Truncated { what: fault.to_string() },
        fault => Reason::Damaged(Box::new(fault)),
    })?;
    Ok(Checked {
        stream: survey.mended(bytes),
        pixels: survey.pixels,
        orientation: survey.exif.map_or_else(Orientation::default, Orientation::of_exif),
        notes: survey.notes(),
    })
}
