//! One process at a time.

use std::fs::{File, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fmt, fs, process, thread};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::place::Handle;

/// What a claim has behind the name of the lock.
const CLAIM: &str = ".claim";

/// So often, and so far apart, is the holder's name looked for.
const SIGNING_ATTEMPTS: u32 = 40;
const BETWEEN_ATTEMPTS: Duration = Duration::from_millis(5);

/// So often is a directory made for a lock.
const MAKING_ATTEMPTS: usize = 50;

/// Longer than any holder.
const LONGEST: u64 = 4096;

/// A lock that this process holds until the value is dropped.
///
/// It is a lock of the system on a file, which the system takes back when the process ends, however it ends. Where the file
/// system has no locks it is a second file, which only one process can make; a process that is killed leaves it behind.
#[derive(Debug)]
pub struct Lock {
    path: PathBuf,
    file: File,
    claim: Option<PathBuf>,
}

/// Who holds a lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The machine's name.
    pub host: String,
    /// The number of the process there.
    pub process: u32,
}

/// Why a lock was not taken.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LockError {
    /// Another process holds it.
    #[error("{} is in use by {}{}", path.display(), holder_of(holder.as_ref()), hint(claim.as_deref()))]
    Held {
        /// The lock.
        path: PathBuf,
        /// Who holds it, where that could be read.
        holder: Option<Holder>,
        /// The file that is left behind if that process was killed, on file systems without locks.
        claim: Option<PathBuf>,
    },
    /// It cannot be made.
    #[error("cannot lock {}", path.display())]
    Io {
        /// The lock.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
}

impl Lock {
    /// Takes the lock at `path`, a file that is made where there is none, or says who has it. It does not wait for
    /// the lock, and at most a fifth of a second for the name of the process that has it.
    ///
    /// # Errors
    /// [`LockError`].
    pub fn acquire(path: impl AsRef<Path>) -> Result<Self, LockError> {
        Self::acquire_by(path.as_ref(), File::try_lock)
    }

    /// [`Lock::acquire`] in a directory that `make` makes, and makes again where another process gave it up and removed it in
    /// between.
    ///
    /// # Errors
    /// Those of `make`, and [`LockError`] by way of `refused`.
    pub fn acquire_in_made<E>(
        path: impl AsRef<Path>,
        mut make: impl FnMut() -> Result<(), E>,
        refused: impl FnOnce(LockError) -> E,
    ) -> Result<Self, E> {
        let path = path.as_ref();
        for _ in 0..MAKING_ATTEMPTS {
            make()?;
            match Self::acquire(path) {
                Err(LockError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {}
                lock => return lock.map_err(refused),
            }
        }
        Err(refused(LockError::Held { path: path.to_owned(), holder: None, claim: None }))
    }

    fn acquire_by(
        path: &Path,
        try_lock: impl Fn(&File) -> Result<(), TryLockError>,
    ) -> Result<Self, LockError> {
        let failed = |source| LockError::Io { path: path.to_owned(), source };
        let (parent, name) = crate::folder::split(path).map_err(|error| failed(error.source))?;
        let parent = Handle::open(parent).map_err(failed)?;
        loop {
            let file = match parent.create_file(name) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => match parent.open_file(name) {
                    // Given back in between.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                    opened => opened.map_err(failed)?,
                },
                made => made.map_err(failed)?,
            };
            let claim = match try_lock(&file) {
                Ok(()) => None,
                Err(TryLockError::WouldBlock) => {
                    return Err(LockError::Held {
                        path: path.to_owned(),
                        holder: holder_in(&file),
                        claim: None,
                    });
                }
                Err(TryLockError::Error(error)) if is_without_locks(&error) => Some(claim(path)?),
                Err(TryLockError::Error(error)) => return Err(failed(error)),
            };
            let lock = Self { path: path.to_owned(), file, claim };
            // Whoever gave it up may have removed the file that was locked.
            if parent.holds(name, &lock.file).map_err(failed)? {
                lock.sign().map_err(failed)?;
                return Ok(lock);
            }
        }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Gives the lock up and removes its file.
    ///
    /// # Errors
    /// The system's, when the file cannot be removed.
    pub fn remove(self) -> io::Result<()> {
        // While it is held: another process that opened the file finds that it has no name any more.
        fs::remove_file(&self.path)
    }

    fn sign(&self) -> io::Result<()> {
        let mut file = &self.file;
        file.rewind()?;
        file.set_len(0)?;
        file.write_all(&serde_json::to_vec(&Holder::here())?)
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if let Some(claim) = &self.claim {
            // Left behind, it is named to whoever comes next.
            let _ = fs::remove_file(claim);
        }
    }
}

impl Holder {
    fn here() -> Self {
        Self { host: host(), process: process::id() }
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        // It was read from a file.
        write!(out, "process {} of {}", self.process, self.host.escape_debug())
    }
}

fn claim(lock: &Path) -> Result<PathBuf, LockError> {
    let mut path = lock.to_owned().into_os_string();
    path.push(CLAIM);
    let path = PathBuf::from(path);
    let made = File::options().read(true).write(true).create_new(true).open(&path);
    let sign = |mut file: File| file.write_all(&serde_json::to_vec(&Holder::here())?);
    match made.and_then(sign) {
        Ok(()) => Ok(path),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let holder = File::open(&path).ok().and_then(|file| holder_in(&file));
            Err(LockError::Held { path: lock.to_owned(), holder, claim: Some(path) })
        }
        Err(source) => Err(LockError::Io { path, source }),
    }
}

