//! Writing a bundle: beside its place first, then renamed into it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use super::{Bundle, BundleError, BundleFile, sums};

/// Collects the files of a bundle and puts them in place at once.
///
/// Dropping the writer before [`BundleWriter::finish`] leaves nothing behind.
#[derive(Debug)]
pub struct BundleWriter {
    target: PathBuf,
    partial: PathBuf,
    sums: BTreeMap<String, String>,
    replace: bool,
}

impl BundleWriter {
    /// A writer of the bundle `target`; with `replace`, an existing directory there is replaced in the end.
    ///
    /// # Errors
    /// [`BundleError::Exists`] without `replace`, [`BundleError::Io`] when nothing can be written there.
    pub fn create(target: impl AsRef<Path>, replace: bool) -> Result<Self, BundleError> {
        let target = target.as_ref().to_owned();
        if !replace && target.exists() {
            return Err(BundleError::Exists { path: target });
        }
        let partial = beside(&target, ".partial");
        remove(&partial)?;
        fs::create_dir_all(&partial).map_err(|source| BundleError::Io { path: partial.clone(), source })?;
        Ok(Self { target, partial, sums: BTreeMap::new(), replace })
    }

    /// Adds a file and returns its SHA-256.
    ///
    /// # Errors
    /// [`BundleError::Io`].
    pub fn add(&mut self, file: BundleFile, bytes: &[u8]) -> Result<&str, BundleError> {
        let name = file.file_name();
        write(&self.partial.join(name), bytes)?;
        let slot = self.sums.entry(name.to_owned()).or_default();
        *slot = sums::sha256(bytes);
        Ok(slot)
    }

    /// Writes the sums, opens the bundle as any reader would, and puts it in its place.
    ///
    /// # Errors
    /// [`BundleError::Sums`] when a file was not added, [`BundleError::Exists`] when something came in the way, and
    /// whatever [`Bundle::open`] has against the files. What was in the place before is there still.
    pub fn finish(self) -> Result<(), BundleError> {
        self.finish_if(|_| Ok::<_, BundleError>(()))
    }

    /// [`BundleWriter::finish`], if `accept` has nothing against the bundle at the path it is given, where it is whole
    /// but not yet in its place.
    ///
    /// # Errors
    /// Those of [`BundleWriter::finish`] and of `accept`.
    pub fn finish_if<E: From<BundleError>>(
        self,
        accept: impl FnOnce(&Path) -> Result<(), E>,
    ) -> Result<(), E> {
        self.check()?;
        accept(&self.partial)?;
        Ok(self.put_in_place()?)
    }

    fn check(&self) -> Result<(), BundleError> {
        if let Some(missing) = BundleFile::ALL.iter().find(|f| !self.sums.contains_key(f.file_name())) {
            let reason = format!("`{}` was not written", missing.file_name());
            return Err(BundleError::Sums { path: self.target.clone(), reason });
        }
        write(&self.partial.join(sums::FILE_NAME), sums::format(&self.sums).as_bytes())?;
        Bundle::open(&self.partial)?;
        Ok(())
    }

    fn put_in_place(&self) -> Result<(), BundleError> {
        if !self.target.exists() {
            return self.move_in();
        }
        if !self.replace {
            return Err(BundleError::Exists { path: self.target.clone() });
        }
        let old = beside(&self.target, ".old.partial");
        remove(&old)?;
        fs::rename(&self.target, &old).map_err(|source| self.failed(source))?;
        if let Err(error) = self.move_in() {
            // The old bundle goes back; the first error is the one to report.
            let _ = fs::rename(&old, &self.target);
            return Err(error);
        }
        remove(&old)
    }

    fn move_in(&self) -> Result<(), BundleError> {
        fs::rename(&self.partial, &self.target).map_err(|source| self.failed(source))
    }

    fn failed(&self, source: std::io::Error) -> BundleError {
        BundleError::Io { path: self.target.clone(), source }
    }
}

impl Drop for BundleWriter {
    fn drop(&mut self) {
        // After `finish` there is nothing left to remove; before it, failing to clean up changes nothing.
        let _ = remove(&self.partial);
    }
}

/// `target` with `suffix` appended to its last name.
fn beside(target: &Path, suffix: &str) -> PathBuf {
    // Collecting the components drops a trailing separator, which would put the suffix inside the directory.
    let mut path = target.components().collect::<PathBuf>().into_os_string();
    path.push(suffix);
    PathBuf::from(path)
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), BundleError> {
    let fail = |source| BundleError::Io { path: path.to_owned(), source };
    fs::write(path, bytes).map_err(fail)?;
    File::open(path).and_then(|file| file.sync_all()).map_err(fail)
}

fn remove(directory: &Path) -> Result<(), BundleError> {
    match fs::remove_dir_all(directory) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
            Err(BundleError::Io { path: directory.to_owned(), source })
        }
        _ => Ok(()),
    }
}
