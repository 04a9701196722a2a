//! Whether maps point at what radiologists marked.

mod error;
mod figures;
mod film;
mod occlusion;
mod sheet;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use medclip_core::Finding;
use medclip_data::{MarkedBox, Record, Split, read_boxes};
use serde::{Deserialize, Serialize};

use crate::embed::each_film;
use crate::evaluator::{Evaluator, Subject};
use crate::logits::findings as findings_of;
use crate::observer::Observer;
use crate::resampling::Resampling;

pub use error::MapsError;
pub use figures::{FindingMaps, Pointing};

use film::{MappedFilm, Reader};

/// How [`maps`] evaluates.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MapsOptions {
    /// The file of boxes, as [`read_boxes`] takes it.
    pub boxes: PathBuf,
    /// Only boxes of these annotators; an empty list takes all.
    pub annotators: Vec<String>,
    /// Only films of these splits; an empty list takes all.
    pub splits: Vec<Split>,
    /// Also make maps by covering parts of the image: slow, and independent of how the model is built.
    pub occlusion: bool,
    /// How intervals are made.
    pub resampling: Resampling,
}

/// What [`maps`] finds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Maps {
    /// The model and the films.
    #[serde(flatten)]
    pub subject: Subject,
    /// Rows and columns of a map.
    pub grid: [usize; 2],
    /// One for every finding with boxes on these films.
    pub findings: Vec<FindingMaps>,
    /// Labels of boxes that are no class of the model, with the number of boxes.
    pub other_labels: BTreeMap<String, usize>,
    /// Boxes on films that were not chosen.
    pub boxes_elsewhere: usize,
    /// Largest difference between the mean of a map and the score that it accounts for.
    pub incompleteness: f64,
}

/// The pointing game of every finding that has boxes: the share of films on which the highest place of the class's map lies in a
/// box, compared with what the best fixed point reaches without any image.
///
/// # Errors
/// [`MapsError`] when films or boxes cannot be used, or the model has no maps.
pub fn maps(
    evaluator: &Evaluator,
    options: &MapsOptions,
    observer: &mut dyn Observer,
) -> Result<Maps, MapsError> {
    let read = read_boxes(&options.boxes);
    let mut boxes = read.map_err(|source| MapsError::Boxes { path: options.boxes.clone(), source })?;
    let wanted = &options.annotators;
    boxes.retain(|each| wanted.is_empty() || wanted.contains(&each.annotator));
    let chosen = evaluator.chosen("evaluation", &options.splits)?;
    let classes = findings_of(evaluator.model().bundle().bank());

    let mut other_labels: BTreeMap<String, usize> = BTreeMap::new();
    let mut of_film: BTreeMap<&Path, Vec<(Finding, &MarkedBox)>> = BTreeMap::new();
    for each in &boxes {
        match Finding::from_name(&each.label).filter(|finding| classes.contains(finding)) {
            Some(finding) => of_film.entry(&each.path).or_default().push((finding, each)),
            None => *other_labels.entry(each.label.clone()).or_default() += 1,
        }
    }
    let marked: Vec<&Record> =
        chosen.into_iter().filter(|record| of_film.contains_key(record.path.as_path())).collect();
    if marked.is_empty() {
        return Err(MapsError::NoBox { path: options.boxes.clone() });
    }
    let reader = Reader::new(evaluator, options.occlusion);
    let boxes = |record: &Record| of_film.get(record.path.as_path()).map_or(&[][..], Vec::as_slice);
    let on_films: usize = marked.iter().map(|record| boxes(record).len()).sum();
    let boxes_elsewhere = of_film.values().map(Vec::len).sum::<usize>() - on_films;
    let done = each_film(evaluator.films(), &marked, evaluator.threads(), observer, |record| {
        reader.read(record, boxes(record))
    })?;
    let (records, films): (Vec<&Record>, Vec<MappedFilm<'_>>) = done.into_iter().unzip();
    let grid = films.iter().flat_map(|film| &film.maps).map(|each| [each.map.rows, each.map.columns]).next();
    let findings = Finding::ALL.into_iter().filter(|finding| classes.contains(finding));
    let findings =
        findings.filter_map(|finding| FindingMaps::of(finding, &films, options.resampling).transpose());
    Ok(Maps {
        subject: evaluator.subject_of(&records, marked.len() - records.len(), options.resampling),
        grid: grid.unwrap_or_default(),
        findings: findings.collect::<Result<_, _>>()?,
        other_labels,
        boxes_elsewhere,
        incompleteness: films.iter().map(|film| film.incompleteness).fold(0.0, f64::max),
    })
}
