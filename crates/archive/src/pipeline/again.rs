//! Films that are scored again, one after the other.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use medclip_core::budget::Budget;

use super::{Progress, prepare, score_batch};
use crate::failure::Failure;
use crate::intake::ArchiveReader;
use crate::memory::Loaded;
use crate::row::Row;
use crate::run::{Run, RunError};
use crate::scorer::{Prepared, Scorer};
use crate::source::Source;

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
        rows.insert(position, row(run, scorer, budget, &mut archives, &source));
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

fn row<S: Scorer>(
    run: &Run,
    scorer: &S,
    budget: &Budget,
    archives: &mut ArchiveReader,
    source: &Source,
) -> Row {
    let path = source.id();
    let loaded = Loaded::of(scorer, archives, source, budget.turn());
    let Prepared { identity, mut qc, notes, image } = prepare(scorer, source, loaded);
    let missing = || Failure::new("engine", "the model gave no scores");
    let verdict =
        image.and_then(|image| score_batch(scorer, &[image]).pop().unwrap_or_else(|| Err(missing())));
    let scores = verdict.and_then(|verdict| {
        let added: Vec<String> = verdict.qc.into_iter().filter(|code| !qc.contains(code)).collect();
        qc.extend(added);
        verdict.scores
    });
    let scores = scores.and_then(|scores| {
        let fits = run.settings().columns.fit(&scores);
        if fits { Ok(scores) } else { Err(Failure::new("engine", "the model gave scores of another width")) }
    });
    if let Err(failure) = &scores {
        scorer.failed(&path, failure);
    }
    Row { path, identity, qc, notes, scores }
}
