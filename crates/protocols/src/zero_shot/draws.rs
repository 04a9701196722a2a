//! Figures as means over draws of prompts.

use medclip_stats::{Ranks, Setting};

use super::prompts::Prompts;
use crate::embed::EmbeddedFilms;
use crate::error::EvaluationError;
use crate::evaluator::Evaluator;
use crate::logits::{findings, logits};
use crate::members::{Figure, Members};
use crate::ranking::{Figures, FindingFigures, mean, prevalence};
use crate::resampling::Resampling;

impl Figures<Figure> {
    /// Every figure as its mean over the draws, with the interval by patient of that mean.
    pub(super) fn of_draws(
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
            FindingFigures {
                name: finding.name(),
                positives,
                negatives,
                prevalence: prevalence(positives, negatives),
                auroc: each(&area, column),
                average_precision: each(&precision, column),
            }
        });
        let findings: Vec<FindingFigures<Figure>> = findings.collect();
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
