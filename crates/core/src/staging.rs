//! Directories and files that are put in their place whole or not at all.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use thiserror::Error;

/// What a directory is called while another takes its place.
const ASIDE: &str = ".old.partial";

/// What a directory is called while it is removed.
const GONE: &str = ".gone.partial";

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
        fs::create_dir_all(&partial).map_err(at(&partial))?;
        Ok(Self { target, partial })
    }

    /// Cleans up after a writer of `target` that was stopped: what it had moved aside is put back, what it had begun to
    /// write or to remove is removed.
    ///
    /// # Errors
    /// [`StagingError`] when something cannot be moved or removed.
    pub fn recover(target: impl AsRef<Path>) -> Result<(), StagingError> {
        let target = target.as_ref();
        remove(&beside(target, Self::SUFFIX))?;
        remove(&beside(target, GONE))?;
        let old = beside(target, ASIDE);
        match (target.exists(), old.exists()) {
            (_, false) => Ok(()),
            (true, true) => remove(&old),
            (false, true) => fs::rename(&old, target).map_err(at(target)),
        }
    }

    /// [`StagedDirectory::recover`] of everything in `parent`, which has to belong to one writer.
    ///
    /// # Errors
    /// As there, and when `parent` cannot be listed.
    pub fn recover_all(parent: impl AsRef<Path>) -> Result<(), StagingError> {
        let parent = parent.as_ref();
        for entry in fs::read_dir(parent).map_err(at(parent))? {
            let name = entry.map_err(at(parent))?.file_name();
            let ends = [ASIDE, GONE, Self::SUFFIX];
            let target = name.to_str().and_then(|name| ends.iter().find_map(|end| name.strip_suffix(end)));
            if let Some(target) = target {
                Self::recover(parent.join(target))?;
            }
        }
        Ok(())
    }

    /// Removes a directory that is in its place. It loses its name first, so that nobody finds half of it.
    ///
    /// # Errors
    /// [`StagingError`] when it cannot be renamed or removed.
    pub fn remove(target: impl AsRef<Path>) -> Result<(), StagingError> {
        let target = target.as_ref();
        let gone = beside(target, GONE);
        remove(&gone)?;
        fs::rename(target, &gone).map_err(at(target))?;
        remove(&gone)
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
        let old = beside(&self.target, ASIDE);
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
        sync_parent(&self.target)?;
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
    let partial = beside(target, StagedDirectory::SUFFIX);
    let fill = || {
        let mut out = BufWriter::new(File::create(&partial)?);
        let value = write(&mut out)?;
        out.into_inner()?.sync_all()?;
        fs::rename(&partial, target)?;
        Ok(value)
    };
    let value = fill().map_err(|source| {
        // The first error is the one to report.
        let _ = fs::remove_file(&partial);
        at(target)(source)
    })?;
    sync_parent(target)?;
    Ok(value)
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

/// Flushes the directory that holds `path`, so that its name outlives a loss of power.
fn sync_parent(path: &Path) -> Result<(), StagingError> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    sync_directory(parent.unwrap_or(Path::new(".")))
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
    fn what_stopped_writers_left_is_put_back_or_removed() {
        // What is there, and what recovery makes of it.
        let cases: [(&[&str], &[&str]); 6] = [
            (&["it.old.partial"], &["it"]),
            (&["it", "it.old.partial"], &["it"]),
            (&["it.old.partial", "it.partial"], &["it"]),
            (&["it.partial"], &[]),
            (&["it", "it.partial", "it.gone.partial"], &["it"]),
            (&["it.gone.partial", "other", "other.partial"], &["other"]),
        ];
        for (before, after) in cases {
            let root = tempfile::tempdir().unwrap();
            for name in before {
                fs::create_dir(root.path().join(name)).unwrap();
                fs::write(root.path().join(name).join("file"), name).unwrap();
            }
            StagedDirectory::recover_all(root.path()).unwrap();
            assert_eq!(contents(root.path()), after, "{before:?}");
        }
    }

    #[test]
    fn a_removed_directory_leaves_nothing_and_one_that_is_not_there_is_an_error() {
        let root = tempfile::tempdir().unwrap();
        let target = root.path().join("it");
        fs::create_dir(&target).unwrap();
        StagedDirectory::remove(&target).unwrap();
        assert!(contents(root.path()).is_empty());
        assert_eq!(StagedDirectory::remove(&target).unwrap_err().path, target);
    }
}
