//! Decoded images on disk, for the next start.
//!
//! The file is magic, key, pixels, header (JSON), header length (u64, little endian), and the SHA-256 of all before it: pixels
//! are written while images are decoded, and what the header says is known when the last one is.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use medclip_core::preprocess::Preprocessor;
use medclip_files::open_regular;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

use super::pixels::Pixels;
use super::{BadImage, ImageStore, LoadedImages};

const MAGIC: &[u8; 16] = b"medclip-images3\n";

/// The cache of one list of files with one preprocessing.
#[derive(Debug)]
pub(super) struct CacheFile {
    pub(super) path: PathBuf,
    key: [u8; 32],
}

/// The part of a cache file that is not pixels.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Header {
    pub(super) side: usize,
    pub(super) kept: Vec<usize>,
    pub(super) bad: Vec<BadImage>,
}

/// A cache file that is being written beside its final name, so that no reader sees half a file.
pub(super) struct CacheWriter<'a> {
    path: &'a Path,
    out: BufWriter<NamedTempFile>,
    hash: Sha256,
}

/// Bytes before the pixels: magic and key.
const START: usize = MAGIC.len() + 32;
/// Bytes after the header: its length and the hash.
const END: usize = 8 + 32;
/// Bytes that are hashed at a time.
const BLOCK: usize = 1 << 20;

impl CacheFile {
    pub(super) fn new(directory: &Path, files: &[PathBuf], preprocessor: &Preprocessor) -> Self {
        let key = key(files, preprocessor);
        let mut name = String::new();
        for byte in &key[..8] {
            let _ = write!(name, "{byte:02x}");
        }
        Self { path: directory.join(name + ".images"), key }
    }

    /// The cached images, left `on_disk` or in memory; `None` for anything but an intact file of this key and side.
    pub(super) fn read(&self, side: usize, on_disk: bool) -> Option<LoadedImages> {
        let mut file = open_regular(&self.path).ok()?;
        let total = usize::try_from(file.metadata().ok()?.len()).ok()?;
        let body = total.checked_sub(START + END)?;
        if !is_intact(&mut file, total).ok()? {
            return None;
        }
        let mut take = |at: usize, len: usize| {
            let mut bytes = vec![0; len];
            file.seek(SeekFrom::Start(at as u64)).ok()?;
            file.read_exact(&mut bytes).ok()?;
            Some(bytes)
        };
        if take(0, START)? != [&MAGIC[..], &self.key].concat() {
            return None;
        }
        let header_len = u64::from_le_bytes(take(total - END, 8)?.try_into().ok()?);
        let len = body.checked_sub(usize::try_from(header_len).ok()?)?;
        let Header { side: cached, kept, bad } =
            serde_json::from_slice(&take(START + len, body - len)?).ok()?;
        if cached != side || kept.len().checked_mul(side.checked_mul(side)?)? != len {
            return None;
        }
        let pixels = if on_disk { None } else { Some(take(START, len)?.into()) };
        let pixels = pixels.unwrap_or(Pixels::Stored { file, start: START as u64, len });
        let store = ImageStore { side, pixels, path: self.path.clone() };
        Some(LoadedImages { store, kept, bad })
    }

    /// Begins to write the file.
    pub(super) fn writer(&self) -> io::Result<CacheWriter<'_>> {
        let directory = self.path.parent().unwrap_or(Path::new("."));
        medclip_files::make_private(directory)?;
        let out = BufWriter::new(NamedTempFile::new_in(directory)?);
        let mut writer = CacheWriter { path: &self.path, out, hash: Sha256::new() };
        writer.push(MAGIC)?;
        writer.push(&self.key)?;
        Ok(writer)
    }
}

impl CacheWriter<'_> {
    /// Adds the pixels of further images.
    pub(super) fn push(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hash.update(bytes);
        self.out.write_all(bytes)
    }

    /// Completes the file and puts it in place.
    pub(super) fn finish(mut self, header: &Header) -> io::Result<()> {
        let header = serde_json::to_vec(header)?;
        self.push(&header)?;
        self.push(&(header.len() as u64).to_le_bytes())?;
        self.out.write_all(&self.hash.finalize())?;
        let file = self.out.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.persist(self.path)?;
        Ok(())
    }
}

/// True when the last 32 of `total` bytes are the hash of those before.
fn is_intact(file: &mut File, total: usize) -> io::Result<bool> {
    let mut hash = Sha256::new();
    let mut block = vec![0; BLOCK];
    let mut left = total.saturating_sub(32);
    while left > 0 {
        let part = &mut block[..left.min(BLOCK)];
        file.read_exact(part)?;
        hash.update(&part);
        left -= part.len();
    }
    let mut sum = [0; 32];
    file.read_exact(&mut sum)?;
    Ok(hash.finalize()[..] == sum)
}

