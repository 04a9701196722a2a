//! A run on disk: which inputs, which model, and the rows that are done.
//!
//! ```text
//! scores/                      or, where one file was asked for, scores.parquet.run/
//! ├── rows-00000.parquet       rows of the first inputs, in order; every file as many but the last
//! ├── rows-00001.parquet
//! └── _medclip/                readers of data sets skip names that begin with `_`
//!     ├── run.json             Settings, and how many inputs with which SHA-256
//!     ├── inputs.jsonl         the inputs, a Source a line
//!     ├── commits/00000.json   rows, failures, length and SHA-256 of a file of rows
//!     ├── finished.json        written last
//!     └── lock                 held by the process at work
//! ```
//!
//! A file of rows counts from the moment its commit has its name. Both are written under another name, flushed and then
//! renamed, the rows first; what was left without a commit is written again, to the same bytes.

mod commit;
mod inputs;
mod settings;

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use medclip_core::staging::{StagedDirectory, StagingError, replace_file, replace_file_with};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::intake::IntakeError;
use crate::row::Row;
use crate::source::Source;
use commit::{Commit, commit_path, rows_path};
use inputs::{InputReader, InputWriter, Stamp};

pub use settings::Settings;

/// Holds all but the rows.
const CONTROL: &str = "_medclip";
const RUN: &str = "run.json";
const INPUTS: &str = "inputs.jsonl";
const FINISHED: &str = "finished.json";
const LOCK: &str = "lock";

/// Form of the directory; another is refused.
const VERSION: u32 = 2;

/// A run at work. Nobody else can open its directory meanwhile.
#[derive(Debug)]
pub struct Run {
    directory: PathBuf,
    file: Option<PathBuf>,
    settings: Settings,
    inputs: u64,
    commits: u64,
    summary: Summary,
    is_finished: bool,
    _lock: File,
}

/// What a run has come to.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Summary {
    /// Rows on disk.
    pub rows: u64,
    /// Those without scores, by kind of failure.
    pub failures: BTreeMap<String, u64>,
}

/// Where rows go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A directory of files of rows.
    Directory(PathBuf),
    /// One file, put together at the end from a run beside it.
    File(PathBuf),
}

/// Why a run cannot begin or go on.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RunError {
    /// The inputs cannot be listed.
    #[error(transparent)]
    Intake(#[from] IntakeError),
    /// Something cannot be written.
    #[error("cannot write {source}")]
    Write {
        /// What and why.
        #[from]
        source: StagingError,
    },
    /// Something cannot be read.
    #[error("{}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// There are results already.
    #[error("{} is there already: continue that run, or name another place", path.display())]
    Exists {
        /// The directory or file.
        path: PathBuf,
    },
    /// The one file of a finished run is not where it was written.
    #[error(
        "{} was written and is not there any more (moved or deleted), but {} still says that the run is finished: \
         delete {} to score again",
        file.display(), record.display(), record.display()
    )]
    Moved {
        /// The file that is gone.
        file: PathBuf,
        /// The directory beside it that holds the record of the run, which is to be deleted.
        record: PathBuf,
    },
    /// A run that another version of this program began.
    #[error(
        "{} was begun by another version of this program, which wrote other columns (form {found}, this program writes \
         {VERSION}): finish it with that version, or delete it to score again",
        path.display()
    )]
    Version {
        /// The run's directory.
        path: PathBuf,
        /// Its form.
        found: u32,
    },
    /// A directory of something else.
    #[error("{} is not empty and holds no run", path.display())]
    NotARun {
        /// The directory.
        path: PathBuf,
    },
    /// Another process is at work on it.
    #[error("another process is at work on {}", path.display())]
    Locked {
        /// The run's directory.
        path: PathBuf,
    },
    /// Not the run that was asked for.
    #[error("{} is another run: {}", path.display(), differences.join("; "))]
    Differs {
        /// The run's directory.
        path: PathBuf,
        /// What differs, with both values.
        differences: Vec<String>,
    },
    /// Something in the directory is not as it was left.
    #[error("{} is damaged: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

/// `run.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Manifest {
    version: u32,
    notice: String,
    settings: Settings,
    inputs: Stamp,
}

/// Calls its argument with every input, in order.
pub type List<'a> = dyn FnMut(&mut dyn FnMut(Source) -> io::Result<()>) -> Result<(), IntakeError> + 'a;

