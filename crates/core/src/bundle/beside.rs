//! What is put into a bundle that is in its place already: files that tell about the model.

use medclip_files::{Folder, sha256};

use super::seen::Seen;
use super::{Bundle, BundleError, BundleFile, sums};
use crate::head::Head;

impl Bundle {
    /// Whether the bundle holds a certificate.
    pub fn is_certified(&self) -> bool {
        self.files.contains(&BundleFile::Certificate)
    }

    /// Puts `certificate` into the bundle, in place of an earlier one. The bundle's [`id`](Bundle::id) stays as it is.
    ///
    /// Stopped at any moment, the bundle is whole: with the new certificate, or without one.
    ///
    /// # Errors
    /// [`BundleError`] when the bundle has changed since it was opened, or cannot be written.
    pub fn certify(&mut self, certificate: &[u8]) -> Result<(), BundleError> {
        self.put_beside(BundleFile::Certificate, certificate)
    }

    /// Puts learned intake checks into the bundle, as [`certify`](Self::certify) does with a certificate.
    ///
    /// # Errors
    /// [`BundleError::Intake`] when they are no head or were fitted for another bundle; else as `certify`.
    pub fn keep_intake(&mut self, checks: &[u8]) -> Result<(), BundleError> {
        let path = self.path(BundleFile::Intake);
        let dim = self.config.architecture.embedding_dim;
        let head: Head = super::read_intake((path, checks.to_vec()), &self.id, dim)?;
        self.put_beside(BundleFile::Intake, checks)?;
        self.intake = Some(head);
        Ok(())
    }

    fn put_beside(&mut self, file: BundleFile, bytes: &[u8]) -> Result<(), BundleError> {
        let name = file.file_name();
        let mut listed = sums::verify(&self.directory)?.sums;
        // Staged beside the bundle: a file half written inside it would be one that no bundle has.
        let folder = Folder::staged_beside(&self.directory)?;
        let put = |name: &str, bytes: &[u8]| Ok::<_, BundleError>(folder.replace(name, bytes)?);
        if listed.remove(name).is_some() {
            put(sums::FILE_NAME, sums::format(&listed).as_bytes())?;
        }
        put(name, bytes)?;
        listed.insert(name.to_owned(), sha256(bytes));
        put(sums::FILE_NAME, sums::format(&listed).as_bytes())?;
        let seen = Seen::read(&self.path(file), &sha256(bytes), false)?;
        self.seen.insert(file, seen);
        if !self.files.contains(&file) {
            self.files.push(file);
            self.files.sort_unstable();
        }
        Ok(())
    }
}
