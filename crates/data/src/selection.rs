//! Which images of a manifest a run trains or evaluates on, and that no patient is in both.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use medclip_stats::grouped_share;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::digests::first_shared;
use crate::manifest::{Record, Split};
use crate::place::Place;
use crate::rows::RowName;

/// Conditions an image must all meet, and the share of the patients who meet them; an empty list admits everything.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Selection {
    /// Data sets, as the manifest's `source` names them.
    pub sources: Vec<String>,
    /// Projections, in any case. `frontal` stands for PA, AP and Frontal; `unknown` for a blank view.
    pub views: Vec<String>,
    /// Parts of the data.
    pub splits: Vec<Split>,
    /// Only images of these folds.
    pub only_folds: Vec<u8>,
    /// No image of these folds.
    pub exclude_folds: Vec<u8>,
    /// Share of the patient groups to keep, above 0 and at most 1; none keeps all.
    ///
    /// Groups are drawn whole and with the run's seed. Under one seed a smaller share is part of every larger one, so a
    /// curve over shares adds patients and exchanges none.
    pub fraction: Option<f64>,
}

/// Why selections were refused.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum SelectionError {
    /// No image meets the conditions.
    #[error("selection `{name}` admits no image")]
    Empty {
        /// Name of the selection.
        name: String,
    },
    /// A share that is none.
    #[error("selection `{name}`: fraction must be above 0 and at most 1, not {fraction}")]
    Fraction {
        /// Name of the selection.
        name: String,
        /// What it says.
        fraction: f64,
    },
    /// A source that no row has: most likely a misspelling.
    #[error("selection `{name}` names source `{source_name}`, which no row of the manifest has")]
    UnknownSource {
        /// Name of the selection.
        name: String,
        /// The source.
        source_name: String,
    },
    /// One patient on both sides.
    #[error("patient group `{group}` is in the training selection and in evaluation `{name}`")]
    Leak {
        /// The patient group.
        group: String,
        /// Name of the evaluation selection.
        name: String,
        /// A row of it that is trained on.
        trained: Place,
        /// A row of it that is evaluated on.
        evaluated: Place,
    },
    /// One film on both sides, under two names.
    #[error(
        "{trained} and {evaluated} are one film ({}): the first is in the training selection, the second in evaluation \
         `{name}`; remove one of the rows, or give both to one side",
        if *is_same_file { "two spellings of one file" } else { "two files of the same bytes" }
    )]
    SharedFilm {
        /// The row that is trained on.
        trained: RowName,
        /// The row that is evaluated on.
        evaluated: RowName,
        /// Name of the evaluation selection.
        name: String,
        /// Whether both paths lead to one file.
        is_same_file: bool,
    },
}

impl SelectionError {
    /// The error in words that name no patient.
    pub fn unnamed(&self) -> String {
        match self {
            Self::Leak { name, trained, evaluated, .. } => format!(
                "the patient group of {trained} is in the training selection and, with {evaluated}, in evaluation `{name}`"
            ),
            _ => self.to_string(),
        }
    }
}

impl Selection {
    /// True when `record` meets every condition.
    pub fn admits(&self, record: &Record) -> bool {
        (self.sources.is_empty() || self.sources.contains(&record.source))
            && (self.views.is_empty() || self.views.iter().any(|view| view_matches(view, &record.view)))
            && self.admits_part(record)
    }

    /// The conditions on split and fold alone, which decide whether a patient's report may be learnt from.
    pub fn admits_part(&self, record: &Record) -> bool {
        let in_fold = |folds: &[u8]| record.fold.is_some_and(|fold| folds.contains(&fold));
        (self.splits.is_empty() || self.splits.contains(&record.split))
            && (self.only_folds.is_empty() || in_fold(&self.only_folds))
            && !in_fold(&self.exclude_folds)
    }

