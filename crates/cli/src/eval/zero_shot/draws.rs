//! Figures as means over draws of prompts.

use std::io::{self, Write};

use medclip_stats::{Averaged, Ranks, Setting};
use serde::Serialize;

use super::prompts::Prompts;
use crate::eval::cells::{self, LeftOut};
use crate::eval::films::{Embedded, Films, ReportArgs};
use crate::eval::logits::{findings, logits};
use crate::eval::members::{Figure, Members};
use crate::eval::ranking::{mean, prevalence};

/// AUROC and average precision of every finding over draws, and their means.
#[derive(Debug, Serialize)]
pub(super) struct DrawnFigures {
    findings: Vec<DrawnFinding>,
    /// The headline findings that are defined here: those the means are over.
    headline: Vec<&'static str>,
    /// The headline findings that are not.
    left_out: Vec<LeftOut>,
    macro_prevalence: Option<f64>,
    macro_auroc: Option<Figure>,
    macro_average_precision: Option<Figure>,
}

#[derive(Debug, Serialize)]
struct DrawnFinding {
    name: &'static str,
    positives: usize,
    negatives: usize,
    prevalence: Option<f64>,
    auroc: Option<Figure>,
    average_precision: Option<Figure>,
}

impl DrawnFigures {
    /// Every figure as its mean over the draws, with the interval by patient of that mean.
    pub(super) fn of(
        prompts: &Prompts,
        films: &Films,
        embedded: &Embedded<'_>,
        args: &ReportArgs,
    ) -> anyhow::Result<Self> {
        let scale = films.model.bundle().logit_scale();
        let draws: Vec<Vec<Vec<f32>>> = prompts
            .banks
            .iter()
            .map(|bank| logits(bank, scale, prompts.pooling, &embedded.embeddings))
            .collect();
        let findings = prompts.banks.first().map(findings).unwrap_or_default();
        let members = Members::new(findings, &[draws], &embedded.records);
        let area = members.intervals(args, Ranks::auroc)?;
        let precision = members.intervals(args, Ranks::average_precision)?;
        let each = |settings: &[Setting], column: usize| -> Option<Figure> {
            settings.first()?.each.get(column)?.clone().map(Figure::from)
        };
        let findings = members.findings().iter().enumerate().map(|(column, finding)| {
            let (positives, negatives) = members.class_counts(column);
            DrawnFinding {
                name: finding.name(),
                positives,
                negatives,
                prevalence: prevalence(positives, negatives),
                auroc: each(&area, column),
                average_precision: each(&precision, column),
            }
        });
        let findings: Vec<DrawnFinding> = findings.collect();
        let headline = members.headline(&area);
        let of_headline = findings.iter().filter(|finding| headline.contains(&finding.name));
        let macro_of = |settings: &[Setting]| settings.first()?.mean.clone().map(Figure::from);
        Ok(Self {
            macro_prevalence: mean(of_headline.filter_map(|finding| finding.prevalence)),
            macro_auroc: macro_of(&area),
            macro_average_precision: macro_of(&precision),
            left_out: members.left_out(&headline),
            headline,
            findings,
        })
    }

    pub(super) fn write_markdown(&self, out: &mut impl Write) -> io::Result<()> {
        writeln!(
            out,
            "Mean ± standard deviation over draws, and the 95 % interval by patient of that mean.\n"
        )?;
        writeln!(out, "| finding | positives | negatives | AUROC | average precision | by chance |")?;
        writeln!(out, "|---|--:|--:|--:|--:|--:|")?;
        for DrawnFinding { name, positives, negatives, prevalence, auroc, average_precision } in
            &self.findings
        {
            let (area, precision) = (cell(auroc.as_ref()), cell(average_precision.as_ref()));
            let chance = cells::number(*prevalence);
            writeln!(out, "| {name} | {positives} | {negatives} | {area} | {precision} | {chance} |")?;
        }
        let (area, precision) =
            (cell(self.macro_auroc.as_ref()), cell(self.macro_average_precision.as_ref()));
        let (names, chance) = (self.headline.join(", "), cells::number(self.macro_prevalence));
        writeln!(out, "| **mean of {names}** | | | **{area}** | **{precision}** | **{chance}** |")?;
        let draws = |averaged: &Averaged| {
            averaged.members.iter().map(|value| format!("{value:.3}")).collect::<Vec<_>>().join(", ")
        };
        if let Some(figure) = &self.macro_auroc {
            writeln!(out, "\nMean AUROC of each draw: {}.", draws(&figure.averaged))?;
        }
        writeln!(
            out,
            "By chance: the average precision of scores at random, which is the share of positives."
        )?;
        let each = self.findings.iter().flat_map(|finding| {
            [(finding.name, finding.auroc.as_ref()), (finding.name, finding.average_precision.as_ref())]
        });
        let means = [self.macro_auroc.as_ref(), self.macro_average_precision.as_ref()];
        let figures = each.chain(means.map(|mean| ("the mean", mean)));
        let intervals = figures.map(|(name, figure)| (name, figure.map(|figure| &figure.averaged.interval)));
        for note in
            [cells::left_out_note(&self.left_out), cells::no_interval_note(intervals)].iter().flatten()
        {
            writeln!(out, "{note}")?;
        }
        Ok(())
    }
}

fn cell(figure: Option<&Figure>) -> String {
    cells::averaged(figure.map(|figure| &figure.averaged))
}
