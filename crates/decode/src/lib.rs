//! Image files to 8-bit grey images, with bounded memory and an error that names the file and the reason.
//!
//! ```no_run
//! let limits = medclip_decode::Limits::default();
//! let image = medclip_decode::open("chest.png", &limits)?;
//! println!("{} × {}", image.width(), image.height());
//! # Ok::<(), medclip_decode::DecodeError>(())
//! ```
//!
//! JPEG and PNG. Colour becomes grey as Pillow's `convert("L")` does; of 16-bit samples the upper eight bits are
//! kept, where Pillow clips grey ones to 255; transparency and EXIF orientation are ignored. Sizes are checked in the header, before any pixel is
//! allocated.

mod error;
mod limits;
mod raster;

use std::fs::File;
use std::io::Read;
use std::path::Path;

use medclip_core::GrayImage;

pub use error::{DecodeError, Reason};
pub use limits::Limits;

/// Reads an image file.
///
/// # Errors
/// [`DecodeError`] with the path and the [`Reason`].
pub fn open(path: impl AsRef<Path>, limits: &Limits) -> Result<GrayImage, DecodeError> {
    let path = path.as_ref();
    let fail = |reason| DecodeError { path: path.to_owned(), reason };
    let bytes = read(path, limits).map_err(fail)?;
    from_bytes(&bytes, limits).map_err(fail)
}

/// Decodes an image file held in memory.
///
/// # Errors
/// The [`Reason`].
pub fn from_bytes(bytes: &[u8], limits: &Limits) -> Result<GrayImage, Reason> {
    raster::decode(bytes, limits)
}

fn read(path: &Path, limits: &Limits) -> Result<Vec<u8>, Reason> {
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
