//! A run on disk: which inputs, which model, and the rows that are done.
//!
//! ```text
//! scores/                      or, where one file was asked for, scores.parquet.run/
//! ├── rows-00000.parquet       rows of the first inputs, in order; every file as many but the last
//! ├── rows-00001.parquet
//! └── _medclip/                readers of data sets skip names that begin with `_`
//!     ├── run.json             Settings, how many inputs, SHA-256 of their names and of their list
//!     ├── inputs.jsonl         the inputs, a Source a line
//!     ├── commits/00000.json   rows, failures, length and SHA-256 of a file of rows
//!     ├── finished.json        written last
//!     └── lock                 held by the process at work, and names it
//! ```
//!
//! The lock comes first: a directory that holds nothing else has not begun. A file of rows counts from the moment its commit has
//! its name. Both are written under another name, flushed and then renamed, the rows first; what was left without a commit is
//! written again, to the same bytes.
//!
//! A run goes on only if the list of inputs, every file of rows and every commit are as the record has them. That is against
//! accidents and careless edits: it does not protect against someone who rewrites all of them.

mod commit;
mod error;
mod found;
mod inputs;
mod place;
mod redo;
mod settings;
mod target;

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use medclip_files::Summing;
use medclip_files::replace_file_with;
use serde::{Deserialize, Serialize};
use tracing::info_span;

use crate::inputs::InputError;
use crate::source::Source;
use commit::{Commit, Excess, Scanned, Sum, commit_name, rows_name, rows_path};
use found::{Found, find};
use inputs::{InputReader, InputWriter, Stamp};
use medclip_scorer::Report;
use place::{FINISHED, INPUTS, Place, RUN};

pub use error::{RunError, Watched};
pub use settings::Settings;
pub use target::{Target, TargetError};

/// Form of the directory; another is refused.
const VERSION: u32 = 4;

/// A run at work. Nobody else can open its directory meanwhile.
#[derive(Debug)]
pub struct Run {
    place: Place,
    file: Option<PathBuf>,
    /// SHA-256 of its record.
    id: String,
    settings: Settings,
    inputs: u64,
    scanned: Scanned,
    is_finished: bool,
    /// Rows that are scored again, in order.
    redo: Vec<u64>,
}

/// What a run has come to.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Summary {
    /// Rows on disk.
    pub rows: u64,
    /// Those without scores, by kind of failure.
    pub failures: BTreeMap<String, u64>,
}

/// `run.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct RunRecord {
    version: u32,
    notice: String,
    settings: Settings,
    inputs: Stamp,
    /// The list of inputs as a file.
    list: Sum,
}

/// Only this of a record of another version.
#[derive(Deserialize)]
struct Version {
    version: u32,
}

/// `finished.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Finished {
    /// SHA-256 of `run.json`.
    run: String,
    #[serde(flatten)]
    summary: Summary,
    #[serde(flatten)]
    excess: Excess,
    /// The one file, where one was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    file: Option<Sum>,
}

/// Calls its argument with every input, in order.
pub type List<'a> = dyn FnMut(&mut dyn FnMut(Source) -> io::Result<()>) -> Result<(), InputError> + 'a;

impl Run {
    /// Begins a run.
    ///
    /// # Errors
    /// [`RunError::Exists`] and [`RunError::NotARun`] when there is something in the place, [`RunError::Locked`] while another
    /// process is at work there; otherwise when the inputs cannot be listed or nothing can be written.
    pub fn begin(target: &Target, settings: Settings, list: &mut List<'_>) -> Result<Self, RunError> {
        if let Some(path) = target.file().filter(|path| path.exists()) {
            return Err(RunError::Exists { path: path.to_owned() });
        }
        Self::begin_in(Place::hold(&target.directory())?, target, settings, list)
    }

    /// Goes on with the run in the place of `target`, or begins it where there is none.
    ///
    /// # Errors
    /// [`RunError::Differs`] when the run there is of other settings or inputs, [`RunError::Damaged`] when its record, its list
    /// of inputs or rows that were committed are not there as they were; otherwise as [`Run::begin`].
    pub fn resume(target: &Target, settings: Settings, list: &mut List<'_>) -> Result<Self, RunError> {
        let mut place = Place::hold(&target.directory())?;
        if !place.has(RUN) {
            return Self::begin_in(place, target, settings, list);
        }
        let found = find(&mut place, target, &settings, list)?;
        Self::new(place, target, found)
    }

    /// [`Run::resume`], but a run that is another one, is damaged, or is of another version is removed first. `told` is called
    /// then, with the reason.
    ///
    /// # Errors
    /// As [`Run::resume`], and when the directory holds something that is not a run's.
    pub fn resume_or_replace(
        target: &Target,
        settings: Settings,
        list: &mut List<'_>,
        told: impl FnOnce(&RunError),
    ) -> Result<Self, RunError> {
        let mut place = Place::hold(&target.directory())?;
        if place.has(RUN) {
            match find(&mut place, target, &settings, list) {
                Err(error) if error.is_of_another_run() => {
                    told(&error);
                    place.clear()?;
                }
                found => return Self::new(place, target, found?),
            }
        }
        Self::begin_in(place, target, settings, list)
    }

