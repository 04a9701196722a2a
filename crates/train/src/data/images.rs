//! Decoded and resized images, in memory or in the cache's file.
//!
//! An image takes the square of its side in bytes. Training images have [`source_side`](crate::data::AugmentConfig::source_side)
//! as theirs, 183 for a model of 160 pixels and 256 for one of 224: 33 KB and 64 KB an image, so 570,000 images want 19 GB and
//! 37 GB of memory, or of disk where they stay in the cache.

mod cache;
mod pixels;

use std::borrow::Cow;
use std::io;
use std::path::{Path, PathBuf};

use medclip_core::causes::with_causes;
use medclip_core::preprocess::Preprocessor;
use medclip_decode::Limits;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use self::cache::{CacheFile, Header};
use self::pixels::Pixels;

/// Images that are decoded at a time while the cache is written.
const CHUNK: usize = 512;

/// Square 8-bit images, one after another.
#[derive(Debug)]
pub struct ImageStore {
    side: usize,
    pixels: Pixels,
    /// The file they are in; empty of images in memory.
    path: PathBuf,
}

/// Where images are between two starts, and during a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Storage<'a> {
    /// In memory; decoded at every start.
    Memory,
    /// In memory, read from this directory where an earlier start left them.
    Cached(&'a Path),
    /// In a file of this directory, read an image at a time; the system keeps in memory what it has room for.
    OnDisk(&'a Path),
}

impl ImageStore {
    /// Rows and columns of every image.
    pub const fn side(&self) -> usize {
        self.side
    }

    /// Number of images.
    pub fn len(&self) -> usize {
        self.pixels.len() / (self.side * self.side)
    }

    /// True when there is no image.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Samples of one image, `side · side`; `None` past the end.
    ///
    /// # Errors
    /// [`ImagesError::Read`] when the cache that holds them was cut off or cannot be read.
    pub fn get(&self, index: usize) -> Result<Option<Cow<'_, [u8]>>, ImagesError> {
        let failed = |source| ImagesError::Read { path: self.path.clone(), source };
        self.pixels.image(index, self.side * self.side).map_err(failed)
    }

    fn in_memory(side: usize, pixels: Vec<u8>) -> Self {
        Self { side, pixels: pixels.into(), path: PathBuf::new() }
    }
}

/// Of images that can be read.
impl PartialEq for ImageStore {
    fn eq(&self, other: &Self) -> bool {
        let alike = |index| self.get(index).ok().zip(other.get(index).ok()).is_some_and(|(a, b)| a == b);
        self.side == other.side && self.len() == other.len() && (0..self.len()).all(alike)
    }
}

/// A file that gave no image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BadImage {
    /// The file.
    pub path: PathBuf,
    /// Why, in words that do not name the file.
    pub reason: String,
}

/// What came of loading a list of files.
#[derive(Debug, PartialEq)]
pub struct LoadedImages {
    /// The images that could be read.
    pub store: ImageStore,
    /// For each of them its position in the list of files.
    pub kept: Vec<usize>,
    /// The rest.
    pub bad: Vec<BadImage>,
}

