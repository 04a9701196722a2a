//! Files of a bundle as they were when they were verified.

use std::fs::{File, Metadata};
use std::io::{self, Seek};
use std::path::Path;
use std::sync::Arc;

use medclip_files::{open_regular, read_at_most, sha256, sha256_of_rest};

use super::{BundleError, sums};

/// Most bytes of a file of a bundle that is held in memory whole: everything but graphs and their weights.
const MAX_BYTES: u64 = 256 << 20;

/// A file that has the sum it should have.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    sum: String,
    /// Its contents, if they are to be parsed.
    pub(super) bytes: Option<Vec<u8>>,
    /// Its contents, if it lies in no directory.
    memory: Option<Arc<[u8]>>,
    stamp: Option<Stamp>,
}

impl Seen {
    /// Reads the file at `path` once, through one descriptor.
    ///
    /// # Errors
    /// [`BundleError::Io`] where it is not a regular file or cannot be read, and the refusals of a file with another sum.
    pub(super) fn read(path: &Path, expected: &str, keep: bool) -> Result<Self, BundleError> {
        let fail = |source| BundleError::Io { path: path.to_owned(), source };
        let mut file = open_regular(path).map_err(fail)?;
        let stamp = file.metadata().map(|metadata| Stamp::of(&metadata)).map_err(fail)?;
        let (actual, bytes) = if keep {
            let bytes = read_at_most(&file, MAX_BYTES).map_err(fail)?;
            (sha256(&bytes), Some(bytes))
        } else {
            (sha256_of_rest(&mut file).map_err(fail)?, None)
        };
        if actual == *expected {
            return Ok(Self { sum: actual, bytes, memory: None, stamp });
        }
        Err(refusal(&mut file, path, expected, actual))
    }

    /// Takes a file in memory, which messages call `path`.
    ///
    /// # Errors
    /// [`BundleError::Changed`] for one with another sum.
    pub(super) fn in_memory(
        path: &Path,
        bytes: Vec<u8>,
        expected: &str,
        keep: bool,
    ) -> Result<Self, BundleError> {
        let actual = sha256(&bytes);
        if actual != *expected {
            return Err(BundleError::Changed {
                path: path.to_owned(),
                expected: expected.to_owned(),
                actual,
            });
        }
        // Those that are parsed are small.
        let parsed = keep.then(|| bytes.clone());
        Ok(Self { sum: actual, bytes: parsed, memory: Some(bytes.into()), stamp: None })
    }

    /// Its contents, if it lies in no directory.
    pub(super) fn memory(&self) -> Option<&[u8]> {
        self.memory.as_deref()
    }

    /// Its SHA-256.
    pub(super) fn sum(&self) -> &str {
        &self.sum
    }

    /// Fails unless the file at `path` still is the one that was read.
    ///
    /// A file that was not written to since is not read again: systems change its time whatever is written to it.
    ///
    /// # Errors
    /// [`BundleError::Changed`], [`BundleError::Io`].
    pub(super) fn confirm(&self, path: &Path) -> Result<(), BundleError> {
        // Nobody can exchange it.
        if self.memory.is_some() {
            return Ok(());
        }
        let fail = |source| BundleError::Io { path: path.to_owned(), source };
        let mut file = open_regular(path).map_err(fail)?;
        let now = file.metadata().map(|metadata| Stamp::of(&metadata)).map_err(fail)?;
        if now.is_some() && now == self.stamp {
            return Ok(());
        }
        let actual = sha256_of_rest(&mut file).map_err(fail)?;
        if actual == self.sum {
            return Ok(());
        }
        Err(BundleError::Changed { path: path.to_owned(), expected: self.sum.clone(), actual })
    }

