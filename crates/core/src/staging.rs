//! Directories and files that are put in their place whole or not at all.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use thiserror::Error;

/// A directory that is filled under another name and then takes its own.
///
/// Every file is flushed to the disk before the directory gets its name, so whoever finds the name finds the files,
/// after a crash too. Dropped before [`StagedDirectory::put_in_place`], it leaves nothing behind.
#[derive(Debug)]
pub struct StagedDirectory {
    target: PathBuf,
    partial: PathBuf,
}

/// A file or directory that could not be written.
#[derive(Debug, Error)]
#[error("{}: {source}", path.display())]
pub struct StagingError {
    /// What could not be written.
    pub path: PathBuf,
    /// The system's reason.
    pub source: io::Error,
}

impl StagedDirectory {
    /// Suffix of directories that are not in their place; whoever lists directories leaves them out.
    pub const SUFFIX: &str = ".partial";

    /// An empty directory that will be `target`. What an earlier writer left unfinished there is removed.
    ///
    /// # Errors
    /// [`StagingError`] when nothing can be written there.
    pub fn create(target: impl AsRef<Path>) -> Result<Self, StagingError> {
        let target = target.as_ref().to_owned();
        Self::recover(&target)?;
        let partial = beside(&target, Self::SUFFIX);
        remove(&partial)?;
        fs::create_dir_all(&partial).map_err(at(&partial))?;
        Ok(Self { target, partial })
    }

    /// Puts back what a writer that replaced `target` had moved aside when it was stopped. Does nothing otherwise.
    ///
    /// # Errors
    /// [`StagingError`] when it cannot be moved.
    pub fn recover(target: impl AsRef<Path>) -> Result<(), StagingError> {
        let target = target.as_ref();
        let old = aside(target);
        match (target.exists(), old.exists()) {
            (_, false) => Ok(()),
            (true, true) => remove(&old),
            (false, true) => fs::rename(&old, target).map_err(at(target)),
        }
    }

    /// Where the directory is until it is put in place.
    pub fn path(&self) -> &Path {
        &self.partial
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

    /// Writes a file as `write` does, flushes it, and returns what `write` returned.
    ///
    /// # Errors
    /// [`StagingError`] naming it.
    pub fn write_with<T>(
        &self,
        name: &str,
        write: impl FnOnce(&mut dyn Write) -> io::Result<T>,
    ) -> Result<T, StagingError> {
        let path = self.partial.join(name);
        let fill = || {
            let mut out = BufWriter::new(File::create(&path)?);
            let value = write(&mut out)?;
            out.into_inner()?.sync_all()?;
            Ok(value)
        };
        fill().map_err(at(&path))
    }

    /// Flushes a file that was written by other means.
    ///
    /// # Errors
    /// [`StagingError`] naming it.
    pub fn flush(&self, name: &str) -> Result<(), StagingError> {
        let path = self.partial.join(name);
        File::open(&path).and_then(|file| file.sync_all()).map_err(at(&path))
    }

    /// Gives the directory its name. What had the name is replaced; stopped in between, it is moved aside, and
    /// [`StagedDirectory::recover`] puts it back.
    ///
    /// # Errors
    /// [`StagingError`]; what was in the place before is then there still.
    pub fn put_in_place(self) -> Result<(), StagingError> {
        sync_directory(&self.partial)?;
        let old = aside(&self.target);
        let replaces = self.target.exists();
        if replaces {
            remove(&old)?;
            fs::rename(&self.target, &old).map_err(at(&self.target))?;
        }
        if let Err(source) = fs::rename(&self.partial, &self.target) {
            if replaces {
                // The first error is the one to report.
                let _ = fs::rename(&old, &self.target);
            }
            return Err(at(&self.target)(source));
        }
        if let Some(parent) = self.target.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            sync_directory(parent)?;
        }
        if replaces { remove(&old) } else { Ok(()) }
    }
}