fn key(files: &[PathBuf], preprocessor: &Preprocessor) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(MAGIC);
    hash.update(format!("{:?}\n", preprocessor.config()));
    for file in files {
        let facts = file.metadata().ok().map(|metadata| {
            let age =
                metadata.modified().ok().and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok());
            (metadata.len(), age.map(|age| age.as_nanos()))
        });
        hash.update(format!("{}\t{facts:?}\n", file.display()));
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use medclip_decode::Limits;

    use super::*;
    use crate::data::fixture::write_png;
    use crate::data::images::tests::setup;
    use crate::data::images::{ImagesError, Storage, load_images};

    #[test]
    fn is_used_until_a_file_or_the_cache_changes() {
        let (directory, files, preprocessor) = setup();
        let cache = directory.path().join("cache");
        let load = |storage| load_images(&files, &preprocessor, &Limits::default(), storage).unwrap();
        let cached = || load(Storage::Cached(&cache));
        let file = || CacheFile::new(&cache, &files, &preprocessor);
        let first = cached();
        assert_eq!(first, load(Storage::Memory));
        assert_eq!(file().read(8, false).unwrap(), first);
        assert_eq!(cached(), first);

        let intact = std::fs::read(file().path).unwrap();
        for damage in [intact.len() / 2, intact.len() - 1, intact.len() - 35, 20, 49, 55] {
            let mut bytes = intact.clone();
            bytes[damage] ^= 0x40;
            std::fs::write(file().path, &bytes).unwrap();
            assert!(
                [true, false].into_iter().all(|on_disk| file().read(8, on_disk).is_none()),
                "byte {damage}"
            );
        }
        for length in [0, 20, 60, intact.len() - 40] {
            std::fs::write(file().path, &intact[..length]).unwrap();
            assert!(file().read(8, false).is_none(), "cut at {length}");
        }
        assert_eq!(cached(), first);
        assert_eq!(std::fs::read(file().path).unwrap(), intact);

        write_png(&files[3], 8, |_, _| 7);
        assert_eq!(cached().kept, [0, 2, 3]);
        assert_eq!(std::fs::read_dir(&cache).unwrap().count(), 2);
    }

    #[test]
    fn images_on_disk_are_those_in_memory_and_outlive_their_name() {
        let (directory, files, preprocessor) = setup();
        let cache = directory.path().join("cache");
        let load = |storage| load_images(&files, &preprocessor, &Limits::default(), storage).unwrap();
        let (written, found) = (load(Storage::OnDisk(&cache)), load(Storage::OnDisk(&cache)));
        std::fs::remove_dir_all(&cache).unwrap();
        let expected = load(Storage::Memory);
        for stored in [written, found] {
            assert!(matches!(stored.store.pixels, Pixels::Stored { .. }));
            assert_eq!(stored, expected);
            assert_eq!(stored.store.get(1).unwrap(), expected.store.get(1).unwrap());
            assert_eq!(stored.store.get(2).unwrap(), None);
        }
    }

    /// Mapped, a file that shrinks under its reader ended the program.
    #[test]
    fn a_cache_that_is_cut_off_in_use_is_an_error() {
        let (directory, files, preprocessor) = setup();
        let cache = directory.path().join("cache");
        let path = CacheFile::new(&cache, &files, &preprocessor).path;
        for length in [0, START as u64, START as u64 + 100] {
            let storage = Storage::OnDisk(&cache);
            let store = load_images(&files, &preprocessor, &Limits::default(), storage).unwrap().store;
            File::options().write(true).open(&path).unwrap().set_len(length).unwrap();
            let error = store.get(1).unwrap_err();
            assert!(matches!(&error, ImagesError::Read { path: named, .. } if *named == path), "{error}");
            assert_eq!(store.get(0).is_ok(), length > START as u64 + 64, "{length}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_cache_that_is_no_file_is_built_anew() {
        let (directory, files, preprocessor) = setup();
        let cache = directory.path().join("cache");
        let path = CacheFile::new(&cache, &files, &preprocessor).path;
        std::fs::create_dir(&cache).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
        let loaded = load_images(&files, &preprocessor, &Limits::default(), Storage::OnDisk(&cache)).unwrap();
        assert_eq!(loaded.store.len(), 2);
        assert!(path.is_file());
    }
}
