//! The directory of a run, held by one process.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use medclip_files::sha256_of_file;
use medclip_files::{Folder, Kind, Lock, StagingError, is_staging};
use serde::{Serialize, de::DeserializeOwned};

use super::RunError;
use super::commit;

/// Holds all but the rows.
pub(super) const CONTROL: &str = "_medclip";
pub(super) const RUN: &str = "run.json";
pub(super) const INPUTS: &str = "inputs.jsonl";
pub(super) const FINISHED: &str = "finished.json";
pub(super) const COMMITS: &str = "commits";
const LOCK: &str = "lock";

/// Directories of runs. No other is emptied.
static KIND: Kind = Kind { name: "a run", is_marked, holds };

/// The directory, locked. If no run has begun when this is dropped, all that was made is removed.
#[derive(Debug)]
pub(super) struct Place {
    directory: Folder,
    control: Folder,
    commits: Option<Folder>,
    /// `None` after the lock was given up.
    lock: Option<Lock>,
    made_directory: bool,
}

fn is_marked(directory: &Path) -> bool {
    let control = directory.join(CONTROL);
    [RUN, INPUTS, LOCK]
        .iter()
        .any(|name| fs::symlink_metadata(control.join(name)).is_ok_and(|found| found.is_file()))
}

fn holds(path: &str) -> bool {
    match path.strip_prefix(CONTROL).and_then(|path| path.strip_prefix('/')) {
        Some("") => true,
        Some(path) => {
            [RUN, INPUTS, FINISHED, LOCK, "lock.claim", "commits/"].contains(&path)
                || path.strip_prefix("commits/").is_some_and(commit::is_name)
        }
        None => commit::number(path, "rows-").is_some(),
    }
}

impl Place {
    /// Makes the directory, where there is none, and locks it.
    pub(super) fn hold(directory: &Path) -> Result<Self, RunError> {
        let mut made_directory = false;
        let control = directory.join(CONTROL);
        let make_both = || {
            refuse_other(directory)?;
            made_directory |= make(directory)?;
            match make(&control) {
                // Removed in between: then the lock cannot be made either, and both are made again.
                Err(error) if is_gone(&error) => Ok(()),
                made => made.map(drop),
            }
        };
        let lock = Lock::acquire_in_made(control.join(LOCK), make_both, RunError::of_lock(directory))?;
        let (directory, control) = (Folder::open(directory)?, Folder::open(control)?);
        let commits = control.path().join(COMMITS);
        let commits = if commits.is_dir() { Some(Folder::open(commits)?) } else { None };
        Ok(Self { directory, control, commits, lock: Some(lock), made_directory })
    }

    pub(super) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Path of a file of the record.
    pub(super) fn record(&self, name: &str) -> PathBuf {
        self.control.path().join(name)
    }

    /// SHA-256 of the record of the run.
    pub(super) fn id(&self) -> Result<String, RunError> {
        let path = self.record(RUN);
        sha256_of_file(&path).map_err(RunError::read(path))
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.record(name).exists()
    }

    /// Refuses a directory in which a run that has not begun would come to lie beside something else.
    pub(super) fn refuse_occupied(&self) -> Result<(), RunError> {
        let commits = self.record(COMMITS);
        if commits.is_dir() && fs::read_dir(&commits).map_err(RunError::read(&commits))?.next().is_some() {
            return Err(RunError::damaged(self.record(RUN), "it is missing, but rows were committed"));
        }
        let own = [LOCK, "lock.claim", INPUTS, COMMITS];
        if holds_other(self.directory(), &[CONTROL])? || holds_other(self.control.path(), &own)? {
            return Err(RunError::NotARun { path: self.directory().to_owned() });
        }
        Ok(())
    }

    pub(super) fn write_record(&self, name: &str, value: &impl Serialize) -> Result<(), StagingError> {
        write_json(&self.control, name, value)
    }

    pub(super) const fn records(&self) -> &Folder {
        &self.control
    }

    pub(super) const fn rows(&self) -> &Folder {
        &self.directory
    }

    pub(super) fn make_commits(&mut self) -> Result<(), RunError> {
        let path = self.record(COMMITS);
        make(&path)?;
        self.commits = Some(Folder::open(path)?);
        Ok(())
    }

    /// Writes a commit.
    pub(super) fn write_commit(&self, name: &str, value: &impl Serialize) -> Result<(), StagingError> {
        let gone = || StagingError { path: self.record(COMMITS), source: io::ErrorKind::NotFound.into() };
        write_json(self.commits.as_ref().ok_or_else(gone)?, name, value)
    }

