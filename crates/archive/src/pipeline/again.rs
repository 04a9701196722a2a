//! Films that are scored again, one after the other.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use medclip_core::budget::Budget;

use super::{Progress, Ready, check, prepare, rows_of};
use crate::intake::ArchiveReader;
use crate::memory::Loaded;
use crate::run::{Run, RunError};
use crate::scorer::Scorer;

/// Scores the inputs of [`Run::redo`] again and puts their rows in the place of the earlier ones; returns whether all of them
/// are done.
pub(super) fn score_again<S: Scorer>(
    run: &mut Run,
    scorer: &S,
    budget: &Budget,
    stop: &AtomicBool,
    progress: &mut impl FnMut(Progress),
) -> Result<bool, RunError> {
    let shard = u64::from(run.settings().shard_size.get());
    let mut wanted: Vec<u64> = run.redo().to_vec();
    wanted.reverse();
    let mut archives = ArchiveReader::default();
    let mut rows = BTreeMap::new();
    for (position, source) in (0..).zip(run.all_inputs()?) {
        let source = source?;
        let Some(next) = wanted.last() else { break };
        if *next != position {
            continue;
        }
        wanted.pop();
        let loaded = Loaded::of(scorer, &mut archives, &source, budget.turn());
        let ready = Ready { path: source.id(), prepared: prepare(scorer, &source, loaded) };
        for (position, mut row) in rows_of(scorer, vec![(position, ready)]) {
            check(run, scorer, &mut row);
            rows.insert(position, row);
        }
        if wanted.last().is_none_or(|next| next / shard != position / shard) {
            run.replace(position / shard, std::mem::take(&mut rows))?;
            let failed = run.summary().failures.values().sum();
            progress(Progress { done: run.summary().rows, total: run.inputs(), failed });
            if stop.load(Ordering::Relaxed) && !wanted.is_empty() {
                return Ok(false);
            }
        }
    }
    Ok(true)
}
