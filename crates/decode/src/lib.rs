//! Image files to 8-bit gray images, with bounded memory and an error that names the file and the reason.
//!
//! ```no_run
//! let limits = medclip_decode::Limits::default();
//! let film = medclip_decode::open("chest.png", &limits)?;
//! println!("{} × {}", film.image.width(), film.image.height());
//! # Ok::<(), medclip_decode::DecodeError>(())
//! ```
//!
//! A file's content decides what it is, not its name. Of JPEG, PNG, TIFF, BMP and WebP, color becomes gray as Pillow's
//! `convert("L")` does; of 16-bit samples the upper eight of the bits that the image uses are kept, where Pillow clips gray ones
//! to 255; transparency is ignored; the image is turned as its EXIF data says. DICOM files (feature `dicom`), also compressed
//! with gzip, become what they want to be shown as; their module has options and says more.
//! Sizes are checked in the header, before any pixel is allocated. A file of which a part is missing is refused: what a decoder
//! would fill with gray, or with nothing, is never shown.
//!
//! # Features
//! None is on by default. `dicom` reads DICOM; `jpeg2000`, `htj2k` and `jpegxl` add what decodes such frames.

#[cfg(feature = "dicom")]
pub mod dicom;
mod error;
mod film;
mod format;
#[cfg(feature = "dicom")]
mod gzip;
mod jpeg;
mod limits;
mod luma;
mod need;
mod note;
mod raster;

use std::borrow::Cow;
use std::io::Read;
#[cfg(feature = "dicom")]
use std::num::NonZeroU32;
use std::path::Path;

use medclip_files::open_typed;
use tracing::debug_span;

pub use error::{DecodeError, Reason};
pub use film::{Film, Identity, PatientFields};
pub use format::Format;
pub use limits::{Limits, NEED_BYTES};
pub use need::need;
pub use note::Note;
pub use raster::{Levels, RasterOptions};

/// How files of all kinds become 8-bit gray images.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct DecodeOptions {
    /// Of DICOM files.
    #[cfg(feature = "dicom")]
    pub dicom: dicom::DicomOptions,
    /// Of all others.
    pub raster: RasterOptions,
}

#[cfg(feature = "dicom")]
impl DecodeOptions {
    /// Which frame or page, counted from 1, and which values become black and white. Windows and `min-max` apply to samples of
    /// files that are not DICOM, too.
    pub fn shown(frame: Option<NonZeroU32>, voi: dicom::Voi, lut_bits: dicom::LutBits) -> Self {
        let frame = frame.map(|frame| frame.get() - 1);
        Self {
            dicom: dicom::DicomOptions {
                frame: frame.unwrap_or(0),
                voi,
                lut_bits,
                ..dicom::DicomOptions::default()
            },
            raster: RasterOptions { page: frame, levels: voi.into(), ..RasterOptions::default() },
        }
    }
}

/// Reads an image file of any kind with the default options.
///
/// # Errors
/// [`DecodeError`] with the path and the [`Reason`].
pub fn open(path: impl AsRef<Path>, limits: &Limits) -> Result<Film, DecodeError> {
    let path = path.as_ref();
    let fail = |reason| DecodeError { path: path.to_owned(), reason };
    let bytes = read(path, limits).map_err(fail)?;
    from_bytes(&bytes, limits).map_err(fail)
}

/// Decodes an image file held in memory with the default options.
///
/// # Errors
/// The [`Reason`].
pub fn from_bytes(bytes: &[u8], limits: &Limits) -> Result<Film, Reason> {
    from_bytes_with(bytes, limits, &DecodeOptions::default())
}

/// Decodes an image file held in memory as the options say.
///
/// # Errors
/// The [`Reason`].
pub fn from_bytes_with(bytes: &[u8], limits: &Limits, options: &DecodeOptions) -> Result<Film, Reason> {
    let _span = debug_span!("decode", bytes = bytes.len()).entered();
    let bytes = unpacked(bytes, limits)?;
    if is_dicom(&bytes) {
        return from_dicom(&bytes, limits, options);
    }
    raster::decode(&bytes, limits, &options.raster)
}

/// A film of an image that is decoded already. Color becomes gray, and 16-bit samples eight bits, as of files; of the options the
/// levels apply.
///
/// # Errors
/// The [`Reason`]: no pixels, or levels that only DICOM files have.
pub fn from_image(image: image::DynamicImage, options: &RasterOptions) -> Result<Film, Reason> {
    raster::of_image(image, options)
}

/// The DICOM file in a gzip stream; other files as they are.
///
/// # Errors
/// The [`Reason`]: a stream that is damaged, cut off, larger than the limits allow, or holds something else.
#[cfg(feature = "dicom")]
pub fn unpacked<'a>(bytes: &'a [u8], limits: &Limits) -> Result<Cow<'a, [u8]>, Reason> {
    if Format::recognize(bytes) == Some(Format::Gzip) {
        return gzip::dicom_file(bytes, limits).map(Cow::Owned);
    }
    Ok(Cow::Borrowed(bytes))
}

/// The DICOM file in a gzip stream, which this build refuses; other files as they are.
///
/// # Errors
/// [`Reason::DicomLeftOut`].
#[cfg(not(feature = "dicom"))]
pub fn unpacked<'a>(bytes: &'a [u8], _limits: &Limits) -> Result<Cow<'a, [u8]>, Reason> {
    if Format::recognize(bytes) == Some(Format::Gzip) {
        return Err(Reason::DicomLeftOut);
    }
    Ok(Cow::Borrowed(bytes))
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
fn from_dicom(bytes: &[u8], limits: &Limits, options: &DecodeOptions) -> Result<Film, Reason> {
    dicom::from_bytes(bytes, limits, &options.dicom).map(Film::from)
}

#[cfg(not(feature = "dicom"))]
fn from_dicom(_bytes: &[u8], _limits: &Limits, _options: &DecodeOptions) -> Result<Film, Reason> {
    Err(Reason::DicomLeftOut)
}

/// Reads the bytes of a file or pipe, up to what the limits allow. Devices and sockets are refused.
///
/// # Errors
/// The [`Reason`].
pub fn read(path: &Path, limits: &Limits) -> Result<Vec<u8>, Reason> {
    let metadata = path.metadata().map_err(Reason::Io)?;
    if metadata.is_dir() {
        return Err(Reason::Directory);
    }
    let file = open_typed(path).map_err(Reason::Io)?;
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
