//! Image → its own report, and the sentences reports have.

use std::collections::{BTreeMap, BTreeSet};

use medclip_core::{Certainty, Finding};
use medclip_data::{LabelPolicy, Record, ReportRow, SentenceConfig, SentencePool};
use medclip_labeler::Labeler;
use medclip_stats::{Interval, Rank, bootstrap_ci, median};
use serde::Serialize;

use super::RetrievalError;
use super::classes::ClassSentences;
use super::similarity::{mean_direction, similarity};
use crate::embed::EmbeddedFilms;
use crate::evaluator::Evaluator;
use crate::observer::Observer;
use crate::resampling::{LEVEL, Resampling};

/// Candidates looked at.
const DEPTHS: [usize; 3] = [1, 5, 10];

/// The reports of films, as distinct sentences.
pub(super) struct Reports {
    pool: SentencePool,
    /// Sentences of each distinct report, indices into the pool.
    candidates: Vec<Vec<usize>>,
    /// The candidate that is each film's own.
    own: Vec<Option<usize>>,
    /// Films whose report has no sentence to read.
    illegible: usize,
}

/// How often an image finds its own report.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OwnReports {
    /// Films with a report.
    pub queries: usize,
    /// Distinct reports.
    pub candidates: usize,
    /// Films whose report has no legible sentence, which are no queries.
    pub illegible: usize,
    /// One a depth.
    pub recall: Vec<RecallAt>,
    /// Median over films of the rank of the own report, from 1.
    pub median_rank: Interval,
}

/// Share of the films whose own report is among the nearest `k`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct RecallAt {
    /// Reports looked at.
    pub k: usize,
    /// Recall of reports at random.
    pub chance: f64,
    /// The share.
    pub recall: Interval,
}

impl Reports {
    /// The reports of `records`: a row's own text, or else the one of `rows` whose id is its patient.
    ///
    /// Sentences are those training would read: without the sections that say what was asked, and without fragments.
    /// Reports of the same sentences are one candidate.
    pub(super) fn of(records: &[&Record], rows: &[ReportRow]) -> Self {
        let by_id: BTreeMap<&str, &str> =
            rows.iter().map(|row| (row.id.as_str(), row.text.as_str())).collect();
        let text_of = |record: &Record| -> Option<String> {
            let text = record.text.as_deref().or_else(|| by_id.get(record.patient_id.as_str()).copied());
            text.map(str::to_owned)
        };
        let texts: Vec<Option<String>> = records.iter().map(|record| text_of(record)).collect();
        let labeler = Labeler::new();
        let labeled = texts
            .iter()
            .map(|text| text.as_ref().map_or_else(Vec::new, |text| labeler.report(text).sentences));
        let config = SentenceConfig { keep_unlabeled: true, ..SentenceConfig::default() };
        let pool = SentencePool::new(labeled, [], &config, &LabelPolicy::default());

        let mut candidates = Vec::new();
        let mut index_of = BTreeMap::new();
        let mut illegible = 0;
        let own = texts.iter().enumerate().map(|(film, text)| {
            text.as_ref()?;
            let said: Vec<usize> =
                pool.of_report(film).iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
            if said.is_empty() {
                illegible += 1;
                return None;
            }
            Some(*index_of.entry(said.clone()).or_insert_with(|| {
                candidates.push(said);
                candidates.len() - 1
            }))
        });
        let own = own.collect();
        Self { pool, candidates, own, illegible }
    }

    /// True when no film has a report that can be read.
    pub(super) fn is_empty(&self) -> bool {
        self.candidates.is_empty()
    }

    /// Sentences that affirm one of the classes and neither affirm nor suspect another.
    pub(super) fn sentences_by_class(&self, classes: &[Finding]) -> Vec<ClassSentences> {
        let only = |finding: Finding| {
            let sentences = self.pool.sentences().iter().filter(|sentence| {
                classes.iter().all(|&class| match sentence.labels[class] {
                    Certainty::Positive => class == finding,
                    Certainty::Uncertain => false,
                    Certainty::Negative | Certainty::Unmentioned => class != finding,
                })
            });
            sentences.map(|sentence| sentence.text.clone()).collect()
        };
        classes.iter().map(|&finding| ClassSentences { finding, sentences: only(finding) }).collect()
    }

    /// Ranks every film's own report among all.
    pub(super) fn retrieve(
        &self,
        evaluator: &Evaluator,
        embedded: &EmbeddedFilms<'_>,
        resampling: Resampling,
        observer: &mut dyn Observer,
    ) -> Result<OwnReports, RetrievalError> {
        let texts: Vec<&str> = self.pool.sentences().iter().map(|sentence| sentence.text.as_str()).collect();
        let sentences = evaluator.embed_sentences(&texts, observer)?;
        let reports: Vec<Vec<f32>> =
            self.candidates.iter().map(|said| mean_direction(said, &sentences)).collect();
        let (mut ranks, mut patients) = (Vec::new(), Vec::new());
        for ((image, own), patient) in embedded.embeddings.iter().zip(&self.own).zip(embedded.patients()) {
            let rank = own.and_then(|own| Rank::of(&similarity(image, &reports), own));
            if let Some(rank) = rank {
                ranks.push(rank);
                patients.push(patient);
            }
        }
        let interval = |statistic: &dyn Fn(&[Rank]) -> Option<f64>| {
            let of = |rows: &[usize]| statistic(&rows.iter().map(|row| ranks[*row]).collect::<Vec<_>>());
            bootstrap_ci(&patients, of, resampling.resamples, LEVEL, resampling.seed)
        };
        let mut recall = Vec::new();
        for k in DEPTHS {
            let share = |ranks: &[Rank]| {
                Some(ranks.iter().map(|rank| rank.within(k)).sum::<f64>() / ranks.len() as f64)
            };
            let chance = k.min(reports.len()) as f64 / reports.len() as f64;
            recall.push(RecallAt { k, chance, recall: interval(&share)? });
        }
        let middle = |ranks: &[Rank]| median(&ranks.iter().map(|rank| rank.expected()).collect::<Vec<_>>());
        Ok(OwnReports {
            queries: ranks.len(),
            candidates: reports.len(),
            illegible: self.illegible,
            recall,
            median_rank: interval(&middle)?,
        })
    }
}
