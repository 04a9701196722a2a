//! Bytes in memory or in a mapped file.

use std::fs::File;
use std::io;
use std::ops::Deref;

use memmap2::Mmap;

/// Pixels of all images.
#[derive(Debug)]
pub(super) enum Pixels {
    /// In memory.
    Owned(Vec<u8>),
    /// Part of a mapped file.
    Mapped {
        /// The file.
        map: Mmap,
        /// Where the pixels begin.
        start: usize,
        /// How many there are.
        len: usize,
    },
}

impl Pixels {
    /// `len` bytes of `file` from `start` on.
    #[allow(unsafe_code, reason = "a mapping is only as good as its file, which the compiler cannot see")]
    pub(super) fn map(file: &File, start: usize, len: usize) -> io::Result<Self> {
        // SAFETY: caches are written under another name and put in place whole, and no version of this program changes one
        // that is there. Who truncates a file in use stops the program; its bytes are plain numbers whatever they are.
        let map = unsafe { Mmap::map(file) }?;
        if start.checked_add(len).is_none_or(|end| end > map.len()) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(Self::Mapped { map, start, len })
    }
}

impl From<Vec<u8>> for Pixels {
    fn from(pixels: Vec<u8>) -> Self {
        Self::Owned(pixels)
    }
}

impl Deref for Pixels {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Owned(pixels) => pixels,
            Self::Mapped { map, start, len } => &map[*start..*start + *len],
        }
    }
}

impl PartialEq for Pixels {
    fn eq(&self, other: &Self) -> bool {
        self[..] == other[..]
    }
}

impl Eq for Pixels {}