impl Drop for StagedDirectory {
    fn drop(&mut self) {
        // In place, there is nothing left to remove; before that, failing to clean up changes nothing.
        let _ = remove(&self.partial);
    }
}

/// Writes a file under another name, flushes it, and gives it its name: a reader finds the earlier file or this one whole.
///
/// # Errors
/// [`StagingError`]; what was in the place before is then there still.
pub fn replace_file(target: impl AsRef<Path>, bytes: &[u8]) -> Result<(), StagingError> {
    let target = target.as_ref();
    let partial = beside(target, StagedDirectory::SUFFIX);
    let fill = || {
        let mut file = File::create(&partial)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&partial, target)
    };
    if let Err(source) = fill() {
        // The first error is the one to report.
        let _ = fs::remove_file(&partial);
        return Err(at(target)(source));
    }
    match target.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        Some(parent) => sync_directory(parent),
        None => Ok(()),
    }
}

fn aside(target: &Path) -> PathBuf {
    beside(target, ".old.partial")
}

/// `target` with `suffix` appended to its last name.
fn beside(target: &Path, suffix: &str) -> PathBuf {
    // Collecting the components drops a trailing separator, which would put the suffix inside the directory.
    let mut path = target.components().collect::<PathBuf>().into_os_string();
    path.push(suffix);
    PathBuf::from(path)
}

fn remove(directory: &Path) -> Result<(), StagingError> {
    match fs::remove_dir_all(directory) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => Err(at(directory)(source)),
        _ => Ok(()),
    }
}

fn sync_directory(path: &Path) -> Result<(), StagingError> {
    // Only Unix lets a directory be opened and flushed.
    if cfg!(unix) { File::open(path).and_then(|file| file.sync_all()).map_err(at(path)) } else { Ok(()) }
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> StagingError {
    let path = path.to_owned();
    move |source| StagingError { path, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contents(directory: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(directory)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn it_appears_whole_replaces_and_leaves_nothing_beside() {
        let root = tempfile::tempdir().unwrap();
        let target = root.path().join("it");
        for text in ["first", "second"] {
            let staged = StagedDirectory::create(&target).unwrap();
            staged.write("file", text.as_bytes()).unwrap();
            staged.put_in_place().unwrap();
            assert_eq!(fs::read_to_string(target.join("file")).unwrap(), text);
        }
        let dropped = StagedDirectory::create(&target).unwrap();
        dropped.write("other", b"").unwrap();
        drop(dropped);
        assert_eq!((contents(root.path()), contents(&target)), (vec!["it".into()], vec!["file".into()]));
    }

    #[test]
    fn a_file_is_replaced_whole_or_kept() {
        let root = tempfile::tempdir().unwrap();
        let target = root.path().join("it.svg");
        for text in ["first, which is longer", "second"] {
            replace_file(&target, text.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(&target).unwrap(), text);
        }
        assert_eq!(contents(root.path()), ["it.svg"]);
        let occupied = root.path().join("directory");
        fs::create_dir_all(occupied.join("inner")).unwrap();
        let error = replace_file(&occupied, b"").unwrap_err();
        assert_eq!(error.path, occupied);
        assert!(replace_file(root.path().join("nowhere/it"), b"").is_err());
        assert_eq!(contents(root.path()), ["directory", "it.svg"]);
    }

    #[test]
    fn a_replacement_that_was_stopped_half_way_is_undone() {
        let root = tempfile::tempdir().unwrap();
        let target = root.path().join("it");
        fs::create_dir(aside(&target)).unwrap();
        StagedDirectory::recover(&target).unwrap();
        assert_eq!(contents(root.path()), ["it"]);
        // Stopped after the new one was in place: the old one goes.
        fs::create_dir(aside(&target)).unwrap();
        StagedDirectory::recover(&target).unwrap();
        assert_eq!(contents(root.path()), ["it"]);
    }
}
