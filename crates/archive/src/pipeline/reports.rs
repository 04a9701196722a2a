//! One input, and one batch: whatever happens, each input gets its report.

use std::sync::Arc;

use medclip_core::guard::catch;
use medclip_scorer::{Failure, Report};

use crate::memory::{self, Loaded};
use crate::source::Source;
use crate::stages::{Content, Stages};

/// An input that was decoded, or why not.
pub(super) struct Ready<T> {
    path: String,
    film: Result<T, Failure>,
}

/// Decodes an input; a panic is a failure of that input.
pub(super) fn prepare<S: Stages>(stages: &S, source: &Source, loaded: Loaded) -> Ready<S::Prepared> {
    let prepare = || match loaded {
        Loaded::Failed(failure) => Err(failure),
        Loaded::Member(bytes, _share) => Ok(stages.prepare(Content::Bytes(&bytes))),
        Loaded::File(turn) => memory::prepare_file(stages, &source.path, turn),
    };
    let film = catch(prepare).unwrap_or_else(|message| Err(Failure::panic(&message)));
    Ready { path: source.id(), film }
}

/// Scores a batch, a report for every input of it in order.
pub(super) fn reports_of<S: Stages>(stages: &S, batch: Vec<Ready<S::Prepared>>) -> Vec<Report> {
    let mut films = Vec::with_capacity(batch.len());
    let mut inputs = Vec::with_capacity(batch.len());
    for Ready { path, film } in batch {
        // Filled in below where there is a film.
        let failure = film.map(|film| films.push(film)).err();
        inputs.push((path, failure));
    }
    let mut reports = score_batch(stages, &films).into_iter();
    let missing = || Err(Failure::new(Failure::ENGINE, "the model gave no scores"));
    let failed = |failure| Report::failed(Arc::clone(stages.schema()), failure);
    let report = |(path, failure): (String, Option<Failure>)| {
        let report = failure.map_or_else(|| reports.next().unwrap_or_else(missing), Err);
        let mut report = checked(stages, report.unwrap_or_else(failed));
        report.path = Some(path);
        report
    };
    inputs.into_iter().map(report).collect()
}

/// Refuses scores of another width than all others.
fn checked<S: Stages>(stages: &S, mut report: Report) -> Report {
    if report.schema != *stages.schema() || !report.fits() {
        report.schema = Arc::clone(stages.schema());
        report.outcome = Err(Failure::new(Failure::ENGINE, "the model gave scores of another width"));
    }
    report
}

/// When a batch panics, each of its inputs is tried alone.
fn score_batch<S: Stages>(stages: &S, films: &[S::Prepared]) -> Vec<Result<Report, Failure>> {
    if films.is_empty() {
        return Vec::new();
    }
    let failure = match catch(|| stages.score(films)) {
        Ok(reports) if reports.len() == films.len() => return reports.into_iter().map(Ok).collect(),
        Ok(reports) => {
            Failure::new(Failure::ENGINE, format!("{} reports of {} films", reports.len(), films.len()))
        }
        Err(message) => Failure::panic(&message),
    };
    match films {
        [_] => vec![Err(failure)],
        films => films.iter().flat_map(|film| score_batch(stages, std::slice::from_ref(film))).collect(),
    }
}
