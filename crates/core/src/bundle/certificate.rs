//! A certificate put into a bundle that is in its place already.

use std::fs;
use std::path::Path;

use super::{Bundle, BundleError, BundleFile, sums};
use crate::staging::StagedDirectory;

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
        let name = BundleFile::Certificate.file_name();
        let (_, mut listed) = sums::verify(&self.directory)?;
        // Staged beside the bundle: a file half written inside it would be one that no bundle has.
        let staged = StagedDirectory::create(sibling(&self.directory)?)?;
        let put = |name: &str, bytes: &[u8]| {
            staged.write(name, bytes)?;
            let target = self.directory.join(name);
            fs::rename(staged.path().join(name), &target)
                .map_err(|source| BundleError::Io { path: target, source })
        };
        if listed.remove(name).is_some() {
            put(sums::FILE_NAME, sums::format(&listed).as_bytes())?;
        }
        put(name, certificate)?;
        listed.insert(name.to_owned(), sums::sha256(certificate));
        put(sums::FILE_NAME, sums::format(&listed).as_bytes())?;
        if !self.is_certified() {
            self.files.push(BundleFile::Certificate);
        }
        Ok(())
    }
}

/// A name beside the bundle.
fn sibling(directory: &Path) -> Result<std::path::PathBuf, BundleError> {
    let whole = fs::canonicalize(directory)
        .map_err(|source| BundleError::Io { path: directory.to_owned(), source })?;
    let mut name = whole.file_name().unwrap_or_default().to_owned();
    name.push(".certificate");
    Ok(whole.with_file_name(name))
}