    /// Removes the run in a directory, if no process is at work on it and it holds nothing else.
    ///
    /// # Errors
    /// [`RunError`].
    pub fn remove(directory: &Path) -> Result<(), RunError> {
        Place::hold(directory)?.remove()
    }

    fn begin_in(
        mut place: Place,
        target: &Target,
        settings: Settings,
        list: &mut List<'_>,
    ) -> Result<Self, RunError> {
        if place.has(RUN) {
            let record = place.directory().to_owned();
            return Err(match target.file() {
                Some(file) if file.exists() => RunError::Exists { path: file.to_owned() },
                Some(file) if place.has(FINISHED) => RunError::Moved { file: file.to_owned(), record },
                _ => RunError::Exists { path: record },
            });
        }
        place.refuse_occupied()?;
        place.make_commits()?;
        let mut failed = None;
        let written = place.records().replace_with(INPUTS, |out| {
            let mut writer = InputWriter::new(out);
            match list(&mut |source| writer.push(&source)) {
                Ok(()) => Ok(writer.finish()),
                Err(error) => {
                    failed = Some(error);
                    Err(io::Error::other("the inputs cannot be listed"))
                }
            }
        });
        let (inputs, list) = match failed {
            Some(error) => return Err(error.into()),
            None => written?,
        };
        let notice = "Research use only, not for diagnosis.".to_owned();
        let manifest = RunRecord { version: VERSION, notice, settings, inputs, list };
        place.write_record(RUN, &manifest)?;
        let RunRecord { settings, inputs, .. } = manifest;
        let (id, inputs, scanned) = (place.id()?, inputs.count(), Scanned::default());
        Self::new(place, target, Found { id, settings, inputs, scanned, is_finished: false })
    }

    fn new(place: Place, target: &Target, found: Found) -> Result<Self, RunError> {
        let Found { id, settings, inputs, scanned, is_finished } = found;
        let redo = scanned.excess.to_redo(settings.memory).to_vec();
        let file = target.file().map(Path::to_owned);
        let mut run = Self { place, file, id, settings, inputs, scanned, is_finished, redo };
        if run.is_finished() {
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
        &self.scanned.summary
    }

    /// Whether nothing is left to be done.
    pub const fn is_finished(&self) -> bool {
        self.is_finished && self.redo.is_empty()
    }

    /// The inputs that have no row yet, in order.
    ///
    /// # Errors
    /// [`RunError`] when the list cannot be read.
    pub(crate) fn remaining(&self) -> Result<InputReader, RunError> {
        InputReader::open(&self.place.record(INPUTS), self.scanned.summary.rows)
    }

    /// Puts the rows of the next inputs on disk. When this returns they outlive a loss of power.
    ///
    /// # Errors
    /// [`RunError::Write`].
    ///
    /// # Panics
    /// When there are more or fewer rows than the next file takes.
    pub(crate) fn commit(&mut self, rows: &[Report]) -> Result<(), RunError> {
        let number = self.scanned.commits;
        let _span = info_span!("commit", file = number, rows = rows.len()).entered();
        let expected = self.settings.rows_of(number, self.inputs);
        assert_eq!(rows.len() as u64, expected, "rows of file {number}");
        let name = rows_name(number, self.settings.format);
        let bytes = self.settings.format.encode(&self.settings, rows);
        let bytes = bytes.map_err(RunError::write(self.place.directory().join(&name)))?;
        self.place.rows().replace(&name, &bytes)?;
        let commit = Commit::new(&self.id, number, rows, &bytes, self.settings.memory);
        self.place.write_commit(&commit_name(number), &commit)?;
        self.scanned.add(&commit);
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
        assert_eq!(self.scanned.summary.rows, self.inputs, "a finished run has all rows");
        let file = match &self.file {
            Some(file) => {
                let format = &self.settings.format;
                let directory = self.place.directory();
                let files: Vec<PathBuf> =
                    (0..self.scanned.commits).map(|number| rows_path(directory, number, *format)).collect();
                let join = |out: &mut (dyn Write + Send)| {
                    let mut out = Summing::new(out);
                    format.join(&self.settings, &files, &mut out)?;
                    Ok(Sum::of_written(out))
                };
                Some(replace_file_with(file, join)?)
            }
            None => None,
        };
        let Scanned { summary, excess, .. } = self.scanned.clone();
        let finished = Finished { run: self.id.clone(), summary, excess, file };
        self.place.write_record(FINISHED, &finished)?;
        self.is_finished = true;
        self.tidy()
    }

    /// Removes what the one file holds too. The record of the run stays.
    fn tidy(&mut self) -> Result<(), RunError> {
        if self.file.is_none() {
            return Ok(());
        }
        self.place.remove_rows()?;
        self.place.remove_commits()?;
        self.place.remove_record(INPUTS)
    }
}
