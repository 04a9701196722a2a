//! Decoded images on disk, for the next start.
//!
//! The file is magic, key, header length (u64, little endian), header (JSON), pixels, and the SHA-256 of all before it.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use medclip_core::preprocess::Preprocessor;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{BadImage, ImageStore, LoadedImages};

const MAGIC: &[u8; 16] = b"medclip-images1\n";

/// The cache of one list of files with one preprocessing.
#[derive(Debug)]
pub(super) struct CacheFile {
    pub(super) path: PathBuf,
    key: [u8; 32],
}

/// The part of a cache file that is not pixels.
#[derive(Serialize, Deserialize)]
struct Header {
    side: usize,
    kept: Vec<usize>,
    bad: Vec<BadImage>,
}

impl CacheFile {
    pub(super) fn new(directory: &Path, files: &[PathBuf], preprocessor: &Preprocessor) -> Self {
        let key = key(files, preprocessor);
        let mut name = String::new();
        for byte in &key[..8] {
            let _ = write!(name, "{byte:02x}");
        }
        Self { path: directory.join(name + ".images"), key }
    }

    /// The cached images; `None` for anything but an intact file of this key and side.
    pub(super) fn read(&self, side: usize) -> Option<LoadedImages> {
        let file = File::open(&self.path).ok()?;
        let total = usize::try_from(file.metadata().ok()?.len()).ok()?;
        let mut input = BufReader::new(file);
        let mut hash = Sha256::new();
        // A damaged length must not make us ask for more memory than the file is long.
        let mut take = |len: usize| {
            let mut bytes = vec![0; if len <= total { len } else { return None }];
            input.read_exact(&mut bytes).ok()?;
            hash.update(&bytes);
            Some(bytes)
        };
        if take(MAGIC.len())? != MAGIC || take(self.key.len())? != self.key {
            return None;
        }
        let header_len = u64::from_le_bytes(take(8)?.try_into().ok()?);
        let header: Header = serde_json::from_slice(&take(usize::try_from(header_len).ok()?)?).ok()?;
        let pixels = take(header.kept.len().checked_mul(side.checked_mul(side)?)?)?;
        let mut sum = Vec::new();
        input.read_to_end(&mut sum).ok()?;
        (header.side == side && hash.finalize()[..] == sum[..]).then_some(LoadedImages {
            store: ImageStore { side, pixels },
            kept: header.kept,
            bad: header.bad,
        })
    }

    /// Writes beside the final name and renames, so that no reader sees half a file.
    pub(super) fn write(&self, loaded: &LoadedImages) -> io::Result<()> {
        let directory = self.path.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(directory)?;
        let header = serde_json::to_vec(&Header {
            side: loaded.store.side,
            kept: loaded.kept.clone(),
            bad: loaded.bad.clone(),
        })?;
        let mut hash = Sha256::new();
        let mut out = BufWriter::new(tempfile::NamedTempFile::new_in(directory)?);
        for part in
            [&MAGIC[..], &self.key, &(header.len() as u64).to_le_bytes(), &header, &loaded.store.pixels]
        {
            hash.update(part);
            out.write_all(part)?;
        }
        out.write_all(&hash.finalize())?;
        let file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.persist(&self.path)?;
        Ok(())
    }
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
    use crate::data::images::load_images;
    use crate::data::images::tests::setup;

    #[test]
    fn is_used_until_a_file_or_the_cache_changes() {
        let (directory, files, preprocessor) = setup();
        let cache = directory.path().join("cache");
        let load = || load_images(&files, &preprocessor, &Limits::default(), Some(&cache)).unwrap();
        let file = || CacheFile::new(&cache, &files, &preprocessor);
        let first = load();
        assert_eq!(file().read(8).unwrap(), first);
        assert_eq!(load(), first);

        let intact = std::fs::read(file().path).unwrap();
        for damage in [intact.len() / 2, intact.len() - 1, 20, 49, 55] {
            let mut bytes = intact.clone();
            bytes[damage] ^= 0x40;
            std::fs::write(file().path, &bytes).unwrap();
            assert!(file().read(8).is_none(), "byte {damage}");
        }
        std::fs::write(file().path, &intact[..intact.len() - 40]).unwrap();
        assert_eq!(load(), first);
        assert_eq!(std::fs::read(file().path).unwrap(), intact);

        write_png(&files[3], 8, |_, _| 7);
        assert_eq!(load().kept, [0, 2, 3]);
        assert_eq!(std::fs::read_dir(&cache).unwrap().count(), 2);
    }
}
