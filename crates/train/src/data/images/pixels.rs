//! Bytes in memory, or in a file that they are read from one image at a time.

use std::borrow::Cow;
use std::fs::File;
use std::io;

use medclip_files::read_exact_at;

/// Pixels of all images.
#[derive(Debug)]
pub(super) enum Pixels {
    /// In memory.
    Owned(Vec<u8>),
    /// Part of a file.
    Stored {
        /// The file.
        file: File,
        /// Where the pixels begin.
        start: u64,
        /// How many there are.
        len: usize,
    },
}

impl Pixels {
    /// How many there are.
    pub(super) const fn len(&self) -> usize {
        match self {
            Self::Owned(pixels) => pixels.len(),
            Self::Stored { len, .. } => *len,
        }
    }

    /// The pixels of an image of `area` pixels; `None` past the end.
    ///
    /// # Errors
    /// Of kind [`io::ErrorKind::UnexpectedEof`] where the file became shorter, and what the system says.
    pub(super) fn image(&self, index: usize, area: usize) -> io::Result<Option<Cow<'_, [u8]>>> {
        let bounds = index.checked_mul(area).and_then(|at| Some((at, at.checked_add(area)?)));
        let Some((at, end)) = bounds.filter(|(_, end)| *end <= self.len()) else { return Ok(None) };
        match self {
            Self::Owned(pixels) => Ok(pixels.get(at..end).map(Cow::Borrowed)),
            Self::Stored { file, start, .. } => {
                let mut image = vec![0; area];
                read_exact_at(file, &mut image, start + at as u64)?;
                Ok(Some(Cow::Owned(image)))
            }
        }
    }
}

impl From<Vec<u8>> for Pixels {
    fn from(pixels: Vec<u8>) -> Self {
        Self::Owned(pixels)
    }
}
