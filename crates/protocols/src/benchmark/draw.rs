//! The films of a benchmark, drawn from a manifest.

use std::collections::{BTreeMap, BTreeSet};

use medclip_data::{Annotation, Record, Selection, Split};
use serde::Serialize;

use super::error::{BenchmarkError, Counts};
use super::{Benchmark, BenchmarkOptions};
use crate::exclusive::draw;
use crate::films::FilmSet;

/// Which films were drawn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct DrawnFilms {
    /// Films of each class.
    pub per_class: usize,
    /// Films of each class that there were to draw from.
    pub available: Counts,
    /// Films by part of the data.
    pub splits: BTreeMap<&'static str, usize>,
    /// Whether the manifest keeps uncertain labels. Without them a film with an uncertain finding cannot be told from one without.
    pub has_uncertain: bool,
}

/// Films of each class, drawn with the seed, in the manifest's order.
pub(super) fn films<'a>(
    set: &'a FilmSet,
    benchmark: Benchmark,
    options: &BenchmarkOptions,
) -> Result<(Vec<&'a Record>, DrawnFilms), BenchmarkError> {
    let source = benchmark.data_set().name();
    let chosen = set.chosen(benchmark.name(), &options.splits)?;
    let mut records: Vec<&Record> = chosen.into_iter().filter(|record| record.source == source).collect();
    if records.is_empty() {
        let manifest = set.manifest().to_owned();
        return Err(BenchmarkError::NoDataSet { manifest, benchmark, data_set: benchmark.data_set() });
    }
    let views = benchmark.views().iter().map(|view| (*view).to_owned()).collect();
    let seen = Selection { views, ..Selection::default() };
    records.retain(|record| seen.admits(record));
    let mut of_class = vec![Vec::new(); benchmark.classes().len()];
    for (row, record) in records.iter().enumerate() {
        if let Some(class) = benchmark.class_of(record) {
            of_class[class].push(row);
        }
    }
    let available = Counts(benchmark.classes().iter().copied().zip(of_class.iter().map(Vec::len)).collect());
    let per_class = options.per_class.map_or(benchmark.per_class(), Into::into);
    if of_class.iter().any(|rows| rows.len() < per_class) {
        let manifest = set.manifest().to_owned();
        return Err(BenchmarkError::TooFewFilms { manifest, benchmark, per_class, available });
    }
    let seed = options.resampling.seed;
    let drawn: BTreeSet<usize> =
        of_class.iter().flat_map(|rows| draw(rows, per_class, &records, seed)).collect();
    let films: Vec<&Record> = drawn.into_iter().map(|row| records[row]).collect();
    let mut splits = BTreeMap::new();
    for record in &films {
        *splits.entry(part(record.split)).or_default() += 1;
    }
    let has_uncertain = records.iter().any(|record| record.annotations.contains(&Annotation::Uncertain));
    Ok((films, DrawnFilms { per_class, available, splits, has_uncertain }))
}

const fn part(split: Split) -> &'static str {
    match split {
        Split::Train => "train",
        Split::Val => "val",
        Split::Test => "test",
    }
}
