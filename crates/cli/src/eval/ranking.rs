//! How well scores rank films, finding by finding, with intervals by patient.

use std::io::{self, Write};

use medclip_core::Finding;
use medclip_data::Record;
use medclip_stats::{Interval, MacroIntervals, annotated, auroc, average_precision, bootstrap_macro};
use serde::Serialize;

use super::cells::{self, HEADLINE, LeftOut};
use super::films::ReportArgs;

/// Scores of films beside their annotations, both by finding.
pub(super) struct Ranking<'a> {
    findings: Vec<Finding>,
    /// `[findings][films]`.
    scores: Vec<Vec<f32>>,
    /// `[findings][films]`; `None` where nobody looked.
    labels: Vec<Vec<Option<bool>>>,
    patients: Vec<&'a str>,
}

/// AUROC and average precision of every finding, and their means.
#[derive(Debug, Serialize)]
pub(super) struct Figures {
    pub(super) findings: Vec<FindingFigures>,
    /// The headline findings that are defined here: those the means are over.
    pub(super) headline: Vec<&'static str>,
    /// The headline findings that are not.
    pub(super) left_out: Vec<LeftOut>,
    /// What the mean average precision of scores at random is.
    pub(super) macro_prevalence: Option<f64>,
    pub(super) macro_auroc: Option<Interval>,
    pub(super) macro_average_precision: Option<Interval>,
}

#[derive(Debug, Serialize)]
pub(super) struct FindingFigures {
    pub(super) name: &'static str,
    pub(super) positives: usize,
    pub(super) negatives: usize,
    /// Share of the annotated films that are positive: the average precision of scores at random.
    pub(super) prevalence: Option<f64>,
    pub(super) auroc: Option<Interval>,
    pub(super) average_precision: Option<Interval>,
}

impl<'a> Ranking<'a> {
    /// Scores `[findings][films]` of the films of `records`.
    pub(super) fn new(findings: Vec<Finding>, scores: Vec<Vec<f32>>, records: &[&'a Record]) -> Self {
        let labels = findings
            .iter()
            .map(|finding| records.iter().map(|record| record.annotations[finding.index()].known()).collect())
            .collect();
        let patients = records.iter().map(|record| record.patient_group.as_str()).collect();
        Self { findings, scores, labels, patients }
    }

    /// What is ranked, in the order of columns.
    pub(super) fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// `[findings][films]`; `None` where nobody looked.
    pub(super) fn labels(&self) -> &[Vec<Option<bool>>] {
        &self.labels
    }

    /// Scores and labels of one finding's annotated films.
    pub(super) fn annotated(&self, column: usize) -> (Vec<f64>, Vec<bool>) {
        let all: Vec<usize> = (0..self.patients.len()).collect();
        annotated(&self.scores[column], &self.labels[column], &all)
    }

    /// Every figure with its interval.
    pub(super) fn figures(&self, args: &ReportArgs) -> anyhow::Result<Figures> {
        let area = self.intervals(args, auroc)?;
        // A finding that every film has would have an average precision of 1 and no AUROC.
        let precision = self.intervals(args, |scores, labels| {
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
        let left_out = cells::left_out(&headline, counts);
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
        args: &ReportArgs,
        statistic: impl Fn(&[f64], &[bool]) -> Option<f64>,
    ) -> anyhow::Result<(MacroIntervals, Option<Interval>)> {
        let of = |column: usize, rows: &[usize]| {
            let (scores, labels) = annotated(&self.scores[column], &self.labels[column], rows);
            statistic(&scores, &labels)
        };
        let bootstrap = |columns: &[usize]| {
            let of_columns = |position: usize, rows: &[usize]| of(columns[position], rows);
            bootstrap_macro(&self.patients, columns.len(), of_columns, args.resamples, 0.95, args.seed)
        };
        let all: Vec<usize> = (0..self.findings.len()).collect();
        let place = |finding: &Finding| self.findings.iter().position(|other| other == finding);
        let headline: Vec<usize> = HEADLINE.iter().filter_map(place).collect();
        Ok((bootstrap(&all)?, bootstrap(&headline)?.mean))
    }
}

impl Figures {
    /// A row a finding, and the mean.
    pub(super) fn write_markdown(&self, out: &mut impl Write) -> io::Result<()> {
        writeln!(
            out,
            "| finding | positives | negatives | AUROC (95 % CI) | average precision (95 % CI) | by chance |"
        )?;
        writeln!(out, "|---|--:|--:|--:|--:|--:|")?;
        for finding in &self.findings {
            let FindingFigures { name, positives, negatives, prevalence, auroc, average_precision } = finding;
            let (area, precision) =
                (cells::interval(auroc.as_ref()), cells::interval(average_precision.as_ref()));
            let chance = cells::number(*prevalence);
            writeln!(out, "| {name} | {positives} | {negatives} | {area} | {precision} | {chance} |")?;
        }
        let area = cells::interval(self.macro_auroc.as_ref());
        let precision = cells::interval(self.macro_average_precision.as_ref());
        let (names, chance) = (self.headline.join(", "), cells::number(self.macro_prevalence));
        writeln!(out, "| **mean of {names}** | | | **{area}** | **{precision}** | **{chance}** |")?;
        writeln!(
            out,
            "\nBy chance: the average precision of scores at random, which is the share of positives."
        )?;
        let each = self.findings.iter().flat_map(|finding| {
            [(finding.name, finding.auroc.as_ref()), (finding.name, finding.average_precision.as_ref())]
        });
        let means = [self.macro_auroc.as_ref(), self.macro_average_precision.as_ref()];
        let figures = each.chain(means.map(|mean| ("the mean", mean)));
        for note in [cells::left_out_note(&self.left_out), cells::no_interval_note(figures)].iter().flatten()
        {
            writeln!(out, "{note}")?;
        }
        Ok(())
    }
}

/// Share of positives; none of nothing.
pub(super) fn prevalence(positives: usize, negatives: usize) -> Option<f64> {
    let films = positives + negatives;
    (films > 0).then(|| positives as f64 / films as f64)
}

/// Mean of at least one value.
pub(super) fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0_usize), |(sum, count), value| (sum + value, count + 1));
    (count > 0).then(|| sum / count as f64)
}
