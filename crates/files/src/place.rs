//! A private directory with a random name, in which something is staged.

#[cfg(not(unix))]
#[path = "place/other.rs"]
mod system;
#[cfg(unix)]
#[path = "place/unix.rs"]
mod system;

use std::ffi::{OsStr, OsString};
use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use crate::mark::{self, MARK};
pub(crate) use system::Handle;

const START: &str = ".medclip-";
const END: &str = ".partial";

/// A writer that is swept away in its first moment begins again this often.
const ATTEMPTS: usize = 16;

/// The directory. It is removed when this is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    parent: Handle,
    name: OsString,
    inside: Handle,
    /// Held as long as the writer lives.
    _mark: File,
}

/// Whether a directory of this name is one in which something is staged.
pub(crate) fn is_place(name: &OsStr) -> bool {
    name.to_str().is_some_and(|name| name.starts_with(START) && name.ends_with(END))
}

impl Place {
    /// Makes one in `parent`, for `target`, the name of what is staged.
    pub(crate) fn create(parent: &Path, target: &OsStr) -> io::Result<Self> {
        let parent = Handle::open(parent)?;
        for _ in 0..ATTEMPTS {
            if let Some(place) = Self::attempt(&parent, target)? {
                return Ok(place);
            }
        }
        Err(io::Error::other("the staging directory is removed by another process as soon as it is made"))
    }

    /// None where another process, which takes the directory for one of a writer that was killed, comes in between.
    fn attempt(parent: &Handle, target: &OsStr) -> io::Result<Option<Self>> {
        let name = OsString::from(format!("{START}{:016x}{END}", getrandom::u64()?));
        let gone = |error: io::Error| {
            if error.kind() == io::ErrorKind::NotFound { Ok(None) } else { Err(error) }
        };
        match parent.make_private(&name) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(None),
            made => made?,
        }
        let inside = match parent.open_private(&name) {
            Ok(inside) => inside,
            Err(error) => return gone(error),
        };
        let mut file = match inside.create_file(MARK.as_ref()) {
            Ok(file) => file,
            Err(error) => return gone(error),
        };
        match file.try_lock() {
            // Where there are no locks nobody sweeps.
            Ok(()) | Err(TryLockError::Error(_)) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
        }
        mark::write(&mut file, target)?;
        if !inside.holds(MARK.as_ref(), &file)? {
            return Ok(None);
        }
        Ok(Some(Self { parent: parent.try_clone()?, name, inside, _mark: file }))
    }

    /// Where the directory is: for those that need a path.
    pub(crate) fn path(&self) -> PathBuf {
        self.parent.path().join(&self.name)
    }

    /// The directory itself.
    pub(crate) const fn inside(&self) -> &Handle {
        &self.inside
    }

    /// The directory beside the target.
    pub(crate) const fn parent(&self) -> &Handle {
        &self.parent
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // Left behind, it is swept by the next writer.
        let _ = self.parent.remove_private(&self.name, &self.inside, MARK.as_ref());
    }
}
