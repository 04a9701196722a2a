//! Writing a bundle: beside its place first, then moved into it.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use medclip_files::{StagedDirectory, StagingError, Summing};

use super::{BUNDLE, Bundle, BundleError, BundleFile, sums};

/// Collects the files of a bundle and puts them in place at once.
///
/// Dropping the writer before [`BundleWriter::finish`] leaves nothing behind.
#[derive(Debug)]
pub struct BundleWriter {
    directory: StagedDirectory,
    sums: BTreeMap<String, String>,
    replace: bool,
}

impl BundleWriter {
    /// A writer of the bundle `target`; with `replace`, a bundle that is there is replaced in the end.
    ///
    /// # Errors
    /// [`BundleError::Exists`] without `replace`, [`BundleError::Io`] when nothing can be written there, or when what is there
    /// is no bundle or holds other files too.
    pub fn create(target: impl AsRef<Path>, replace: bool) -> Result<Self, BundleError> {
        let target = target.as_ref();
        if !replace && target.exists() {
            return Err(BundleError::Exists { path: target.to_owned() });
        }
        Ok(Self { directory: StagedDirectory::create(target, &BUNDLE)?, sums: BTreeMap::new(), replace })
    }

    /// Adds a file and returns its SHA-256.
    ///
    /// # Errors
    /// [`BundleError::Io`].
    pub fn add(&mut self, file: BundleFile, bytes: &[u8]) -> Result<&str, BundleError> {
        self.add_with(file, |out| out.write_all(bytes))
    }

    /// Adds a file as `write` writes it and returns its SHA-256; it need not be in memory as a whole.
    ///
    /// # Errors
    /// [`BundleError::Io`].
    pub fn add_with(
        &mut self,
        file: BundleFile,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<&str, BundleError> {
        let name = file.file_name();
        let sum = self.directory.write_with(name, |out| {
            let mut out = Summing::new(out);
            write(&mut out)?;
            Ok(out.sum())
        })?;
        let slot = self.sums.entry(name.to_owned()).or_default();
        *slot = sum;
        Ok(slot)
    }

    /// Where a file that was added is until the bundle is put in its place.
    pub fn path(&self, file: BundleFile) -> PathBuf {
        self.directory.path().join(file.file_name())
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
        accept(&self.directory.path())?;
        let target = self.directory.target();
        if !self.replace && target.exists() {
            return Err(BundleError::Exists { path: target.to_owned() }.into());
        }
        Ok(self.directory.put_in_place().map_err(BundleError::from)?)
    }

    fn check(&self) -> Result<(), BundleError> {
        if let Some(missing) = BundleFile::REQUIRED.iter().find(|f| !self.sums.contains_key(f.file_name())) {
            let reason = format!("`{}` was not written", missing.file_name());
            return Err(BundleError::Sums { path: self.directory.target().to_owned(), reason });
        }
        self.directory.write(sums::FILE_NAME, sums::format(&self.sums).as_bytes())?;
        Bundle::open(self.directory.path())?;
        Ok(())
    }
}

impl From<StagingError> for BundleError {
    fn from(StagingError { path, source }: StagingError) -> Self {
        Self::Io { path, source }
    }
}
