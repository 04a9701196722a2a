//! Cleaning up after writers that were killed.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::path::Path;

use crate::error::{StagingError, at};
use crate::mark::{self, MARK};
use crate::place::{Handle, is_place};

/// What a target is called in the staging directory while another takes its place.
pub(crate) const OLD: &str = "old";

/// Whether a name in a directory is that of a staging directory. Whoever lists directories leaves these out.
pub fn is_staging(name: impl AsRef<OsStr>) -> bool {
    is_place(name.as_ref())
}

/// Cleans up in `parent` after writers that were killed: a target that was moved aside is put back, and what was only begun is
/// removed. Staging directories of other users and of writers at work stay, and so do those on file systems without locks.
///
/// # Errors
/// [`StagingError`] where `parent` cannot be read or a target cannot be put back.
pub fn sweep(parent: impl AsRef<Path>) -> Result<(), StagingError> {
    let parent = parent.as_ref();
    let handle = Handle::open(parent).map_err(at(parent))?;
    for entry in fs::read_dir(handle.path()).map_err(at(parent))? {
        let name = entry.map_err(at(parent))?.file_name();
        if is_place(&name) {
            match sweep_one(&handle, &name) {
                // Another process was faster.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                swept => swept.map_err(at(&handle.path().join(&name)))?,
            }
        }
    }
    Ok(())
}

fn sweep_one(parent: &Handle, name: &OsStr) -> io::Result<()> {
    // A link, a file, or a directory of someone else is none of ours.
    let Ok(inside) = parent.open_private(name) else { return Ok(()) };
    let mut file = match inside.open_file(MARK.as_ref()) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            // Killed before the first file. Anything but an empty directory stays.
            let _ = parent.remove_empty(name);
            return Ok(());
        }
        Err(_) => return Ok(()),
    };
    if !is_abandoned(&inside, &file)? {
        return Ok(());
    }
    let old = OsStr::new(OLD);
    match mark::read(&mut file)? {
        Some(target) if inside.has(old)? && !parent.has(&target)? => {
            inside.rename(old, parent, &target)?;
            parent.sync()?;
        }
        Some(_) => {}
        // Killed while the mark was written: there was nothing beside it.
        None if is_alone(&inside)? => {}
        None => return Ok(()),
    }
    // Without its mark it would be nobody's, if this process is killed half way.
    parent.remove_private(name, &inside, MARK.as_ref())
}

/// Takes the lock of a mark, if its writer is dead.
fn is_abandoned(inside: &Handle, file: &File) -> io::Result<bool> {
    Ok(file.try_lock().is_ok() && inside.holds(MARK.as_ref(), file)?)
}

fn is_alone(inside: &Handle) -> io::Result<bool> {
    Ok(fs::read_dir(inside.path())?.count() == 1)
}
