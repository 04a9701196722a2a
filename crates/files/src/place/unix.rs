//! Directories by descriptor: a link that replaces a directory on the way changes nothing.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, Stat};

/// An open directory.
#[derive(Debug)]
pub(crate) struct Handle {
    descriptor: OwnedFd,
    path: PathBuf,
}

impl Handle {
    /// Opens a directory that a user named; links on the way to it are followed.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let descriptor = rustix::fs::openat(CWD, path, flags, Mode::empty())?;
        Ok(Self { descriptor, path: path.to_owned() })
    }

    /// Opens a directory in this one that is no link.
    pub(crate) fn open_in(&self, name: &OsStr) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let descriptor = rustix::fs::openat(&self.descriptor, name, flags, Mode::empty())?;
        Ok(Self { descriptor, path: self.path.join(name) })
    }

    /// Opens a directory in this one that is no link and that nobody else may enter.
    pub(crate) fn open_private(&self, name: &OsStr) -> io::Result<Self> {
        let opened = self.open_in(name)?;
        let status = rustix::fs::fstat(&opened.descriptor)?;
        let is_ours = status.st_uid == rustix::process::geteuid().as_raw()
            && !Mode::from_raw_mode(status.st_mode).intersects(Mode::RWXG | Mode::RWXO);
        if is_ours { Ok(opened) } else { Err(io::Error::new(io::ErrorKind::NotFound, "it is not ours")) }
    }

    pub(crate) fn try_clone(&self) -> io::Result<Self> {
        Ok(Self { descriptor: self.descriptor.try_clone()?, path: self.path.clone() })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Makes a directory that only its owner may enter.
    pub(crate) fn make_private(&self, name: &OsStr) -> io::Result<()> {
        Ok(rustix::fs::mkdirat(&self.descriptor, name, Mode::RWXU)?)
    }

    /// Makes a directory as the umask has it.
    pub(crate) fn make_directory(&self, name: &OsStr) -> io::Result<()> {
        Ok(rustix::fs::mkdirat(&self.descriptor, name, Mode::RWXU | Mode::RWXG | Mode::RWXO)?)
    }

    /// Makes a file anew, as the umask has it.
    pub(crate) fn create_file(&self, name: &OsStr) -> io::Result<File> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mode = Mode::from_raw_mode(0o666);
        Ok(rustix::fs::openat(&self.descriptor, name, flags, mode)?.into())
    }

    /// Opens a regular file.
    pub(crate) fn open_file(&self, name: &OsStr) -> io::Result<File> {
        // Without waiting: a pipe would wait for a writer.
        let flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file: File = rustix::fs::openat(&self.descriptor, name, flags, Mode::empty())?.into();
        if file.metadata()?.is_file() {
            Ok(file)
        } else {
            Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"))
        }
    }

    /// Whether `name` still leads to `file`.
    pub(crate) fn holds(&self, name: &OsStr, file: &File) -> io::Result<bool> {
        let own = rustix::fs::fstat(file)?;
        Ok(self.status(name)?.is_some_and(|found| is_same(&found, &own)))
    }

    /// Whether something has this name, be it a link that leads nowhere.
    pub(crate) fn has(&self, name: &OsStr) -> io::Result<bool> {
        Ok(self.status(name)?.is_some())
    }

    /// Whether this is a directory of that name, and no link to one.
    pub(crate) fn has_directory(&self, name: &OsStr) -> io::Result<bool> {
        Ok(self
            .status(name)?
            .is_some_and(|found| FileType::from_raw_mode(found.st_mode) == FileType::Directory))
    }

    fn status(&self, name: &OsStr) -> io::Result<Option<Stat>> {
        match rustix::fs::statat(&self.descriptor, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(status) => Ok(Some(status)),
            Err(rustix::io::Errno::NOENT) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Moves something into another directory.
    pub(crate) fn rename(&self, from: &OsStr, to: &Self, name: &OsStr) -> io::Result<()> {
        Ok(rustix::fs::renameat(&self.descriptor, from, &to.descriptor, name)?)
    }

    /// Removes a file.
    pub(crate) fn remove_file(&self, name: &OsStr) -> io::Result<()> {
        Ok(rustix::fs::unlinkat(&self.descriptor, name, AtFlags::empty())?)
    }

    /// Removes an empty directory.
    pub(crate) fn remove_empty(&self, name: &OsStr) -> io::Result<()> {
        Ok(rustix::fs::unlinkat(&self.descriptor, name, AtFlags::REMOVEDIR)?)
    }

    /// Removes a private directory with all that is in it, if the name still leads to it; `last` goes last.
    pub(crate) fn remove_private(&self, name: &OsStr, inside: &Self, last: &OsStr) -> io::Result<()> {
        inside.clear_but(Some(last))?;
        if inside.has(last)? {
            inside.remove_file(last)?;
        }
        let own = rustix::fs::fstat(&inside.descriptor)?;
        match self.status(name)? {
            Some(found) if is_same(&found, &own) => self.remove_empty(name),
            _ => Ok(()),
        }
    }

    /// Removes all that is in the directory. Links are removed, not followed.
    fn clear_but(&self, kept: Option<&OsStr>) -> io::Result<()> {
        let mut names = Vec::new();
        for entry in rustix::fs::Dir::read_from(&self.descriptor)? {
            let entry = entry?;
            let name = entry.file_name();
            if name != c"." && name != c".." {
                names.push(name.to_owned());
            }
        }
        for name in names {
            use std::os::unix::ffi::OsStrExt;
            let name = OsStr::from_bytes(name.to_bytes());
            if kept == Some(name) {
                continue;
            }
            if self.has_directory(name)? {
                self.open_in(name)?.clear_but(None)?;
                self.remove_empty(name)?;
            } else {
                self.remove_file(name)?;
            }
        }
        Ok(())
    }

    /// Flushes the names in the directory.
    pub(crate) fn sync(&self) -> io::Result<()> {
        Ok(rustix::fs::fsync(&self.descriptor)?)
    }

    /// Whether a path leads to this directory.
    pub(crate) fn is_at(&self, path: &Path) -> io::Result<bool> {
        let (own, found) = (rustix::fs::fstat(&self.descriptor)?, rustix::fs::stat(path)?);
        Ok(is_same(&own, &found))
    }
}

fn is_same(one: &Stat, other: &Stat) -> bool {
    (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino)
}
