//! Training runs side by side.

mod sheet;

use std::collections::BTreeSet;
use std::path::PathBuf;

use medclip_train::TrainError;
use medclip_train::evaluate::Evaluation;
use medclip_train::log::last_evaluations;
use serde::Serialize;
use thiserror::Error;

use crate::labeled::Labeled;

/// AUROC at the end of training runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunComparison {
    /// One for every label, in the order in which they were given.
    pub columns: Vec<RunColumn>,
    /// One for every finding of the first run.
    pub findings: Vec<RunFinding>,
}

/// Runs of one label.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunColumn {
    /// The label.
    pub label: String,
    /// Its runs.
    pub runs: usize,
    /// Mean AUROC of the selected findings.
    pub macro_auroc: Spread,
    /// Selected findings that some run has no AUROC of.
    pub left_out: BTreeSet<String>,
}

/// A finding in all columns.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunFinding {
    /// The finding.
    pub name: String,
    /// Fewest and most films of a run that have it; `None` where no run has the finding.
    pub positives: Option<(usize, usize)>,
    /// One for every column.
    pub auroc: Vec<Spread>,
}

/// Mean and standard deviation of runs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spread {
    /// `None` without a value.
    pub mean: Option<f64>,
    /// With n − 1; `None` with fewer than two values.
    pub deviation: Option<f64>,
}

/// Why runs could not be compared.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RunsError {
    /// A log that cannot be read.
    #[error("no finished run")]
    Log(#[from] TrainError),
    /// A run that did not evaluate on the set.
    #[error("{} evaluated no set `{set}`, but {known:?}", run.display())]
    NoSet {
        /// The run.
        run: PathBuf,
        /// The set.
        set: String,
        /// The sets that it did evaluate on.
        known: Vec<String>,
    },
}

/// AUROC on `set` at the end of training runs. Runs of one label share a column.
///
/// # Errors
/// [`RunsError`] when a run has no log or no evaluation of that set.
pub fn compare_runs(runs: &[Labeled], set: &str) -> Result<RunComparison, RunsError> {
    let mut columns: Vec<(String, Vec<Evaluation>)> = Vec::new();
    for Labeled { label, path } in runs {
        let mut sets = last_evaluations(path)?;
        let Some((_, evaluation)) = sets.remove(set) else {
            let (run, set) = (path.clone(), set.to_owned());
            return Err(RunsError::NoSet { run, set, known: sets.into_keys().collect() });
        };
        match columns.iter_mut().find(|column| column.0 == *label) {
            Some(column) => column.1.push(evaluation),
            None => columns.push((label.clone(), vec![evaluation])),
        }
    }
    Ok(RunComparison::of(columns))
}

impl RunComparison {
    fn of(columns: Vec<(String, Vec<Evaluation>)>) -> Self {
        let first = columns.first().and_then(|(_, evaluations)| evaluations.first());
        let findings = first.map_or(&[][..], |evaluation| &evaluation.findings).iter().map(|finding| {
            let of = |evaluation: &Evaluation| {
                evaluation.findings.iter().find(|other| other.name == finding.name).cloned()
            };
            let positives =
                columns.iter().flat_map(|(_, runs)| runs).filter_map(of).map(|finding| finding.positives);
            let auroc = columns.iter().map(|(_, runs)| {
                Spread::of(
                    &runs.iter().filter_map(of).filter_map(|finding| finding.auroc).collect::<Vec<_>>(),
                )
            });
            RunFinding {
                name: finding.name.clone(),
                positives: positives.clone().min().zip(positives.max()),
                auroc: auroc.collect(),
            }
        });
        let findings = findings.collect();
        let columns = columns.into_iter().map(|(label, runs)| {
            let values: Vec<f64> = runs.iter().filter_map(|run| run.macro_auroc).collect();
            let left_out = runs.iter().flat_map(|run| run.left_out.iter().cloned()).collect();
            RunColumn { label, runs: runs.len(), macro_auroc: Spread::of(&values), left_out }
        });
        Self { columns: columns.collect(), findings }
    }
}

impl Spread {
    fn of(values: &[f64]) -> Self {
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        Self {
            mean: (!values.is_empty()).then_some(mean),
            deviation: (values.len() > 1).then(|| (squares / (count - 1.0)).sqrt()),
        }
    }
}

#[cfg(test)]
mod tests {
    use medclip_train::evaluate::FindingAuroc;

    use super::*;

    fn evaluation(auroc: Option<f64>) -> Evaluation {
        let finding = FindingAuroc { name: "Edema".to_owned(), positives: 3, negatives: 5, auroc };
        let left_out = if auroc.is_none() { vec!["Edema".to_owned()] } else { Vec::new() };
        Evaluation { set: "val".to_owned(), images: 8, findings: vec![finding], macro_auroc: auroc, left_out }
    }

    #[test]
    fn runs_of_a_label_become_mean_and_deviation() {
        let column = |label: &str, values: &[Option<f64>]| {
            (label.to_owned(), values.iter().map(|value| evaluation(*value)).collect())
        };
        let columns =
            vec![column("a", &[Some(0.7), Some(0.9)]), column("b", &[Some(0.5)]), column("c", &[None])];
        let found = RunComparison::of(columns);
        let [finding] = &found.findings[..] else { panic!("one finding") };
        assert_eq!((finding.name.as_str(), finding.positives), ("Edema", Some((3, 3))));
        let [a, b, c] = &finding.auroc[..] else { panic!("three columns") };
        assert!((a.mean.unwrap() - 0.8).abs() < 1e-12);
        assert!((a.deviation.unwrap() - 0.02_f64.sqrt()).abs() < 1e-12);
        assert_eq!((b.mean, b.deviation), (Some(0.5), None));
        assert_eq!((c.mean, c.deviation), (None, None));
        assert_eq!(found.columns[2].left_out, BTreeSet::from(["Edema".to_owned()]));
        assert_eq!(found.columns[0].macro_auroc, *a);
    }
}
