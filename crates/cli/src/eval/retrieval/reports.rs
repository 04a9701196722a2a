//! Image → its own report, and the sentences reports have.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use medclip_core::{Certainty, Finding};
use medclip_data::{LabelPolicy, Record, ReportRow, SentenceConfig, SentencePool};
use medclip_labeler::Labeler;
use medclip_stats::{Interval, Rank, bootstrap_ci, median};
use serde::Serialize;

use super::classes::ClassSentences;
use crate::eval::cells;
use crate::eval::films::{Embedded, Films, ReportArgs};

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
#[derive(Debug, Serialize)]
pub(super) struct OwnReports {
    queries: usize,
    /// Distinct reports.
    candidates: usize,
    /// Images whose report has no legible sentence, which are no queries.
    illegible: usize,
    recall: Vec<AtDepth>,
    median_rank: Interval,
}

#[derive(Debug, Serialize)]
struct AtDepth {
    k: usize,
    chance: f64,
    recall: Interval,
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
        let labelled = texts
            .iter()
            .map(|text| text.as_ref().map_or_else(Vec::new, |text| labeler.report(text).sentences));
        let config = SentenceConfig { keep_unlabelled: true, ..SentenceConfig::default() };
        let pool = SentencePool::new(labelled, [], &config, &LabelPolicy::default());

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
        films: &Films,
        embedded: &Embedded<'_>,
        args: &ReportArgs,
    ) -> anyhow::Result<OwnReports> {
        let texts: Vec<&str> = self.pool.sentences().iter().map(|sentence| sentence.text.as_str()).collect();
        let sentences = films.embed_sentences(&texts)?;
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
            bootstrap_ci(&patients, of, args.resamples, 0.95, args.seed)
        };
        let mut recall = Vec::new();
        for k in DEPTHS {
            let share = |ranks: &[Rank]| {
                Some(ranks.iter().map(|rank| rank.within(k)).sum::<f64>() / ranks.len() as f64)
            };
            let chance = k.min(reports.len()) as f64 / reports.len() as f64;
            recall.push(AtDepth { k, chance, recall: interval(&share)? });
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

/// Cosine of an image with every candidate; all have length 1.
pub(super) fn similarity(image: &[f32], candidates: &[Vec<f32>]) -> Vec<f32> {
    candidates.iter().map(|row| row.iter().zip(image).map(|(a, b)| a * b).sum()).collect()
}

/// Direction of the mean of these rows.
fn mean_direction(rows: &[usize], embeddings: &[Vec<f32>]) -> Vec<f32> {
    let mut sum = vec![0.0_f32; embeddings.first().map_or(0, Vec::len)];
    for row in rows {
        for (total, value) in sum.iter_mut().zip(&embeddings[*row]) {
            *total += value;
        }
    }
    let norm = sum.iter().map(|value| value * value).sum::<f32>().sqrt();
    sum.iter().map(|value| value / norm).collect()
}

impl OwnReports {
    pub(super) fn write_markdown(&self, out: &mut impl Write) -> io::Result<()> {
        let Self { queries, candidates, illegible, recall, median_rank } = self;
        writeln!(
            out,
            "\nImage → its own report: {queries} images, {candidates} distinct reports of theirs,"
        )?;
        writeln!(out, "{illegible} images left out whose report has no legible sentence.\n")?;
        writeln!(out, "| | value (95 % CI) | chance |\n|---|--:|--:|")?;
        for AtDepth { k, chance, recall } in recall {
            writeln!(out, "| R@{k} | {} | {chance:.3} |", cells::interval(Some(recall)))?;
        }
        let (estimate, ends) = (median_rank.estimate, cells::ends(median_rank, 1));
        let chance = f64::midpoint(*candidates as f64, 1.0);
        writeln!(out, "| median rank | {estimate:.1} ({ends}) | {chance:.1} |")?;
        let note = cells::no_interval_note([("the median rank", Some(median_rank))]);
        note.map_or(Ok(()), |note| writeln!(out, "\n{note}"))
    }
}