impl Target {
    /// The run's directory.
    pub fn directory(&self) -> PathBuf {
        match self {
            Self::Directory(path) => path.clone(),
            Self::File(path) => {
                let mut path = path.clone().into_os_string();
                path.push(".run");
                PathBuf::from(path)
            }
        }
    }

    fn file(&self) -> Option<&Path> {
        match self {
            Self::Directory(_) => None,
            Self::File(path) => Some(path),
        }
    }
}

impl Run {
    /// Begins a run.
    ///
    /// # Errors
    /// [`RunError::Exists`] and [`RunError::NotARun`] when there is something in the place; otherwise when the inputs cannot
    /// be listed or nothing can be written.
    pub fn begin(target: &Target, settings: Settings, list: &mut List<'_>) -> Result<Self, RunError> {
        let directory = target.directory();
        if let Some(path) = target.file().filter(|path| path.exists()) {
            return Err(RunError::Exists { path: path.to_owned() });
        }
        if directory.join(CONTROL).join(RUN).exists() {
            // There is no file: that was seen above.
            if let Some(file) = target.file().filter(|_| directory.join(CONTROL).join(FINISHED).exists()) {
                return Err(RunError::Moved { file: file.to_owned(), record: directory });
            }
            return Err(RunError::Exists { path: directory });
        }
        if is_occupied(&directory)? {
            return Err(RunError::NotARun { path: directory });
        }
        let staged = StagedDirectory::create(&directory)?;
        let control = staged.path().join(CONTROL);
        fs::create_dir_all(control.join("commits")).map_err(|source| read_error(&control, source))?;
        let mut writer = InputWriter::create(&control.join(INPUTS))?;
        list(&mut |source| writer.push(&source))?;
        let inputs = writer.finish()?;
        let notice = "Research use only, not for diagnosis.".to_owned();
        let manifest = Manifest { version: VERSION, notice, settings, inputs };
        write_json(&control.join(RUN), &manifest)?;
        staged.put_in_place()?;
        Self::open(target, manifest)
    }

    /// Goes on with the run in the place of `target`, or begins it where there is none.
    ///
    /// # Errors
    /// [`RunError::Differs`] when the run there is of other settings or inputs, [`RunError::Damaged`] when rows that were
    /// committed are not there as they were; otherwise as [`Run::begin`].
    pub fn resume(target: &Target, settings: Settings, list: &mut List<'_>) -> Result<Self, RunError> {
        let directory = target.directory();
        let path = directory.join(CONTROL).join(RUN);
        if !path.exists() {
            return Self::begin(target, settings, list);
        }
        let manifest: Manifest = read_json(&path)?;
        if manifest.version != VERSION {
            return Err(RunError::Version { path: directory, found: manifest.version });
        }
        let mut differences = manifest.settings.differences(&settings);
        if differences.is_empty() {
            let mut stamp = Stamp::default();
            list(&mut |source| {
                stamp.push(&source);
                Ok(())
            })?;
            differences.extend(manifest.inputs.difference(&stamp));
        }
        if !differences.is_empty() {
            return Err(RunError::Differs { path: directory, differences });
        }
        Self::open(target, manifest)
    }

    fn open(target: &Target, manifest: Manifest) -> Result<Self, RunError> {
        let directory = target.directory();
        let lock = lock(&directory)?;
        let Manifest { settings, inputs, .. } = manifest;
        let file = target.file().map(Path::to_owned);
        let finished = directory.join(CONTROL).join(FINISHED);
        let is_finished = finished.exists();
        let (commits, summary) = if is_finished {
            (0, read_json(&finished)?)
        } else {
            commit::scan(&directory, &settings, inputs.count())?
        };
        let inputs = inputs.count();
        let run = Self { directory, file, settings, inputs, commits, summary, is_finished, _lock: lock };
        if is_finished {
            run.tidy()?;
        }
        Ok(run)
    }

    /// What the run is of.
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// How many inputs there are.
    pub const fn inputs(&self) -> u64 {
        self.inputs
    }

    /// What is on disk so far.
    pub const fn summary(&self) -> &Summary {
        &self.summary
    }

    /// Whether nothing is left to be done.
    pub const fn is_finished(&self) -> bool {
        self.is_finished
    }

