//! Members of zip and tar archives, listed first and read one at a time later.

#[cfg(not(feature = "archives"))]
mod absent;
#[cfg(feature = "archives")]
mod links;
#[cfg_attr(not(feature = "archives"), allow(dead_code, reason = "nothing lists members in this build"))]
mod listing;
#[cfg(feature = "archives")]
mod reader;
#[cfg(feature = "archives")]
mod tarred;
#[cfg(feature = "archives")]
mod zipped;

use std::ffi::OsStr;
#[cfg(feature = "archives")]
use std::io;
use std::path::{Path, PathBuf};

#[cfg(feature = "archives")]
use medclip_core::guard::catch;

use super::{InputError, Inputs};
use crate::source::Source;
use listing::Listing;
use medclip_core::name;
use medclip_scorer::Failure;

#[cfg(not(feature = "archives"))]
pub use absent::ArchiveReader;
#[cfg(feature = "archives")]
pub use reader::ArchiveReader;

/// Largest member read, in bytes: as large as a file of its own may be.
pub const MAX_MEMBER_BYTES: u64 = 512 << 20;

/// What kind of archive a file is, by its name. Whether a tar archive is gzipped, its content says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Container {
    Zip,
    Tar,
}

impl Container {
    pub(super) fn of(path: &Path) -> Option<Self> {
        Self::of_name(path.file_name().and_then(OsStr::to_str)?)
    }

    pub(super) fn of_name(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase();
        let mut endings = name::ARCHIVE_ENDINGS.iter();
        let ending = endings.find(|ending| name.len() > ending.len() && name.ends_with(**ending))?;
        Some(if *ending == ".zip" { Self::Zip } else { Self::Tar })
    }
}

/// The input that an id names: a file, or a member `archive.zip!member`.
///
/// # Errors
/// [`Failure`] of kind `io` when it is not there.
pub fn find(id: &str) -> Result<Source, Failure> {
    if let Some((archive, member)) = name::split_member(id) {
        let path = path_of(archive)?;
        if let Some(container) = Container::of(&path).filter(|_| path.is_file()) {
            let mut listing = Listing::finding(&path, member);
            let listed = read(&path, container, &mut listing);
            if let Some(source) = listing.into_found() {
                return Ok(source);
            }
            listed?;
        }
    }
    // As it was written, or as somebody typed it.
    let paths = [path_of(id)?, PathBuf::from(id)];
    let there = paths.into_iter().find(|path| path.exists()).map(Source::file);
    there.ok_or_else(|| Failure::new("io", "neither a file nor a member of an archive has this name"))
}

pub(super) fn path_of(text: &str) -> Result<PathBuf, Failure> {
    super::path_of(&name::unescape(text)).map_err(|error| Failure::new("io", error))
}

/// Every wanted member of an archive that was named, in its order. Where it breaks off, that is the last input.
pub(super) fn named(path: &Path, container: Container, inputs: &mut Inputs<'_>) -> Result<(), InputError> {
    let taken = inputs.taken;
    found(path, container, inputs)?;
    if inputs.taken == taken {
        inputs.take(Source::missing(path, Failure::new("no_match", "no image in this archive")))?;
    }
    Ok(())
}

/// Every wanted member of an archive that was found below a directory; it need not have one.
pub(super) fn found(path: &Path, container: Container, inputs: &mut Inputs<'_>) -> Result<(), InputError> {
    let mut listing = Listing::searching(path, inputs);
    let listed = read(path, container, &mut listing);
    if let Some(error) = listing.into_refusal() {
        return Err(error);
    }
    match listed {
        Ok(()) => Ok(()),
        Err(failure) => inputs.take(Source::missing(path, failure)),
    }
}

#[cfg(not(feature = "archives"))]
fn read(_path: &Path, _container: Container, _listing: &mut Listing<'_, '_>) -> Result<(), Failure> {
    Err(absent::left_out())
}

/// The readers of archives parse what strangers wrote.
#[cfg(feature = "archives")]
fn read(path: &Path, container: Container, listing: &mut Listing<'_, '_>) -> Result<(), Failure> {
    let list = || match container {
        Container::Zip => zipped::list(path, listing),
        Container::Tar => tarred::list(path, listing),
    };
    match catch(list) {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(Failure::new("archive", error)),
        Err(message) => Err(Failure::panic(&message)),
    }
}

/// An error of the archive, in words.
#[cfg(feature = "archives")]
fn damaged(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::other(error)
}
