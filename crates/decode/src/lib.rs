//! Image files to 8-bit grey images, with bounded memory and an error that names the file and the reason.
//!
//! ```no_run
//! let limits = medclip_decode::Limits::default();
//! let image = medclip_decode::open("chest.png", &limits)?;
//! println!("{} × {}", image.width(), image.height());
//! # Ok::<(), medclip_decode::DecodeError>(())
//! ```
//!
//! A file's content decides what it is, not its name. Of JPEG and PNG, colour becomes grey as Pillow's `convert("L")` does;
//! of 16-bit samples the upper eight bits are kept, where Pillow clips grey ones to 255; transparency and EXIF orientation are
//! ignored. DICOM files (feature `dicom`) become what they want to be shown as; their module has options and says more.
//! Sizes are checked in the header, before any pixel is allocated.
//!
//! # Features
//! None is on by default. `dicom` reads DICOM; `jpeg2000`, `htj2k` and `jpegxl` add what decodes such frames.

#[cfg(feature = "dicom")]
pub mod dicom;
mod error;
mod format;
mod guard;
mod limits;
mod luma;
mod note;
mod raster;

use std::fs::File;
use std::io::Read;
use std::path::Path;

use medclip_core::GrayImage;

pub use error::{DecodeError, Reason};
pub use format::Format;
pub use limits::Limits;
pub use note::Note;

/// A decoded file.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    /// Black 0, white 255.
    pub image: GrayImage,
    /// How much colour was left out: the mean over pixels of the distance between the largest and the least of red, green and
    /// blue, 0 for grey to 1. Radiographs have none.
    pub chroma: f64,
    /// What is unusual about the file and was read nevertheless.
    pub notes: Vec<Note>,
}

/// Reads an image file: JPEG, PNG, or DICOM with its default options.
///
/// # Errors
/// [`DecodeError`] with the path and the [`Reason`].
pub fn open(path: impl AsRef<Path>, limits: &Limits) -> Result<GrayImage, DecodeError> {
    open_picture(path, limits).map(|picture| picture.image)
}

/// Reads an image file as [`open`] does, and says how much colour it had.
///
/// # Errors
/// [`DecodeError`] with the path and the [`Reason`].
pub fn open_picture(path: impl AsRef<Path>, limits: &Limits) -> Result<Picture, DecodeError> {
    let path = path.as_ref();
    let fail = |reason| DecodeError { path: path.to_owned(), reason };
    let bytes = read(path, limits).map_err(fail)?;
    picture(&bytes, limits).map_err(fail)
}

/// Decodes an image file held in memory.
///
/// # Errors
/// The [`Reason`].
pub fn from_bytes(bytes: &[u8], limits: &Limits) -> Result<GrayImage, Reason> {
    picture(bytes, limits).map(|picture| picture.image)
}

/// Decodes an image file held in memory, and says how much colour it had.
///
/// # Errors
/// The [`Reason`].
pub fn picture(bytes: &[u8], limits: &Limits) -> Result<Picture, Reason> {
    if is_dicom(bytes) {
        return from_dicom(bytes, limits);
    }
    raster::decode(bytes, limits)
}

/// Whether a file that starts with these bytes is DICOM; see [`Format::recognize`].
pub fn is_dicom(start: &[u8]) -> bool {
    Format::recognize(start) == Some(Format::Dicom)
}

/// What a DICOM file that starts so is, if objects of its class never hold an image: `DICOMDIR`, `structured report`, …
///
/// `None` for files that are or may be images, for other formats, and without the feature `dicom`. 4 KiB of a file's start are
/// enough.
#[cfg(feature = "dicom")]
pub fn holds_no_image(start: &[u8]) -> Option<&'static str> {
    dicom::holds_no_image(start)
}

/// What a DICOM file that starts so is, if objects of its class never hold an image. This build does not tell: it lacks the
/// feature `dicom`.
#[cfg(not(feature = "dicom"))]
pub fn holds_no_image(_start: &[u8]) -> Option<&'static str> {
    None
}

#[cfg(feature = "dicom")]
fn from_dicom(bytes: &[u8], limits: &Limits) -> Result<Picture, Reason> {
    let film = dicom::from_bytes(bytes, limits, &dicom::DicomOptions::default())?;
    Ok(Picture { image: film.image, chroma: film.chroma, notes: film.notes })
}

#[cfg(not(feature = "dicom"))]
fn from_dicom(_bytes: &[u8], _limits: &Limits) -> Result<Picture, Reason> {
    Err(Reason::DicomLeftOut)
}

/// Reads a file's bytes, up to what the limits allow.
///
/// # Errors
/// The [`Reason`].
pub fn read(path: &Path, limits: &Limits) -> Result<Vec<u8>, Reason> {
    let file = File::open(path).map_err(Reason::Io)?;
    let metadata = file.metadata().map_err(Reason::Io)?;
    if metadata.is_dir() {
        return Err(Reason::Directory);
    }
    let len = metadata.len();
    if len > limits.max_file_bytes {
        return Err(Reason::FileTooLarge { bytes: len, limit: limits.max_file_bytes });
    }
    let mut bytes = Vec::with_capacity(len as usize);
    // A file may grow, or be a pipe of unknown length: the limit holds while reading too.
    file.take(limits.max_file_bytes + 1).read_to_end(&mut bytes).map_err(Reason::Io)?;
    let len = bytes.len() as u64;
    if len > limits.max_file_bytes {
        return Err(Reason::FileTooLarge { bytes: len, limit: limits.max_file_bytes });
    }
    Ok(bytes)
}