    /// The inputs that have no row yet, in order.
    ///
    /// # Errors
    /// [`RunError`] when the list cannot be read.
    pub(crate) fn remaining(&self) -> Result<InputReader, RunError> {
        InputReader::open(&self.directory.join(CONTROL).join(INPUTS), self.summary.rows)
    }

    /// Puts the rows of the next inputs on disk. When this returns they outlive a loss of power.
    ///
    /// # Errors
    /// [`RunError::Write`].
    ///
    /// # Panics
    /// When there are more or fewer rows than the next file takes.
    pub(crate) fn commit(&mut self, rows: &[Row]) -> Result<(), RunError> {
        let expected = self.settings.rows_of(self.commits, self.inputs);
        assert_eq!(rows.len() as u64, expected, "rows of file {}", self.commits);
        let path = rows_path(&self.directory, self.commits, self.settings.format);
        let bytes = self.settings.format.encode(&self.settings, rows);
        let bytes = bytes.map_err(|source| StagingError { path: path.clone(), source })?;
        replace_file(&path, &bytes)?;
        let commit = Commit::new(rows, &bytes);
        write_json(&commit_path(&self.directory, self.commits), &commit)?;
        self.commits += 1;
        commit.add_to(&mut self.summary);
        Ok(())
    }

    /// Puts the one file together, where one was asked for, and marks the run as done.
    ///
    /// # Errors
    /// [`RunError::Write`].
    ///
    /// # Panics
    /// When rows are missing.
    pub(crate) fn finish(&mut self) -> Result<(), RunError> {
        assert_eq!(self.summary.rows, self.inputs, "a finished run has all rows");
        if let Some(file) = &self.file {
            let format = &self.settings.format;
            let files: Vec<PathBuf> =
                (0..self.commits).map(|number| rows_path(&self.directory, number, *format)).collect();
            replace_file_with(file, |out| format.join(&self.settings, &files, out))?;
        }
        write_json(&self.directory.join(CONTROL).join(FINISHED), &self.summary)?;
        self.is_finished = true;
        self.tidy()
    }

    /// Removes what the one file holds too. The record of the run stays.
    fn tidy(&self) -> Result<(), RunError> {
        let Some(file) = &self.file else { return Ok(()) };
        if !file.exists() {
            return Err(RunError::Moved { file: file.clone(), record: self.directory.clone() });
        }
        let listed = fs::read_dir(&self.directory).map_err(|source| read_error(&self.directory, source))?;
        for entry in listed {
            let entry = entry.map_err(|source| read_error(&self.directory, source))?;
            if entry.file_name().to_string_lossy().starts_with("rows-") {
                remove(fs::remove_file(entry.path()), &entry.path())?;
            }
        }
        let control = self.directory.join(CONTROL);
        remove(fs::remove_dir_all(control.join("commits")), &control)?;
        remove(fs::remove_file(control.join(INPUTS)), &control)
    }
}

fn remove(result: io::Result<()>, path: &Path) -> Result<(), RunError> {
    match result {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(StagingError { path: path.to_owned(), source }.into())
        }
        _ => Ok(()),
    }
}

/// Whether something is there that is no empty directory.
fn is_occupied(path: &Path) -> Result<bool, RunError> {
    match fs::read_dir(path) {
        Ok(mut entries) => Ok(entries.next().is_some()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(source) => Err(read_error(path, source)),
    }
}

/// The system lets go of it when the process ends, however it ends.
fn lock(directory: &Path) -> Result<File, RunError> {
    let path = directory.join(CONTROL).join(LOCK);
    let file = File::options().create(true).truncate(false).write(true).open(&path);
    let file = file.map_err(|source| StagingError { path: path.clone(), source })?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(RunError::Locked { path: directory.to_owned() }),
        Err(TryLockError::Error(source)) => Err(StagingError { path, source }.into()),
    }
}

fn write_json(path: &Path, value: &impl Serialize) -> Result<(), StagingError> {
    replace_file_with(path, |out| {
        serde_json::to_writer_pretty(&mut *out, value)?;
        out.write_all(b"\n")
    })
}

fn read_json<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<T, RunError> {
    let bytes = fs::read(path).map_err(|source| read_error(path, source))?;
    serde_json::from_slice(&bytes)
        .map_err(|error| RunError::Damaged { path: path.to_owned(), reason: error.to_string() })
}

fn read_error(path: &Path, source: io::Error) -> RunError {
    RunError::Read { path: path.to_owned(), source }
}
