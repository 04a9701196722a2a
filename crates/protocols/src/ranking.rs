//! How well scores rank films, finding by finding, with intervals by patient.

use medclip_core::Finding;
use medclip_data::Record;
use medclip_stats::{Interval, MacroIntervals, annotated, auroc, average_precision, bootstrap_macro};
use serde::Serialize;

use crate::error::EvaluationError;
use crate::headline::{self, HEADLINE, LeftOut};
use crate::resampling::{LEVEL, Resampling};

/// Scores of films and their annotations, both by finding.
pub(crate) struct Ranking<'a> {
    findings: Vec<Finding>,
    /// `[findings][films]`.
    scores: Vec<Vec<f32>>,
    /// `[findings][films]`; `None` where nobody looked.
    labels: Vec<Vec<Option<bool>>>,
    patients: Vec<&'a str>,
}

/// AUROC and average precision of every finding, and their means.
///
/// Figures are intervals, or means over draws ([`Figure`](crate::Figure)).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figures<V = Interval> {
    /// One for every finding that is scored.
    pub findings: Vec<FindingFigures<V>>,
    /// The headline findings that are defined here: those the means are over.
    pub headline: Vec<&'static str>,
    /// The headline findings that are not.
    pub left_out: Vec<LeftOut>,
    /// The mean average precision of scores at random.
    pub macro_prevalence: Option<f64>,
    /// Mean AUROC of the headline findings.
    pub macro_auroc: Option<V>,
    /// Mean average precision of the headline findings.
    pub macro_average_precision: Option<V>,
}

/// How well scores rank the films annotated for one finding.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FindingFigures<V = Interval> {
    /// The finding.
    pub name: &'static str,
    /// Films that have it.
    pub positives: usize,
    /// Films that do not.
    pub negatives: usize,
    /// Share of the annotated films that are positive: the average precision of scores at random.
    pub prevalence: Option<f64>,
    /// Area under the ROC curve; `None` without films of both outcomes.
    pub auroc: Option<V>,
    /// Average precision; `None` without films of both outcomes.
    pub average_precision: Option<V>,
}

impl<'a> Ranking<'a> {
    /// Scores `[findings][films]` of the films of `records`.
    pub(crate) fn new(findings: Vec<Finding>, scores: Vec<Vec<f32>>, records: &[&'a Record]) -> Self {
        let labels = findings
            .iter()
            .map(|finding| records.iter().map(|record| record.annotations[finding.index()].known()).collect())
            .collect();
        let patients = records.iter().map(|record| record.patient_group.as_str()).collect();
        Self { findings, scores, labels, patients }
    }

    /// What is ranked, in the order of columns.
    pub(crate) fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Scores of one finding, film by film.
    pub(crate) fn scores(&self, column: usize) -> &[f32] {
        &self.scores[column]
    }

    /// `[findings][films]`; `None` where nobody looked.
    pub(crate) fn labels(&self) -> &[Vec<Option<bool>>] {
        &self.labels
    }

    /// Scores and labels of one finding's annotated films.
    pub(crate) fn annotated(&self, column: usize) -> (Vec<f64>, Vec<bool>) {
        let all: Vec<usize> = (0..self.patients.len()).collect();
        annotated(&self.scores[column], &self.labels[column], &all)
    }

    /// Every figure with its interval.
    pub(crate) fn figures(&self, resampling: Resampling) -> Result<Figures, EvaluationError> {
        let area = self.intervals(resampling, auroc)?;
        // A finding that every film has would have an average precision of 1 and no AUROC.
        let precision = self.intervals(resampling, |scores, labels| {
            average_precision(scores, labels).filter(|_| labels.contains(&false))
        })?;
        let findings = self.findings.iter().enumerate().map(|(column, finding)| {
            let (_, labels) = self.annotated(column);
            let positives = labels.iter().filter(|present| **present).count();
            FindingFigures {
                name: finding.name(),
                positives,
                negatives: labels.len() - positives,
                prevalence: prevalence(positives, labels.len() - positives),
                auroc: area.0.each[column],
                average_precision: precision.0.each[column],
            }
        });
        let findings: Vec<FindingFigures> = findings.collect();
        let is_defined = |name: &&str| findings.iter().any(|f| f.name == *name && f.auroc.is_some());
        let headline: Vec<&str> = HEADLINE.iter().map(|finding| finding.name()).filter(is_defined).collect();
        let counts = |name: &str| {
            findings.iter().find(|finding| finding.name == name).map(|f| (f.positives, f.negatives))
        };
        let left_out = headline::left_out(&headline, counts);
        let of_headline = findings.iter().filter(|finding| headline.contains(&finding.name));
        Ok(Figures {
            macro_prevalence: mean(of_headline.filter_map(|finding| finding.prevalence)),
            headline,
            left_out,
            macro_auroc: area.1,
            macro_average_precision: precision.1,
            findings,
        })
    }

    /// A statistic of every finding, and its mean over the headline ones.
    fn intervals(
        &self,
        resampling: Resampling,
        statistic: impl Fn(&[f64], &[bool]) -> Option<f64>,
    ) -> Result<(MacroIntervals, Option<Interval>), EvaluationError> {
        let of = |column: usize, rows: &[usize]| {
            let (scores, labels) = annotated(&self.scores[column], &self.labels[column], rows);
            statistic(&scores, &labels)
        };
        let bootstrap = |columns: &[usize]| {
            let of_columns = |position: usize, rows: &[usize]| of(columns[position], rows);
            bootstrap_macro(
                &self.patients,
                columns.len(),
                of_columns,
                resampling.resamples,
                LEVEL,
                resampling.seed,
            )
        };
        let all: Vec<usize> = (0..self.findings.len()).collect();
        let place = |finding: &Finding| self.findings.iter().position(|other| other == finding);
        let headline: Vec<usize> = HEADLINE.iter().filter_map(place).collect();
        Ok((bootstrap(&all)?, bootstrap(&headline)?.mean))
    }
}

/// Share of positives; none of nothing.
pub(crate) fn prevalence(positives: usize, negatives: usize) -> Option<f64> {
    let films = positives + negatives;
    (films > 0).then(|| positives as f64 / films as f64)
}

/// Mean of at least one value.
pub(crate) fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0_usize), |(sum, count), value| (sum + value, count + 1));
    (count > 0).then(|| sum / count as f64)
}
