//! What several readers say of each film.

use std::collections::{BTreeMap, BTreeSet};

use medclip_core::Finding;

use crate::manifest::Annotation;
use crate::prepare::error::SourcePlace;

/// A film as its readers together have it.
pub(super) struct Vote {
    pub(super) film: String,
    pub(super) origin: SourcePlace,
    pub(super) annotations: [Annotation; Finding::COUNT],
    /// Labels that any reader gave, in the order of their names.
    pub(super) labels: Vec<&'static str>,
}

/// Labels of every film and reader.
pub(super) struct Readers {
    covered: [bool; Finding::COUNT],
    /// In the order of the table.
    films: Vec<(String, SourcePlace)>,
    said: BTreeMap<String, BTreeMap<String, Said>>,
}

/// What one reader says of one film.
struct Said {
    origin: SourcePlace,
    labels: BTreeSet<&'static str>,
    findings: BTreeSet<Finding>,
}

impl Readers {
    /// Nothing said yet, of the findings that the labels can say something about.
    pub(super) fn new(covered: impl IntoIterator<Item = Finding>) -> Self {
        let mut flags = [false; Finding::COUNT];
        for finding in covered {
            flags[finding.index()] = true;
        }
        Self { covered: flags, films: Vec::new(), said: BTreeMap::new() }
    }

    /// Notes that a reader looked at a film.
    ///
    /// # Errors
    /// Where that was noted already.
    pub(super) fn note(&mut self, film: &str, reader: &str, origin: SourcePlace) -> Result<(), SourcePlace> {
        let readers = self.said.entry(film.to_owned()).or_default();
        if readers.is_empty() {
            self.films.push((film.to_owned(), origin.clone()));
        }
        if let Some(said) = readers.get(reader) {
            return Err(said.origin.clone());
        }
        let said = Said { origin, labels: BTreeSet::new(), findings: BTreeSet::new() };
        readers.insert(reader.to_owned(), said);
        Ok(())
    }

    /// Notes a label of a reader who was noted; false where the reader gave it already.
    pub(super) fn say(
        &mut self,
        film: &str,
        reader: &str,
        label: &'static str,
        findings: &[Finding],
    ) -> bool {
        let Some(said) = self.said.get_mut(film).and_then(|readers| readers.get_mut(reader)) else {
            return false;
        };
        said.findings.extend(findings);
        said.labels.insert(label)
    }

    /// The films in the order of the table.
    pub(super) fn votes(self) -> impl Iterator<Item = Vote> {
        let Self { covered, films, said } = self;
        films.into_iter().map(move |(film, origin)| {
            let readers = said.get(&film);
            let count = |finding: Finding| {
                readers.map_or(0, |readers| {
                    readers.values().filter(|said| said.findings.contains(&finding)).count()
                })
            };
            let all = readers.map_or(0, BTreeMap::len);
            let annotations = Finding::ALL.map(|finding| match count(finding) {
                _ if !covered[finding.index()] => Annotation::NotAnnotated,
                0 => Annotation::Absent,
                votes if 2 * votes > all => Annotation::Present,
                _ => Annotation::Uncertain,
            });
            let labels: BTreeSet<&'static str> = readers
                .into_iter()
                .flat_map(BTreeMap::values)
                .flat_map(|said| &said.labels)
                .copied()
                .collect();
            Vote { film, origin, annotations, labels: labels.into_iter().collect() }
        })
    }
}
