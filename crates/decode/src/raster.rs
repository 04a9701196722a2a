//! JPEG, PNG, TIFF, BMP and WebP.

mod bmp;
mod depth;
mod jpeg;
mod options;
mod orientation;
mod png;
mod tiff;
mod webp;

use std::borrow::Cow;
use std::error::Error;
use std::io::{self, Cursor};

use image::{DynamicImage, ImageError, ImageFormat, ImageReader};
use medclip_core::GrayImage;
use medclip_core::guard::catch_quietly;

use self::orientation::Orientation;
use crate::error::Reason;
use crate::film::{Film, Identity};
use crate::format::Format;
use crate::limits::Limits;
use crate::luma::Grayed;
use crate::note::Note;

pub use options::{Levels, RasterOptions};

/// A file as its decoder gets it, and what that decoder does not look at.
struct Source<'a> {
    bytes: Cow<'a, [u8]>,
    format: ImageFormat,
    orientation: Orientation,
    notes: Vec<Note>,
}

impl<'a> Source<'a> {
    /// Refuses files of which a part is missing, as far as that can be told without decoding.
    fn check(bytes: &'a [u8], format: Format, limits: &Limits, page: Option<u32>) -> Result<Self, Reason> {
        let whole = |format, orientation| Self {
            bytes: Cow::Borrowed(bytes),
            format,
            orientation,
            notes: Vec::new(),
        };
        if let (Some(page @ 1..), true) = (page, format != Format::Tiff) {
            return Err(Reason::NoSuchPage { page, pages: 1 });
        }
        Ok(match format {
            Format::Jpeg => {
                let jpeg::Checked { stream, orientation, notes, .. } = jpeg::check(bytes, limits)?;
                Self { bytes: stream, format: ImageFormat::Jpeg, orientation, notes }
            }
            Format::Png => {
                let png::Chunks { bytes, has_end, orientation } = png::walk(bytes);
                let notes = if has_end { Vec::new() } else { vec![Note::NoEndMarker] };
                Self { bytes, format: ImageFormat::Png, orientation, notes }
            }
            Format::Tiff => {
                let tiff::Page { bytes, orientation } = tiff::page(bytes, page, limits)?;
                Self { bytes, format: ImageFormat::Tiff, orientation, notes: Vec::new() }
            }
            Format::Bmp => {
                bmp::check(bytes)?;
                whole(ImageFormat::Bmp, Orientation::default())
            }
            Format::WebP => whole(ImageFormat::WebP, webp::check(bytes)?),
            Format::Dicom | Format::Gzip => return Err(unknown(bytes)),
        })
    }
}

/// Decodes and reduces to gray.
pub(crate) fn decode(bytes: &[u8], limits: &Limits, options: &RasterOptions) -> Result<Film, Reason> {
    if bytes.is_empty() {
        return Err(Reason::Empty);
    }
    let format = Format::recognize(bytes).ok_or_else(|| unknown(bytes))?;
    let source = Source::check(bytes, format, limits, options.page)?;
    let image = catch_quietly(|| decode_as(&source.bytes, source.format, limits))
        .unwrap_or(Err(Reason::DecoderPanic))?;
    let (width, height) = (image.width(), image.height());
    let (Grayed { pixels, chroma }, note) = depth::gray(image, options.levels)?;
    let orientation = if options.orientation { source.orientation } else { Orientation::default() };
    let (pixels, width, height) = orientation.apply(pixels, width, height);
    let image = GrayImage::new(width, height, pixels).map_err(|error| Reason::Damaged(Box::new(error)))?;
    let mut notes = source.notes;
    notes.extend(note);
    Ok(Film { image, chroma, notes, identity: Identity::default() })
}

/// Reduces an image that is decoded already to gray.
pub(crate) fn of_image(image: DynamicImage, options: &RasterOptions) -> Result<Film, Reason> {
    let (width, height) = (image.width(), image.height());
    let (Grayed { pixels, chroma }, note) = depth::gray(image, options.levels)?;
    let image = GrayImage::new(width, height, pixels).map_err(|error| Reason::Damaged(Box::new(error)))?;
    Ok(Film { image, chroma, notes: note.into_iter().collect(), identity: Identity::default() })
}

/// Columns and rows of the largest page of a TIFF file.
pub(crate) fn tiff_size(bytes: &[u8]) -> Option<[u32; 2]> {
    tiff::size(bytes)
}

fn unknown(bytes: &[u8]) -> Reason {
    /// Bytes that name a format.
    const MAGIC_LEN: usize = 8;
    Reason::UnknownFormat { start: bytes[..bytes.len().min(MAGIC_LEN)].to_vec() }
}

fn decode_as(bytes: &[u8], format: ImageFormat, limits: &Limits) -> Result<DynamicImage, Reason> {
    let reason = |error| reason(error, limits);
    let (width, height) =
        ImageReader::with_format(Cursor::new(bytes), format).into_dimensions().map_err(reason)?;
    if u64::from(width) * u64::from(height) > limits.max_pixels {
        return Err(Reason::TooManyPixels { width, height, limit: limits.max_pixels });
    }
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut memory = image::Limits::no_limits();
    memory.max_alloc = Some(limits.max_memory_bytes);
    reader.limits(memory);
    reader.decode().map_err(reason)
}

/// A decoder's complaint.
fn reason(error: ImageError, limits: &Limits) -> Reason {
    match error {
        ImageError::Limits(_) => Reason::TooMuchMemory { limit: limits.max_memory_bytes },
        ImageError::Unsupported(error) => Reason::Unsupported { what: error.to_string() },
        error if ends_early(&error) => {
            Reason::Truncated { what: "the file ends before its last row".to_owned() }
        }
        error => Reason::Damaged(Box::new(error)),
    }
}

/// Whether a decoder wanted more bytes than there are.
fn ends_early(error: &ImageError) -> bool {
    // Its own source is what is behind the system's error.
    let mut cause: Option<&(dyn Error + 'static)> = match error {
        ImageError::IoError(error) => Some(error),
        error => error.source(),
    };
    while let Some(error) = cause {
        let found = error.downcast_ref::<io::Error>();
        if found.is_some_and(|error| error.kind() == io::ErrorKind::UnexpectedEof) {
            return true;
        }
        cause = error.source();
    }
    false
}

#[cfg(test)]
mod tests;