/// Why images could not be loaded.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ImagesError {
    /// Not one of the files gave an image.
    #[error("none of {count} images could be read; what is wrong with the first: {reason}")]
    AllBad {
        /// Number of files.
        count: usize,
        /// The first of them.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The cache cannot be written.
    #[error("cannot write the image cache {}", path.display())]
    Write {
        /// The cache file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The cache was cut off while it was in use, or cannot be read.
    #[error("cannot read the image cache {}", path.display())]
    Read {
        /// The cache file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The cache that was just written is not what was written.
    #[error("the image cache {} changed while it was being opened", path.display())]
    Changed {
        /// The cache file.
        path: PathBuf,
    },
}

/// Decodes and resizes `files` on all cores, in order; files that cannot be read are skipped and listed.
///
/// With a cache the result is kept in a file named by the list, sizes and modification times of `files` and the preprocessing,
/// so that the next start reads one file. A damaged cache is built anew. The directory may be deleted between runs, and at
/// any time where images stay on disk: an open file outlives its name. A file that is cut off while it is in use is an error.
///
/// # Errors
/// [`ImagesError`].
pub fn load_images(
    files: &[PathBuf],
    preprocessor: &Preprocessor,
    limits: &Limits,
    storage: Storage<'_>,
) -> Result<LoadedImages, ImagesError> {
    let loaded = load_any(files, preprocessor, limits, storage)?;
    check_any(files, &loaded.kept, &loaded.bad)?;
    Ok(loaded)
}

/// As [`load_images`], but no error where not one file gives an image.
///
/// # Errors
/// [`ImagesError`] of the cache.
pub(crate) fn load_any(
    files: &[PathBuf],
    preprocessor: &Preprocessor,
    limits: &Limits,
    storage: Storage<'_>,
) -> Result<LoadedImages, ImagesError> {
    let side = preprocessor.config().image_size;
    let (directory, on_disk) = match storage {
        Storage::Memory => {
            let Decoded { kept, bad, pixels } = decode(files, side, preprocessor, limits);
            return Ok(LoadedImages { store: ImageStore::in_memory(side, pixels), kept, bad });
        }
        Storage::Cached(directory) => (directory, false),
        Storage::OnDisk(directory) => (directory, true),
    };
    let cache = CacheFile::new(directory, files, preprocessor);
    if let Some(loaded) = cache.read(side, on_disk) {
        return Ok(loaded);
    }
    let unwritten = |source| ImagesError::Write { path: cache.path.clone(), source };
    let mut writer = cache.writer().map_err(unwritten)?;
    let (mut kept, mut bad) = (Vec::new(), Vec::new());
    for (index, chunk) in files.chunks(CHUNK).enumerate() {
        let decoded = decode(chunk, side, preprocessor, limits);
        writer.push(&decoded.pixels).map_err(unwritten)?;
        kept.extend(decoded.kept.into_iter().map(|position| index * CHUNK + position));
        bad.extend(decoded.bad);
    }
    if kept.is_empty() {
        // Nothing worth keeping.
        return Ok(LoadedImages { store: ImageStore::in_memory(side, Vec::new()), kept, bad });
    }
    writer.finish(&Header { side, kept, bad }).map_err(unwritten)?;
    cache.read(side, on_disk).ok_or_else(|| ImagesError::Changed { path: cache.path.clone() })
}

/// What came of decoding.
struct Decoded {
    kept: Vec<usize>,
    bad: Vec<BadImage>,
    pixels: Vec<u8>,
}

fn decode(files: &[PathBuf], side: usize, preprocessor: &Preprocessor, limits: &Limits) -> Decoded {
    let area = side * side;
    let mut pixels = vec![0; files.len() * area];
    let reasons: Vec<Option<String>> = pixels
        .par_chunks_exact_mut(area)
        .zip(files)
        .map(|(slot, file)| match medclip_decode::open(file, limits) {
            Ok(film) => {
                slot.copy_from_slice(preprocessor.resized(&film.image).pixels());
                None
            }
            Err(error) => Some(with_causes(&error.reason)),
        })
        .collect();

    let (mut kept, mut bad) = (Vec::new(), Vec::new());
    for (index, (file, reason)) in files.iter().zip(reasons).enumerate() {
        if let Some(reason) = reason {
            bad.push(BadImage { path: file.clone(), reason });
        } else {
            pixels.copy_within(index * area..(index + 1) * area, kept.len() * area);
            kept.push(index);
        }
    }
    pixels.truncate(kept.len() * area);
    Decoded { kept, bad, pixels }
}

fn check_any(files: &[PathBuf], kept: &[usize], bad: &[BadImage]) -> Result<(), ImagesError> {
    match bad.first() {
        Some(first) if kept.is_empty() => Err(ImagesError::AllBad {
            count: files.len(),
            path: first.path.clone(),
            reason: first.reason.clone(),
        }),
        _ => Ok(()),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use medclip_core::preprocess::PreprocessConfig;

    use super::*;
    use crate::data::fixture::write_png;

    pub(super) fn setup() -> (tempfile::TempDir, Vec<PathBuf>, Preprocessor) {
        let directory = tempfile::tempdir().unwrap();
        let files: Vec<PathBuf> = ["a.png", "bad.png", "b.png", "missing.png"]
            .into_iter()
            .map(|name| directory.path().join(name))
            .collect();
        write_png(&files[0], 8, |x, _| x as u8);
        std::fs::write(&files[1], b"not an image").unwrap();
        write_png(&files[2], 8, |_, y| 100 + y as u8);
        let config = PreprocessConfig { pad_min_side: 0, ..PreprocessConfig::medclip(8, 1) };
        (directory, files, Preprocessor::new(config).unwrap())
    }

    #[test]
    fn skips_and_lists_bad_files() {
        let (_directory, files, preprocessor) = setup();
        let loaded = load_images(&files, &preprocessor, &Limits::default(), Storage::Memory).unwrap();
        assert_eq!(loaded.kept, [0, 2]);
        assert_eq!(loaded.store.len(), 2);
        assert_eq!(&loaded.store.get(0).unwrap().unwrap()[..8], [0, 1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(loaded.store.get(1).unwrap().unwrap()[8], 101);
        assert_eq!(loaded.store.get(2).unwrap(), None);
        let paths: Vec<&Path> = loaded.bad.iter().map(|bad| bad.path.as_path()).collect();
        assert_eq!(paths, [&files[1], &files[3]]);

        let error =
            load_images(&files[1..2], &preprocessor, &Limits::default(), Storage::Memory).unwrap_err();
        assert!(matches!(error, ImagesError::AllBad { count: 1, .. }), "{error}");
    }
}