/// Who holds the lock on a file. Whoever has just taken it may be about to write its name.
fn holder_in(file: &File) -> Option<Holder> {
    (0..SIGNING_ATTEMPTS).find_map(|attempt| {
        if attempt > 0 {
            thread::sleep(BETWEEN_ATTEMPTS);
        }
        read(file)
    })
}

fn read(mut file: &File) -> Option<Holder> {
    let mut bytes = Vec::new();
    file.rewind().ok()?;
    file.take(LONGEST).read_to_end(&mut bytes).ok()?;
    serde_json::from_slice(&bytes).ok()
}

fn holder_of(holder: Option<&Holder>) -> String {
    holder.map_or_else(|| "another process".to_owned(), Holder::to_string)
}

fn hint(claim: Option<&Path>) -> String {
    let delete = |claim: &Path| format!(" (if that process is gone, delete {})", claim.display());
    claim.map_or_else(String::new, delete)
}

#[cfg(unix)]
fn is_without_locks(error: &io::Error) -> bool {
    use rustix::io::Errno;
    let errors = [Errno::NOLCK, Errno::NOSYS, Errno::OPNOTSUPP, Errno::NOTSUP, Errno::INVAL];
    error.kind() == io::ErrorKind::Unsupported
        || error.raw_os_error().is_some_and(|code| errors.iter().any(|errno| errno.raw_os_error() == code))
}

#[cfg(not(unix))]
fn is_without_locks(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::Unsupported
}

#[cfg(unix)]
fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

#[cfg(not(unix))]
fn host() -> String {
    std::env::var("COMPUTERNAME").unwrap_or_else(|_| "this machine".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn without_locks(_: &File) -> Result<(), TryLockError> {
        Err(TryLockError::Error(io::ErrorKind::Unsupported.into()))
    }

    #[test]
    fn one_holds_it_and_the_other_learns_who() {
        for try_lock in [File::try_lock, without_locks] {
            let root = tempfile::tempdir().unwrap();
            let path = root.path().join("lock");
            let held = Lock::acquire_by(&path, try_lock).unwrap();
            let LockError::Held { holder, .. } = Lock::acquire_by(&path, try_lock).unwrap_err() else {
                panic!()
            };
            assert_eq!(holder, Some(Holder::here()));
            drop(held);
            Lock::acquire_by(&path, try_lock).unwrap().remove().unwrap();
            assert_eq!(fs::read_dir(root.path()).unwrap().count(), 0);
        }
    }

    #[test]
    fn a_claim_of_a_killed_process_is_named() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("lock");
        std::mem::forget(Lock::acquire_by(&path, without_locks).unwrap());
        let error = Lock::acquire_by(&path, without_locks).unwrap_err().to_string();
        let hint = format!("if that process is gone, delete {}", root.path().join("lock.claim").display());
        assert!(error.contains(&hint), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_or_pipe_in_its_place_is_refused() {
        let root = tempfile::tempdir().unwrap();
        let (path, private) = (root.path().join("lock"), root.path().join("private"));
        fs::write(&private, "text").unwrap();
        std::os::unix::fs::symlink(&private, &path).unwrap();
        assert!(matches!(Lock::acquire(&path), Err(LockError::Io { .. })));
        assert_eq!(fs::read_to_string(&private).unwrap(), "text");
    }
}
