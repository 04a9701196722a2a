//! A run that is on disk, compared with its record.

use std::path::Path;

use super::commit::{self, Scanned, Sum};
use super::inputs::Stamp;
use super::place::{FINISHED, INPUTS, Place, RUN, read_json};
use super::{Finished, List, RunError, RunRecord, Settings, Target, VERSION, Version, redo};

/// A run on disk, compared with its record.
pub(super) struct Found {
    pub(super) id: String,
    pub(super) settings: Settings,
    pub(super) inputs: u64,
    pub(super) scanned: Scanned,
    pub(super) is_finished: bool,
}

impl Found {
    pub(super) fn of(place: &Place, target: &Target, manifest: RunRecord) -> Result<Self, RunError> {
        let RunRecord { settings, inputs, list, .. } = manifest;
        let (id, inputs) = (place.id()?, inputs.count());
        let (scanned, is_finished) = check_rows(place, target.file(), &id, &settings, inputs, &list)?;
        Ok(Self { id, settings, inputs, scanned, is_finished })
    }
}

/// The run in `place`, if it is of these settings and inputs.
pub(super) fn find(
    place: &mut Place,
    target: &Target,
    settings: &Settings,
    list: &mut List<'_>,
) -> Result<Found, RunError> {
    let mut manifest = check_same(place, settings, list)?;
    redo::unpack(place, target.file(), &manifest, settings, list)?;
    // The limit is the one of now.
    manifest.settings.memory = settings.memory;
    Found::of(place, target, manifest)
}

/// The record of a run, if the run is of these settings and inputs.
fn check_same(place: &Place, settings: &Settings, list: &mut List<'_>) -> Result<RunRecord, RunError> {
    let path = place.record(RUN);
    let Version { version } = read_json(&path)?;
    if version != VERSION {
        return Err(RunError::Version { path: place.directory().to_owned(), found: version });
    }
    let manifest: RunRecord = read_json(&path)?;
    let mut differences = manifest.settings.differences(settings);
    if differences.is_empty() {
        let mut stamp = Stamp::default();
        list(&mut |source| {
            stamp.push(&source);
            Ok(())
        })?;
        differences.extend(manifest.inputs.difference(&stamp));
    }
    if differences.is_empty() {
        Ok(manifest)
    } else {
        Err(RunError::Differs { path: place.directory().to_owned(), differences })
    }
}

/// How many files of rows count, what they hold, and whether the run is finished. Everything is compared with the record.
fn check_rows(
    place: &Place,
    file: Option<&Path>,
    id: &str,
    settings: &Settings,
    inputs: u64,
    list: &Sum,
) -> Result<(Scanned, bool), RunError> {
    let record = place.record(FINISHED);
    let finished: Option<Finished> = if record.exists() { Some(read_json(&record)?) } else { None };
    if let Some(Finished { run, summary, excess, file: sum }) = &finished {
        if run != id {
            return Err(RunError::damaged(record, "it is not of the run that run.json describes"));
        }
        if summary.rows != inputs {
            let reason = format!("it says {} rows, the run has {inputs} inputs", summary.rows);
            return Err(RunError::damaged(record, reason));
        }
        if let Some(file) = file {
            if !file.exists() {
                let (file, record) = (file.to_owned(), place.directory().to_owned());
                return Err(RunError::Moved { file, record });
            }
            let Some(sum) = sum else {
                return Err(RunError::damaged(record, "it does not tell the SHA-256 of the one file"));
            };
            sum.check(file)?;
            let (summary, excess) = (summary.clone(), excess.clone());
            return Ok((Scanned { commits: 0, summary, excess }, true));
        }
    }
    list.check(&place.record(INPUTS))?;
    let scanned = commit::scan(place, id, settings, inputs)?;
    match finished {
        Some(finished) if finished.summary != scanned.summary => {
            let reason = "its numbers are not those of the files of rows";
            Err(RunError::damaged(record, reason))
        }
        finished => Ok((scanned, finished.is_some())),
    }
}
