//! Films as an adapter finds them, checked one by one.

use std::collections::BTreeMap;
use std::path::{Component, Path};
use std::sync::Arc;

use medclip_core::Finding;

use super::dataset::DataSet;
use super::error::{PrepareError, SourcePlace};
use super::options::{MissingImages, PrepareOptions, UnknownLabels, UnlistedAs};
use super::prepared::{LeftOutReason, PreparedData, PreparedRow};
use super::split::{assign, draw_validation};
use super::tree::Tree;
use crate::manifest::{Annotation, Split};

/// A film as a data set has it.
pub(super) struct Found {
    pub(super) origin: SourcePlace,
    /// Where the image may be, from the data set's directory; the first that is there counts.
    pub(super) images: Vec<String>,
    /// Its part of the official division.
    pub(super) split: Option<Split>,
    /// Patient, with the source in front.
    pub(super) patient: String,
    pub(super) view: String,
    pub(super) annotations: [Annotation; Finding::COUNT],
    pub(super) labels: String,
    pub(super) text: Option<String>,
}

/// What was found so far.
pub(super) struct Gather<'a> {
    tree: &'a Tree,
    pub(super) options: &'a PrepareOptions,
    rows: Vec<(PreparedRow, Option<Split>)>,
    /// Rows and files that were looked at.
    seen: u64,
    /// Where each image was first named.
    images: BTreeMap<String, SourcePlace>,
    /// Where each patient's part was first said.
    parts: BTreeMap<String, (Split, SourcePlace)>,
    left_out: BTreeMap<LeftOutReason, u64>,
    unmapped_labels: BTreeMap<String, u64>,
}

impl<'a> Gather<'a> {
    pub(super) fn new(tree: &'a Tree, options: &'a PrepareOptions) -> Self {
        Self {
            tree,
            options,
            rows: Vec::new(),
            seen: 0,
            images: BTreeMap::new(),
            parts: BTreeMap::new(),
            left_out: BTreeMap::new(),
            unmapped_labels: BTreeMap::new(),
        }
    }

    fn data_set(&self) -> DataSet {
        self.tree.data_set
    }

    /// What an unlisted finding becomes, where the data set's own annotation would have `usual`.
    pub(super) fn unlisted(&self, usual: UnlistedAs) -> UnlistedAs {
        self.options.unlisted.unwrap_or(usual)
    }

    /// Counts a row or file that becomes no film.
    pub(super) fn leave_out(&mut self, reason: LeftOutReason) {
        self.seen += 1;
        *self.left_out.entry(reason).or_default() += 1;
    }

    /// Counts a label that no finding stands for.
    pub(super) fn unmapped(&mut self, label: &str) {
        *self.unmapped_labels.entry(label.to_owned()).or_default() += 1;
    }

    /// A label that no published list has.
    ///
    /// # Errors
    /// [`PrepareError::UnknownLabel`], unless such labels are to be counted.
    pub(super) fn unknown(&mut self, label: &str, origin: SourcePlace) -> Result<(), PrepareError> {
        match self.options.unknown_labels {
            UnknownLabels::Refuse => {
                let (data_set, label) = (self.data_set(), label.to_owned());
                Err(PrepareError::UnknownLabel { data_set, origin, label })
            }
            UnknownLabels::Count => {
                self.unmapped(label);
                Ok(())
            }
        }
    }

    /// Takes a film.
    ///
    /// A patient in two parts is refused whether or not the images are there: the division itself is wrong.
    ///
    /// # Errors
    /// [`PrepareError::Leak`], [`PrepareError::Outside`], [`PrepareError::Twice`], [`PrepareError::MissingImage`].
    pub(super) fn add(&mut self, found: Found) -> Result<(), PrepareError> {
        self.check_part(&found)?;
        if let Some(path) = found.images.iter().find(|image| !is_inside(image)) {
            let (data_set, path) = (self.data_set(), path.clone());
            return Err(PrepareError::Outside { data_set, origin: found.origin, path });
        }
        let image = found.images.iter().find(|image| self.tree.has(image)).cloned();
        let Some(path) = image else {
            if self.options.missing == MissingImages::Refuse {
                let Found { origin, images: looked_for, .. } = found;
                return Err(PrepareError::MissingImage { origin, looked_for });
            }
            self.leave_out(LeftOutReason::ImageMissing);
            return Ok(());
        };
        self.seen += 1;
        if let Some(first) = self.images.insert(path.clone(), found.origin.clone()) {
            return Err(PrepareError::Twice { what: path, first, second: found.origin });
        }
        let row = PreparedRow {
            path,
            split: Split::Train,
            patient: found.patient,
            view: found.view,
            annotations: found.annotations.map(|annotation| self.options.uncertain.apply(annotation)),
            labels: found.labels,
            text: found.text.map(|text| one_line(&text)).filter(|text| !text.is_empty()),
        };
        self.rows.push((row, found.split));
        Ok(())
    }

    fn check_part(&mut self, found: &Found) -> Result<(), PrepareError> {
        let Some(split) = found.split else { return Ok(()) };
        match self.parts.get(&found.patient) {
            Some((first_split, first)) if *first_split != split => Err(PrepareError::Leak {
                data_set: self.data_set(),
                who: format!("patient `{}`", found.patient),
                first: first.clone(),
                first_split: *first_split,
                second: found.origin.clone(),
                second_split: split,
            }),
            Some(_) => Ok(()),
            None => {
                self.parts.insert(found.patient.clone(), (split, found.origin.clone()));
                Ok(())
            }
        }
    }

    /// The films with their parts.
    ///
    /// # Errors
    /// [`PrepareError::Empty`].
    pub(super) fn finish(self) -> Result<PreparedData, PrepareError> {
        let data_set = self.data_set();
        if self.rows.is_empty() {
            let missing = self.left_out.get(&LeftOutReason::ImageMissing).copied().unwrap_or_default();
            let directory = self.tree.directory.clone();
            return Err(PrepareError::Empty { data_set, directory, rows: self.seen, missing });
        }
        let is_divided = self.rows.iter().any(|(_, split)| split.is_some());
        let Self { rows, options, left_out, unmapped_labels, .. } = self;
        let with_part = |(row, split): (PreparedRow, Option<Split>)| PreparedRow {
            split: split.unwrap_or(row.split),
            ..row
        };
        let mut rows: Vec<PreparedRow> = rows.into_iter().map(with_part).collect();
        if is_divided {
            draw_validation(&mut rows, options.validation, options.seed);
        } else {
            assign(&mut rows, options.undivided, options.seed);
        }
        Ok(PreparedData { data_set, is_divided, rows, left_out, unmapped_labels })
    }
}

/// Whether a path that a table names stays below the directory.
fn is_inside(path: &str) -> bool {
    Path::new(path).components().all(|part| matches!(part, Component::Normal(_)))
}

/// A film, study or patient that may be there once.
pub(super) fn insert_once<T>(
    map: &mut BTreeMap<String, (T, SourcePlace)>,
    key: &str,
    value: T,
    origin: SourcePlace,
) -> Result<(), PrepareError> {
    if let Some((_, first)) = map.get(key) {
        return Err(PrepareError::Twice { what: key.to_owned(), first: first.clone(), second: origin });
    }
    map.insert(key.to_owned(), (value, origin));
    Ok(())
}

/// The origin of a file that is no table.
pub(super) fn whole(file: &str) -> SourcePlace {
    SourcePlace { file: Arc::from(file), place: None }
}

/// A text in one line: a line within a quoted cell could be taken for a row.
fn one_line(text: &str) -> String {
    let words: Vec<&str> =
        text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()).collect();
    words.join(" ")
}
