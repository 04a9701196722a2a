//! Inputs as they were named, scored into a run on disk.

use std::io::{self, BufRead};
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use medclip_scorer::Report;

use crate::inputs::{InputList, InputOptions, Skipped};
use crate::maps::MapWriter;
use crate::pipeline::{End, PipelineOptions, Progress, work};
use crate::run::{Run, RunError, Settings, Summary, Target, Watched};
use crate::source::Source;
use crate::stages::Stages;

/// What becomes of an earlier run in the same place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Earlier {
    /// It stays, and nothing is done.
    Refuse,
    /// It is continued, and refused where it is another.
    Continue,
    /// It is continued, and replaced where it is another.
    Replace,
}

/// Which inputs, and how they are run.
#[derive(Debug)]
pub struct JobOptions<'a> {
    /// Films, directories, archives, patterns, tables, or `-` for a list on standard input.
    pub inputs: &'a [PathBuf],
    /// What becomes of a run that is there.
    pub earlier: Earlier,
    /// Every input has a name of its own, or nothing is begun.
    pub unique: bool,
    /// Threads, batches and memory.
    pub pipeline: PipelineOptions,
    /// What writes maps, where they are wanted.
    pub maps: Option<MapWriter>,
}

/// A run with its inputs and how they are scored.
#[derive(Debug)]
pub struct Job<'a> {
    run: Run,
    inputs: InputList<'a>,
    pipeline: PipelineOptions,
    maps: Option<MapWriter>,
}

impl<'a> Job<'a> {
    /// Lists the inputs, of which `settings` name the machine's part, and begins or continues their run in the place of `target`.
    /// `replaced` is called where another run was there and is gone.
    ///
    /// # Errors
    /// [`RunError`], [`RunError::Inputs`] where inputs cannot be listed.
    pub fn open(
        options: JobOptions<'a>,
        target: &Target,
        settings: Settings,
        stdin: &mut dyn BufRead,
        replaced: impl FnOnce(&RunError),
    ) -> Result<Self, RunError> {
        let JobOptions { inputs, earlier, unique, pipeline, maps } = options;
        let search = InputOptions { portion: settings.portion, ..InputOptions::films() };
        let mut inputs = InputList::new(inputs, search, unique, stdin)?;
        let mut list = |sink: &mut dyn FnMut(Source) -> io::Result<()>| inputs.list(sink);
        let run = match earlier {
            Earlier::Refuse => Run::begin(target, settings, &mut list),
            Earlier::Continue => Run::resume(target, settings, &mut list),
            Earlier::Replace => Run::resume_or_replace(target, settings, &mut list, replaced),
        }?;
        Ok(Self { run, inputs, pipeline, maps })
    }

    /// What the run has come to.
    pub const fn summary(&self) -> &Summary {
        self.run.summary()
    }

    /// Inputs of the run.
    pub const fn inputs(&self) -> u64 {
        self.run.inputs()
    }

    /// What the run has come to, as `180 of 180 rows, 9 without scores (3 empty, 6 truncated)`, and what the search left out.
    pub fn describe(&self) -> String {
        described(self.summary(), self.inputs(), self.inputs.skipped())
    }

    /// Scores the inputs that have no row yet, as [`work`] does, and writes the maps of a film before its row counts.
    ///
    /// # Errors
    /// As [`work`], and [`RunError::Observed`] when a map cannot be written.
    pub fn work<S: Stages>(
        &mut self,
        stages: &S,
        stop: &AtomicBool,
        mut observe: impl FnMut(&Report, Progress) -> Result<(), Watched>,
    ) -> Result<End, RunError> {
        let maps = &self.maps;
        work(&mut self.run, stages, &self.pipeline, stop, |report, progress| {
            maps.iter().try_for_each(|maps| maps.write(report))?;
            observe(report, progress)
        })
    }
}

fn described(summary: &Summary, inputs: u64, skipped: &Skipped) -> String {
    let Summary { rows, failures } = summary;
    let counts: Vec<_> = failures.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
    let failed: u64 = failures.values().sum();
    let kinds = if failed == 0 { String::new() } else { format!(" ({})", counts.join(", ")) };
    let skipped = if skipped.is_empty() { String::new() } else { format!("; {skipped}") };
    format!("{rows} of {inputs} rows, {failed} without scores{kinds}{skipped}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_told_by_kind() {
        let described = |summary: &Summary| described(summary, 20, &Skipped::default());
        let mut summary = Summary { rows: 20, ..Summary::default() };
        assert_eq!(described(&summary), "20 of 20 rows, 0 without scores");
        summary.failures = [("empty".to_owned(), 3), ("truncated".to_owned(), 6)].into();
        assert_eq!(described(&summary), "20 of 20 rows, 9 without scores (3 empty, 6 truncated)");
    }
}
