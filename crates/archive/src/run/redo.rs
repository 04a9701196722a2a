//! Rows that are scored again: of films that alone took more memory than the run might use, once it may use more.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use super::commit::{self, Commit, commit_name, next_name, rows_name, rows_path};
use super::inputs::{InputReader, InputWriter};
use super::place::{COMMITS, FINISHED, INPUTS, Place, read_json};
use super::{Finished, List, Run, RunError, RunRecord, Settings};
use medclip_scorer::Report;

impl Run {
    /// The rows that are scored again, in order.
    pub(crate) fn redo(&self) -> &[u64] {
        &self.redo
    }

    /// All inputs, in order.
    pub(crate) fn all_inputs(&self) -> Result<InputReader, RunError> {
        InputReader::open(&self.place.record(INPUTS), 0)
    }

    /// Puts rows in the place of others of one file: `rows` by their number in the run. Killed in between, the file has either.
    pub(crate) fn replace(&mut self, number: u64, mut rows: BTreeMap<u64, Report>) -> Result<(), RunError> {
        let Settings { format, shard_size, memory, .. } = self.settings;
        let first = number * u64::from(shard_size.get());
        let path = rows_path(self.place.directory(), number, format);
        let mut all = Vec::new();
        let read = format.read(&self.settings, &path, &mut |shard| {
            all.extend(shard);
            Ok(())
        });
        read.map_err(|error| RunError::damaged(&path, error.to_string()))?;
        for (position, row) in (first..).zip(&mut all) {
            if let Some(better) = rows.remove(&position) {
                *row = better;
            }
        }
        let bytes = format.encode(&self.settings, &all).map_err(RunError::write(&path))?;
        let commit = Commit::new(&self.id, number, &all, &bytes, memory);
        // From here on it is a run at work again.
        self.place.remove_record(FINISHED)?;
        self.place.write_commit(&next_name(number), &commit)?;
        self.place.rows().replace(rows_name(number, format), &bytes)?;
        self.place.write_commit(&commit_name(number), &commit)?;
        self.place.remove_record(&format!("{COMMITS}/{}", next_name(number)))?;
        self.redo.retain(|position| *position < first || *position >= first + all.len() as u64);
        if self.redo.is_empty() {
            self.scanned = commit::scan(&self.place, &self.id, &self.settings, self.inputs)?;
        }
        Ok(())
    }
}

/// Takes a finished file apart again, if some of its rows are to be scored again.
pub(super) fn unpack(
    place: &mut Place,
    file: Option<&Path>,
    manifest: &RunRecord,
    settings: &Settings,
    list: &mut List<'_>,
) -> Result<(), RunError> {
    let record = place.record(FINISHED);
    let Some(file) = file.filter(|file| file.exists() && record.exists()) else { return Ok(()) };
    let Finished { run, excess, file: Some(sum), .. } = read_json(&record)? else { return Ok(()) };
    if excess.to_redo(settings.memory).is_empty() {
        return Ok(());
    }
    sum.check(file)?;
    if run != place.id()? {
        return Err(RunError::damaged(record, "it is not of the run that run.json describes"));
    }
    place.make_commits()?;
    place.records().replace_with(INPUTS, |out| {
        let mut writer = InputWriter::new(out);
        list(&mut |source| writer.push(&source)).map_err(io::Error::other)
    })?;
    let limit = excess.memory();
    let mut number = 0;
    let written = settings.format.read(&manifest.settings, file, &mut |rows| {
        let bytes = settings.format.encode(&manifest.settings, &rows)?;
        let commit = Commit::new(&run, number, &rows, &bytes, limit);
        place.rows().replace(rows_name(number, settings.format), &bytes).map_err(io::Error::other)?;
        place.write_commit(&commit_name(number), &commit).map_err(io::Error::other)?;
        number += 1;
        Ok(())
    });
    written.map_err(|error| RunError::damaged(file, error.to_string()))?;
    place.remove_record(FINISHED)
}