    /// The contents of the file at `path`, which has to be the one that was read.
    ///
    /// # Errors
    /// [`BundleError::Changed`], [`BundleError::Io`].
    pub(super) fn reread(&self, path: &Path) -> Result<Vec<u8>, BundleError> {
        if let Some(bytes) = self.bytes.as_deref().or(self.memory()) {
            return Ok(bytes.to_vec());
        }
        let again = Self::read(path, &self.sum, true)?;
        Ok(again.bytes.unwrap_or_default())
    }
}

/// Why a file with another sum is refused, by what it holds instead.
fn refusal(file: &mut File, path: &Path, expected: &str, actual: String) -> BundleError {
    let path = path.to_owned();
    let mut contents = || -> io::Result<Vec<u8>> {
        file.rewind()?;
        read_at_most(&*file, MAX_BYTES)
    };
    let bytes = contents().unwrap_or_default();
    if bytes.starts_with(b"version https://git-lfs") {
        return BundleError::GitLfsPointer { path };
    }
    if sums::has_other_line_ends(&path, &bytes, expected) {
        return BundleError::LineEnds { path };
    }
    BundleError::Changed { path, expected: expected.to_owned(), actual }
}

/// What the system says of a file that is another after every write: a file replaced or written to has another stamp.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    bytes: u64,
    modified: [i64; 2],
    changed: [i64; 2],
}

impl Stamp {
    /// `None` where it says nothing: of a file that changed moments ago, whose next change may have the same time.
    #[cfg(unix)]
    fn of(metadata: &Metadata) -> Option<Self> {
        use std::os::unix::fs::MetadataExt;
        use std::time::{Duration, SystemTime};

        /// Longer than the steps in which any file system counts time; FAT counts by two seconds.
        const SETTLED: Duration = Duration::from_secs(3);

        let seconds = u64::try_from(metadata.ctime()).ok()?;
        let changed = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds))?;
        let is_settled = SystemTime::now().duration_since(changed).is_ok_and(|age| age > SETTLED);
        is_settled.then(|| Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            bytes: metadata.size(),
            modified: [metadata.mtime(), metadata.mtime_nsec()],
            changed: [metadata.ctime(), metadata.ctime_nsec()],
        })
    }

    #[cfg(not(unix))]
    fn of(_metadata: &Metadata) -> Option<Self> {
        None
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_file_that_is_exchanged_after_it_was_verified_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("image.onnx");
        let other = directory.path().join("other");
        fs::write(&path, "graph").unwrap();
        let seen = Seen::read(&path, &sha256(b"graph"), false).unwrap();
        assert!(seen.bytes.is_none());
        seen.confirm(&path).unwrap();
        assert_eq!(seen.reread(&path).unwrap(), b"graph");

        fs::write(&other, "other").unwrap();
        fs::rename(&other, &path).unwrap();
        for result in [seen.confirm(&path), seen.reread(&path).map(drop)] {
            assert!(matches!(result, Err(BundleError::Changed { path: named, .. }) if named == path));
        }
        fs::write(&path, "graph").unwrap();
        seen.confirm(&path).unwrap();
        fs::remove_file(&path).unwrap();
        assert!(matches!(seen.confirm(&path), Err(BundleError::Io { path: named, .. }) if named == path));
    }

    #[test]
    fn contents_that_were_kept_are_those_that_were_summed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("model.toml");
        fs::write(&path, "first").unwrap();
        let seen = Seen::read(&path, &sha256(b"first"), true).unwrap();
        fs::write(&path, "second").unwrap();
        assert_eq!(seen.reread(&path).unwrap(), b"first");
    }

    /// A stamp that is settled stands for the contents; every kind of change gives another.
    #[cfg(unix)]
    #[test]
    fn a_settled_file_has_another_stamp_after_every_change() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        fs::write(&path, "graph").unwrap();
        assert_eq!(Stamp::of(&fs::metadata(&path).unwrap()), None, "it changed moments ago");
        // This source file is older than the test.
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
        let stamp = Stamp::of(&fs::metadata(&source).unwrap());
        assert_eq!(stamp, Stamp::of(&fs::metadata(&source).unwrap()));
    }
}
