//! Whether maps point at what radiologists marked.

mod error;
mod figures;
mod film;
mod occlusion;
mod sheet;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use medclip_core::Finding;
use medclip_data::{MarkedBox, Record, Split, read_boxes};
use serde::{Deserialize, Serialize};

use crate::embed::distinct_patients;
use crate::error::{EvaluationError, FilmError};
use crate::evaluator::{Evaluator, Subject};
use crate::observer::{Observer, Progress, Unit};
use crate::ordered::for_each_ordered;
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
/// box, beside what the best fixed point reaches without any image.
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
    let classes: BTreeSet<Finding> = evaluator
        .model()
        .bundle()
        .bank()
        .classes()
        .iter()
        .filter_map(|class| Finding::from_name(&class.name))
        .collect();

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
    let on_films: usize =
        marked.iter().filter_map(|record| of_film.get(record.path.as_path())).map(Vec::len).sum();
    let boxes_elsewhere = of_film.values().map(Vec::len).sum::<usize>() - on_films;

    let reader = Reader::new(evaluator, options.occlusion);
    let films = read_films(&reader, &marked, &of_film, observer)?;
    let grid = films.iter().flat_map(|film| &film.maps).map(|each| [each.map.rows, each.map.columns]).next();
    let subject = Subject {
        model: evaluator.model().name().to_owned(),
        bundle: evaluator.model().bundle().id().to_owned(),
        engine: evaluator.model().engine().name(),
        images: films.len(),
        patients: distinct_patients(films.iter().map(|film| film.record)),
        failed: marked.len() - films.len(),
        resamples: options.resampling.resamples,
        seed: options.resampling.seed,
    };
    let findings = Finding::ALL.into_iter().filter(|finding| classes.contains(finding));
    let findings =
        findings.filter_map(|finding| FindingMaps::of(finding, &films, options.resampling).transpose());
    Ok(Maps {
        subject,
        grid: grid.unwrap_or_default(),
        findings: findings.collect::<Result<_, _>>()?,
        other_labels,
        boxes_elsewhere,
        incompleteness: films.iter().map(|film| film.incompleteness).fold(0.0, f64::max),
    })
}

/// Maps of the films that have boxes; one that fails is told, counted and left out.
fn read_films<'a>(
    reader: &Reader<'_>,
    marked: &[&'a Record],
    boxes: &BTreeMap<&Path, Vec<(Finding, &MarkedBox)>>,
    observer: &mut dyn Observer,
) -> Result<Vec<MappedFilm<'a>>, MapsError> {
    observer.tell(Progress::Begin { unit: Unit::Images, count: marked.len() });
    let mut films = Vec::with_capacity(marked.len());
    let mut waiting = marked.iter();
    let work = |record: &'a Record| {
        let boxes = boxes.get(record.path.as_path()).map_or(&[][..], Vec::as_slice);
        reader.read(record, boxes)
    };
    for_each_ordered(marked.iter().copied(), reader.threads(), work, |result| {
        let record = *waiting.next().ok_or(EvaluationError::Fault("making maps"))?;
        observer.tell(Progress::Done(1));
        match result.unwrap_or_else(|_| Err(FilmError::Fault { path: record.path.clone() })) {
            Ok(film) => films.push(film),
            Err(error) => observer.tell(Progress::Failed(&error)),
        }
        Ok::<(), EvaluationError>(())
    })?;
    observer.tell(Progress::End);
    if films.is_empty() {
        let manifest = reader.manifest().to_owned();
        return Err(EvaluationError::NoFilm { manifest, count: marked.len() }.into());
    }
    Ok(films)
}
