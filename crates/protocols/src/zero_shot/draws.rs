//! Figures as means over draws of prompts.

use medclip_stats::{Ranks, Setting};
use serde::Serialize;

use super::prompts::Prompts;
use crate::embed::EmbeddedFilms;
use crate::error::EvaluationError;
use crate::evaluator::Evaluator;
use crate::headline::LeftOut;
use crate::logits::{findings, logits};
use crate::members::{Figure, Members};
use crate::ranking::{mean, prevalence};
use crate::resampling::Resampling;

/// AUROC and average precision of every finding over draws, and their means.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DrawnFigures {
    /// One for every finding that is scored.
    pub findings: Vec<DrawnFinding>,
    /// The headline findings that are defined here: those the means are over.
    pub headline: Vec<&'static str>,
    /// The headline findings that are not.
    pub left_out: Vec<LeftOut>,
    /// The mean average precision of scores at random.
    pub macro_prevalence: Option<f64>,
    /// Mean AUROC of the headline findings.
    pub macro_auroc: Option<Figure>,
    /// Mean average precision of the headline findings.
    pub macro_average_precision: Option<Figure>,
}

/// How well scores rank the films annotated for one finding, over draws.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DrawnFinding {
    /// The finding.
    pub name: &'static str,
    /// Films that have it.
    pub positives: usize,
    /// Films that do not.
    pub negatives: usize,
    /// Share of the annotated films that are positive: the average precision of scores at random.
    pub prevalence: Option<f64>,
    /// Area under the ROC curve; `None` without films of both outcomes.
    pub auroc: Option<Figure>,
    /// Average precision; `None` without films of both outcomes.
    pub average_precision: Option<Figure>,
}

impl DrawnFigures {
    /// Every figure as its mean over the draws, with the interval by patient of that mean.
    pub(super) fn of(
        prompts: &Prompts,
        evaluator: &Evaluator,
        embedded: &EmbeddedFilms<'_>,
        resampling: Resampling,
    ) -> Result<Self, EvaluationError> {
        let scale = evaluator.model().bundle().logit_scale();
        let draws: Vec<Vec<Vec<f32>>> = prompts
            .banks
            .iter()
            .map(|bank| logits(bank, scale, prompts.pooling, &embedded.embeddings))
            .collect();
        let findings = prompts.banks.first().map(findings).unwrap_or_default();
        let members = Members::new(findings, &[draws], &embedded.records);
        let area = members.intervals(resampling, Ranks::auroc)?;
        let precision = members.intervals(resampling, Ranks::average_precision)?;
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
}
