//! Which images of a manifest a run trains or evaluates on, and that no patient is in both.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::data::manifest::{Record, Split};

/// Conditions an image must all meet; an empty list admits everything.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
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
}

/// Why selections were refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SelectionError {
    /// No image meets the conditions.
    #[error("selection `{name}` admits no image")]
    Empty {
        /// Name of the selection.
        name: String,
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
    },
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

    /// Indices of the admitted records, in order; `name` appears in errors.
    ///
    /// # Errors
    /// [`SelectionError::UnknownSource`], [`SelectionError::Empty`].
    pub fn indices(&self, name: &str, records: &[Record]) -> Result<Vec<usize>, SelectionError> {
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
    let trained: BTreeSet<&str> = train.into_iter().map(|record| record.patient_group.as_str()).collect();
    match evaluation.into_iter().find(|record| trained.contains(record.patient_group.as_str())) {
        Some(record) => {
            Err(SelectionError::Leak { group: record.patient_group.clone(), name: name.to_owned() })
        }
        None => Ok(()),
    }
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
mod tests {
    use super::*;
    use crate::data::fixture::{Row, records};

    #[test]
    fn views_folds_and_sources_combine() {
        let rows = records(&[
            Row { view: "PA", fold: "0", ..Row::new("a", "1") },
            Row { view: "Lateral", fold: "0", ..Row::new("b", "2") },
            Row { view: "", fold: "1", ..Row::new("c", "3") },
            Row { view: "Frontal", fold: "1", source: "other", ..Row::new("d", "4") },
            Row { view: "AP", fold: "2", ..Row::new("e", "5") },
        ]);
        let all = Selection::default();
        let views = |views: &[&str]| Selection {
            views: views.iter().map(ToString::to_string).collect(),
            ..Selection::default()
        };
        let cases = [
            (all.clone(), vec![0, 1, 2, 3, 4]),
            (views(&["frontal"]), vec![0, 3, 4]),
            (views(&["pa", "unknown"]), vec![0, 2]),
            (Selection { sources: vec!["other".into()], ..all.clone() }, vec![3]),
            (Selection { exclude_folds: vec![0], ..all.clone() }, vec![2, 3, 4]),
            (Selection { only_folds: vec![0, 2], ..views(&["frontal"]) }, vec![0, 4]),
        ];
        for (selection, expected) in cases {
            assert_eq!(selection.indices("x", &rows).unwrap(), expected, "{selection:?}");
        }
    }

    #[test]
    fn refuses_the_empty_and_the_misspelt() {
        let rows = records(&[Row::new("a", "1")]);
        let empty = Selection { splits: vec![Split::Test], ..Selection::default() };
        assert_eq!(
            empty.indices("final", &rows).unwrap_err().to_string(),
            "selection `final` admits no image"
        );
        let misspelt = Selection { sources: vec!["open-i".into()], ..Selection::default() };
        assert!(matches!(misspelt.indices("train", &rows), Err(SelectionError::UnknownSource { .. })));
    }

    #[test]
    fn a_patient_on_both_sides_is_named() {
        let train = records(&[Row::new("a", "1"), Row::new("b", "2")]);
        let eval = records(&[Row::new("c", "3"), Row::new("d", "2")]);
        let error = check_disjoint(&train, "val", &eval).unwrap_err();
        assert_eq!(error, SelectionError::Leak { group: "2".into(), name: "val".into() });
        assert_eq!(check_disjoint(&train, "val", &eval[..1]), Ok(()));
    }
}
