//! Directories that are put in their place whole or not at all.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::error::{StagingError, at};
use crate::folder::split;
use crate::kind::Kind;
use crate::place::{Handle, Place};
use crate::sweep::{OLD, sweep};

/// What the directory is called in the staging directory.
const NEW: &str = "new";

/// What a directory is called while it is removed.
const GONE: &str = "gone";

/// A directory that is filled in a staging directory beside its place and then moved there.
///
/// Every file is flushed to the disk before the directory gets its name, so whoever finds the name finds the files,
/// after a crash too. Dropped before [`StagedDirectory::put_in_place`], it leaves nothing behind.
#[derive(Debug)]
pub struct StagedDirectory {
    target: PathBuf,
    name: OsString,
    kind: &'static Kind,
    place: Place,
    new: Handle,
}

impl StagedDirectory {
    /// An empty directory that will be `target`. What killed writers left beside it is cleaned up.
    ///
    /// # Errors
    /// [`StagingError`] when nothing can be written there, or when something is there that is not of this kind.
    pub fn create(target: impl AsRef<Path>, kind: &'static Kind) -> Result<Self, StagingError> {
        let target = target.as_ref().to_owned();
        let (parent, name) = split(&target)?;
        if !parent.as_os_str().is_empty() {
            fs::create_dir_all(parent).map_err(at(parent))?;
        }
        sweep(parent)?;
        refuse_foreign(&target, kind)?;
        let make = || {
            let place = Place::create(parent, name)?;
            place.inside().make_directory(NEW.as_ref())?;
            let new = place.inside().open_in(NEW.as_ref())?;
            Ok((place, new))
        };
        let (place, new) = make().map_err(at(&target))?;
        Ok(Self { name: name.to_owned(), target, kind, place, new })
    }

    /// Removes a directory that is in its place. It loses its name first, so that nobody finds half of it.
    ///
    /// # Errors
    /// [`StagingError`] when it is not of this kind, or cannot be renamed or removed.
    pub fn remove(target: impl AsRef<Path>, kind: &Kind) -> Result<(), StagingError> {
        let target = target.as_ref();
        let (parent, name) = split(target)?;
        let place = Place::create(parent, name).map_err(at(target))?;
        move_aside(&place, target, name, GONE, kind)?;
        place.parent().sync().map_err(at(target))
    }

    /// Where the directory is until it is put in place.
    pub fn path(&self) -> PathBuf {
        self.place.path().join(NEW)
    }

    /// Where it will be.
    pub fn target(&self) -> &Path {
        &self.target
    }

    /// Writes a file and flushes it.
    ///
    /// # Errors
    /// [`StagingError`] naming it.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), StagingError> {
        self.write_with(name, |out| out.write_all(bytes))
    }

    /// Writes a file as `write` does, flushes it, and returns what `write` returned. An earlier file of this name is replaced.
    ///
    /// # Errors
    /// [`StagingError`] naming it.
    pub fn write_with<T>(
        &self,
        name: &str,
        write: impl FnOnce(&mut dyn Write) -> io::Result<T>,
    ) -> Result<T, StagingError> {
        let fill = || {
            let name = name.as_ref();
            if self.new.has(name)? {
                self.new.remove_file(name)?;
            }
            let mut out = BufWriter::new(self.new.create_file(name)?);
            let value = write(&mut out)?;
            out.into_inner()?.sync_all()?;
            Ok(value)
        };
        fill().map_err(at(&self.path().join(name)))
    }

    /// Flushes a file that was written by its path.
    ///
    /// # Errors
    /// [`StagingError`] naming it.
    pub fn flush(&self, name: &str) -> Result<(), StagingError> {
        let path = self.path().join(name);
        self.new.open_file(name.as_ref()).and_then(|file| file.sync_all()).map_err(at(&path))
    }

    /// Gives the directory its name. What had the name is replaced; if the process is killed in between, the next writer in
    /// the same folder puts it back.
    ///
    /// # Errors
    /// [`StagingError`]; what was in the place before is then there still.
    pub fn put_in_place(self) -> Result<(), StagingError> {
        let Self { target, name, kind, place, new } = self;
        let failed = || at(&target);
        // What was written by path went astray where the staging directory was exchanged.
        if !new.is_at(&place.path().join(NEW)).map_err(failed())? {
            return Err(failed()(io::Error::other("the staging directory was moved by another process")));
        }
        new.sync().map_err(failed())?;
        let replaces = place.parent().has(&name).map_err(failed())?;
        if replaces {
            move_aside(&place, &target, &name, OLD, kind)?;
        }
        if let Err(source) = place.inside().rename(NEW.as_ref(), place.parent(), &name) {
            if replaces {
                // The first error is the one to report.
                let _ = place.inside().rename(OLD.as_ref(), place.parent(), &name);
            }
            return Err(failed()(source));
        }
        place.parent().sync().map_err(failed())
    }
}

/// Moves `target` into the staging directory, if it holds nothing foreign: looked at before, so that it keeps its name in nearly
/// every such case, and after, when nobody else can put anything into it.
fn move_aside(
    place: &Place,
    target: &Path,
    name: &OsStr,
    aside: &str,
    kind: &Kind,
) -> Result<(), StagingError> {
    refuse_foreign(target, kind)?;
    place.parent().rename(name, place.inside(), aside.as_ref()).map_err(at(target))?;
    kind.check(&place.path().join(aside)).map_err(|source| {
        let _ = place.inside().rename(aside.as_ref(), place.parent(), name);
        at(target)(source)
    })
}

fn refuse_foreign(target: &Path, kind: &Kind) -> Result<(), StagingError> {
    match fs::symlink_metadata(target) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        _ => kind.check(target).map_err(at(target)),
    }
}