    /// Indices of the admitted records, in order and before [`share`](Self::share); `name` appears in errors.
    ///
    /// # Errors
    /// [`SelectionError::Fraction`], [`SelectionError::UnknownSource`], [`SelectionError::Empty`].
    pub fn indices(&self, name: &str, records: &[Record]) -> Result<Vec<usize>, SelectionError> {
        if let Some(fraction) = self.fraction.filter(|fraction| !(*fraction > 0.0 && *fraction <= 1.0)) {
            return Err(SelectionError::Fraction { name: name.to_owned(), fraction });
        }
        for source in &self.sources {
            if !records.iter().any(|record| record.source == *source) {
                return Err(SelectionError::UnknownSource {
                    name: name.to_owned(),
                    source_name: source.clone(),
                });
            }
        }
        let indices: Vec<usize> =
            records.iter().enumerate().filter(|(_, r)| self.admits(r)).map(|(index, _)| index).collect();
        if indices.is_empty() {
            return Err(SelectionError::Empty { name: name.to_owned() });
        }
        Ok(indices)
    }

    /// Those of `groups` that `fraction` keeps: `⌈fraction · groups⌉` of the distinct ones, at least one.
    pub fn share<'a>(&self, groups: impl IntoIterator<Item = &'a str>, seed: u64) -> BTreeSet<&'a str> {
        let distinct: BTreeSet<&str> = groups.into_iter().collect();
        let Some(fraction) = self.fraction else { return distinct };
        let groups: Vec<&str> = distinct.into_iter().collect();
        grouped_share(&groups, fraction, seed).into_iter().map(|position| groups[position]).collect()
    }
}

/// Refuses an evaluation selection that shares a patient group with training.
///
/// # Errors
/// [`SelectionError::Leak`] with the first shared group.
pub fn check_disjoint<'a>(
    train: impl IntoIterator<Item = &'a Record>,
    name: &str,
    evaluation: impl IntoIterator<Item = &'a Record>,
) -> Result<(), SelectionError> {
    let trained: BTreeMap<&str, Place> =
        train.into_iter().map(|record| (record.patient_group.as_str(), record.place)).collect();
    for record in evaluation {
        if let Some(&trained) = trained.get(record.patient_group.as_str()) {
            let (group, name) = (record.patient_group.clone(), name.to_owned());
            return Err(SelectionError::Leak { group, name, trained, evaluated: record.place });
        }
    }
    Ok(())
}

/// Refuses an evaluation selection that has a film of training, under another spelling of its path or as another file of
/// the same bytes.
///
/// Paths of both sides' rows of `manifest` start from `root`. Files that cannot be read are left out.
///
/// # Errors
/// [`SelectionError::SharedFilm`] with the first film that both sides have.
pub fn check_no_film_shared(
    manifest: &Path,
    root: &Path,
    train: &[&Record],
    name: &str,
    evaluation: &[&Record],
) -> Result<(), SelectionError> {
    let paths = |records: &[&Record]| -> Vec<PathBuf> {
        records.iter().map(|record| root.join(&record.path)).collect()
    };
    let (train_paths, paths) = (paths(train), paths(evaluation));
    match first_shared(&train_paths, &paths) {
        None => Ok(()),
        Some((trained, evaluated)) => Err(SelectionError::SharedFilm {
            trained: RowName::of(manifest, train[trained]),
            evaluated: RowName::of(manifest, evaluation[evaluated]),
            name: name.to_owned(),
            is_same_file: is_same_file(&train_paths[trained], &paths[evaluated]),
        }),
    }
}

/// Whether two paths lead to one file.
pub fn is_same_file(first: &Path, second: &Path) -> bool {
    first.canonicalize().ok().is_some_and(|first| second.canonicalize().is_ok_and(|second| first == second))
}

fn view_matches(wanted: &str, view: &str) -> bool {
    if wanted.eq_ignore_ascii_case("frontal") {
        ["PA", "AP", "Frontal"].iter().any(|frontal| frontal.eq_ignore_ascii_case(view))
    } else if wanted.eq_ignore_ascii_case("unknown") {
        view.is_empty()
    } else {
        wanted.eq_ignore_ascii_case(view)
    }
}

#[cfg(test)]
mod tests;
