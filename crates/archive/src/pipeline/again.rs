//! Films that are scored again, one after the other.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use medclip_core::budget::Budget;
use medclip_scorer::Report;

use super::Progress;
use super::reports::{prepare, reports_of};
use crate::inputs::ArchiveReader;
use crate::memory::Loaded;
use crate::run::{Run, RunError, Watched};
use crate::stages::Stages;

/// Scores the inputs of [`Run::redo`] again and puts their rows in the place of the earlier ones; returns whether all of them
/// are done.
pub(super) fn score_again<S: Stages>(
    run: &mut Run,
    stages: &S,
    budget: &Budget,
    stop: &AtomicBool,
    observe: &mut impl FnMut(&Report, Progress) -> Result<(), Watched>,
) -> Result<bool, RunError> {
    let rows_of_file = u64::from(run.settings().shard_size.get());
    let mut wanted: Vec<u64> = run.redo().to_vec();
    wanted.reverse();
    let mut archives = ArchiveReader::default();
    let mut reports = BTreeMap::new();
    for (position, source) in (0..).zip(run.all_inputs()?) {
        let source = source?;
        let Some(next) = wanted.last() else { break };
        if *next != position {
            continue;
        }
        wanted.pop();
        let loaded = Loaded::of(stages, &mut archives, &source, budget.turn());
        for report in reports_of(stages, vec![prepare(stages, &source, loaded)]) {
            let failed = run.summary().failures.values().sum();
            let progress = Progress { done: run.summary().rows, total: run.inputs(), failed };
            observe(&report, progress).map_err(RunError::Observed)?;
            reports.insert(position, report);
        }
        if wanted.last().is_none_or(|next| next / rows_of_file != position / rows_of_file) {
            run.replace(position / rows_of_file, std::mem::take(&mut reports))?;
            if stop.load(Ordering::Relaxed) && !wanted.is_empty() {
                return Ok(false);
            }
        }
    }
    Ok(true)
}