    /// Removes the run that is here. The record goes first: without it nothing has begun.
    pub(super) fn clear(&mut self) -> Result<(), RunError> {
        KIND.check(self.directory()).map_err(RunError::write(self.directory()))?;
        for name in [FINISHED, RUN] {
            remove_file(&self.record(name))?;
        }
        self.remove_rows()?;
        self.remove_commits()?;
        self.remove_record(INPUTS)
    }

    /// Removes the files of rows.
    pub(super) fn remove_rows(&self) -> Result<(), RunError> {
        let directory = self.directory();
        for entry in fs::read_dir(directory).map_err(RunError::read(directory))? {
            let entry = entry.map_err(RunError::read(directory))?;
            if entry.file_name().to_str().is_some_and(|name| commit::number(name, "rows-").is_some()) {
                remove_file(&entry.path())?;
            }
        }
        Ok(())
    }

    pub(super) fn remove_commits(&mut self) -> Result<(), RunError> {
        self.commits = None;
        let commits = self.record(COMMITS);
        match fs::remove_dir_all(&commits) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(RunError::write(commits)(error)),
            _ => Ok(()),
        }
    }

    /// Removes a file of the record.
    pub(super) fn remove_record(&self, name: &str) -> Result<(), RunError> {
        remove_file(&self.record(name))
    }

    /// Removes the run and its directory.
    pub(super) fn remove(mut self) -> Result<(), RunError> {
        self.made_directory = true;
        self.clear()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.has(RUN) {
            return;
        }
        // What cannot be removed is in nobody's way: the next run begins in it.
        let _ = remove_file(&self.record(INPUTS));
        let _ = fs::remove_dir(self.record(COMMITS));
        if let Some(lock) = self.lock.take() {
            let _ = lock.remove();
        }
        let _ = fs::remove_dir(self.control.path());
        if self.made_directory {
            let _ = fs::remove_dir(self.directory());
        }
    }
}

/// Refuses a directory that is not empty and holds no record: it belongs to someone else.
fn refuse_other(directory: &Path) -> Result<(), RunError> {
    let other = || RunError::NotARun { path: directory.to_owned() };
    match fs::symlink_metadata(directory.join(CONTROL)) {
        Ok(found) if found.is_dir() => return Ok(()),
        Ok(_) => return Err(other()),
        Err(_) => {}
    }
    // Another process may have made its record by now.
    match holds_other(directory, &[CONTROL]) {
        Ok(true) => Err(other()),
        Ok(false) => Ok(()),
        Err(RunError::Read { source, .. }) if source.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(RunError::Read { source, .. }) if source.kind() == io::ErrorKind::NotADirectory => Err(other()),
        Err(error) => Err(error),
    }
}

/// Whether anything but these names, and what is being staged, is in a directory.
fn holds_other(directory: &Path, own: &[&str]) -> Result<bool, RunError> {
    for entry in fs::read_dir(directory).map_err(RunError::read(directory))? {
        let name = entry.map_err(RunError::read(directory))?.file_name();
        if !is_staging(&name) && !own.iter().any(|own| name == *own) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Makes a directory, and those above it; tells whether it was not there.
fn make(directory: &Path) -> Result<bool, RunError> {
    let make = || {
        if let Some(parent) = directory.parent().filter(|parent| !parent.as_os_str().is_empty())
            && directory.file_name().is_some_and(|name| name != CONTROL && name != COMMITS)
        {
            fs::create_dir_all(parent)?;
        }
        match fs::create_dir(directory) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            made => made.map(|()| true),
        }
    };
    make().map_err(RunError::write(directory))
}

fn is_gone(error: &RunError) -> bool {
    matches!(error, RunError::Write { source } if source.source.kind() == io::ErrorKind::NotFound)
}

fn write_json(folder: &Folder, name: &str, value: &impl Serialize) -> Result<(), StagingError> {
    folder.replace_with(name, |out| {
        serde_json::to_writer_pretty(&mut *out, value)?;
        out.write_all(b"\n")
    })
}

pub(super) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, RunError> {
    let bytes = fs::read(path).map_err(RunError::read(path))?;
    serde_json::from_slice(&bytes).map_err(|error| RunError::damaged(path, error.to_string()))
}

fn remove_file(path: &Path) -> Result<(), RunError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(RunError::write(path)(error)),
        _ => Ok(()),
    }
}
