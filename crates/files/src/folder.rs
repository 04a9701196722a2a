//! Files that are replaced whole.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::error::{StagingError, at};
use crate::place::{Handle, Place};
use crate::sweep::sweep;

/// What a file is called while it is written.
const NEW: &str = "new";

/// A directory into which files are put whole: a reader finds the earlier file or the new one.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    /// Where files are staged.
    staged_in: PathBuf,
}

impl Folder {
    /// A folder whose files are staged in it. What killed writers left there is cleaned up, once.
    ///
    /// # Errors
    /// [`StagingError`] where it is no directory that can be read, or as [`sweep`].
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, StagingError> {
        let path = path.into();
        sweep(&path)?;
        Ok(Self { staged_in: path.clone(), path })
    }

    /// A folder whose files are staged beside it, for folders that never hold anything else.
    ///
    /// # Errors
    /// As [`Folder::open`].
    pub fn staged_beside(path: impl AsRef<Path>) -> Result<Self, StagingError> {
        let given = path.as_ref();
        let path = fs::canonicalize(given).map_err(at(given))?;
        let staged_in = path.parent().unwrap_or(&path).to_owned();
        sweep(&staged_in)?;
        Ok(Self { path, staged_in })
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Opens a file to read and write it in place, and makes it where there is none. A link is not followed, and a device or pipe
    /// is refused.
    ///
    /// # Errors
    /// [`StagingError`].
    pub fn open_or_create(&self, name: impl AsRef<OsStr>) -> Result<File, StagingError> {
        let name = name.as_ref();
        let open = || {
            let folder = Handle::open(&self.path)?;
            match folder.create_file(name) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => folder.open_file(name),
                made => made,
            }
        };
        open().map_err(at(&self.path.join(name)))
    }

    /// Writes a file under another name, flushes it, and gives it its name, which has no directory.
    ///
    /// # Errors
    /// [`StagingError`]; what was in the place before is then there still.
    pub fn replace(&self, name: impl AsRef<OsStr>, bytes: &[u8]) -> Result<(), StagingError> {
        self.replace_with(name, |out| out.write_all(bytes))
    }

    /// [`Folder::replace`] with what `write` writes; returns what it returned.
    ///
    /// # Errors
    /// [`StagingError`], of `write` too; what was in the place before is then there still.
    pub fn replace_with<T>(
        &self,
        name: impl AsRef<OsStr>,
        write: impl FnOnce(&mut (dyn Write + Send)) -> io::Result<T>,
    ) -> Result<T, StagingError> {
        let name = name.as_ref();
        let target = self.path.join(name);
        let fill = || {
            refuse_special(&target)?;
            let place = Place::create(&self.staged_in, name)?;
            let mut out = BufWriter::new(place.inside().create_file(NEW.as_ref())?);
            let value = write(&mut out)?;
            out.into_inner()?.sync_all()?;
            let folder = Handle::open(&self.path)?;
            place.inside().rename(NEW.as_ref(), &folder, name)?;
            folder.sync()?;
            Ok(value)
        };
        fill().map_err(at(&target))
    }
}

/// Writes a file under another name, flushes it, and gives it its name: a reader finds the earlier file or this one whole. A link
/// in its place is replaced, not followed.
///
/// # Errors
/// [`StagingError`]; what was in the place before is then there still.
pub fn replace_file(target: impl AsRef<Path>, bytes: &[u8]) -> Result<(), StagingError> {
    replace_file_with(target, |out| out.write_all(bytes))
}

/// [`replace_file`] with what `write` writes; returns what it returned.
///
/// # Errors
/// [`StagingError`], of `write` too; what was in the place before is then there still.
pub fn replace_file_with<T>(
    target: impl AsRef<Path>,
    write: impl FnOnce(&mut (dyn Write + Send)) -> io::Result<T>,
) -> Result<T, StagingError> {
    let target = target.as_ref();
    let (parent, name) = split(target)?;
    Folder::open(parent).map_err(|error| at(target)(error.source))?.replace_with(name, write)
}

/// The directory of a target, and its name there.
pub(crate) fn split(target: &Path) -> Result<(&Path, &OsStr), StagingError> {
    let no_name = || at(target)(io::Error::new(io::ErrorKind::InvalidInput, "it does not end in a name"));
    let name = target.file_name().ok_or_else(no_name)?;
    Ok((target.parent().unwrap_or(Path::new("")), name))
}

/// Devices, pipes and sockets are not replaced by files.
fn refuse_special(target: &Path) -> io::Result<()> {
    match fs::metadata(target) {
        Ok(found) if found.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
        Ok(found) if !found.is_file() => Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "it is a device, a pipe or a socket, and no file to replace",
        )),
        _ => Ok(()),
    }
}
