//! One finding among several: accuracy on equally many films of each, as on the paper's CheXpert-5x200.

use std::num::NonZeroUsize;

use medclip_core::{Finding, PromptBank};
use medclip_stats::{ConfusionMatrix, argmax};
use serde::{Deserialize, Serialize};

use super::error::BalanceError;
use super::prompts::Prompts;
use crate::choice::Choices;
use crate::embed::EmbeddedFilms;
use crate::error::EvaluationError;
use crate::evaluator::Evaluator;
use crate::exclusive::{draw, only_class};
use crate::members::Figure;
use crate::resampling::Resampling;

/// A choice among findings on a balanced set.
///
/// A film counts as a finding's where that one is annotated present and every other one of the classes absent. Where one of them
/// has fewer films, all have as many as it has. The choice is the class with the largest logit of its positive prompts, the first
/// of equals.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BalancedOptions {
    /// Films of each class.
    pub per_class: NonZeroUsize,
    /// The classes; an empty list stands for the five of CheXpert-5x200.
    #[serde(default)]
    pub classes: Vec<Finding>,
}

/// How often the right one of several findings was chosen.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BalancedAccuracy {
    /// Films of each class that were asked for.
    pub asked_per_class: usize,
    /// Films of each class that there were.
    pub per_class: usize,
    /// Accuracy of choices at random.
    pub chance: f64,
    /// Share of right choices.
    pub accuracy: Option<Figure>,
    /// One for every class.
    pub classes: Vec<ClassRecall>,
    /// `[actual][chosen]`, in the order of `classes`; summed over draws of prompts.
    pub confusion: ConfusionMatrix,
    /// Draws of prompts.
    pub draws: usize,
}

/// How often films of one class were recognized.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClassRecall {
    /// The class.
    pub name: &'static str,
    /// Films with this finding alone.
    pub available: usize,
    /// Share of its films for which it was chosen.
    pub recall: Option<Figure>,
}

impl BalancedAccuracy {
    /// Chooses one of `classes` for films drawn from those that show one of them alone.
    pub(super) fn of(
        (asked_per_class, classes): (usize, &[Finding]),
        prompts: &Prompts,
        evaluator: &Evaluator,
        embedded: &EmbeddedFilms<'_>,
        resampling: Resampling,
    ) -> Result<Self, BalanceError> {
        let available: Vec<Vec<usize>> =
            classes.iter().map(|finding| alone(*finding, classes, embedded)).collect();
        let fewest = classes.iter().zip(&available).min_by_key(|(_, films)| films.len());
        let (rarest, fewest) = fewest.ok_or_else(|| EvaluationError::TooFewClasses { got: String::new() })?;
        if fewest.is_empty() {
            return Err(BalanceError::NoFilm { finding: rarest.name() });
        }
        let per_class = asked_per_class.min(fewest.len());
        let drawn = available.iter().map(|films| draw(films, per_class, &embedded.records, resampling.seed));
        let (rows, actual): (Vec<usize>, Vec<usize>) =
            drawn.enumerate().flat_map(|(class, rows)| rows.into_iter().map(move |row| (row, class))).unzip();

        let chosen =
            prompts.banks.iter().map(|bank| choose(bank, classes, &rows, prompts, evaluator, embedded));
        let chosen: Vec<Vec<usize>> = chosen.collect::<Result<_, _>>()?;
        let patients = rows.iter().map(|row| embedded.records[*row].patient_group.as_str()).collect();
        let choices = Choices { classes: classes.len(), actual, chosen, patients };
        let found = choices.figures(resampling)?;
        let of_class = |(class, finding): (usize, &Finding)| ClassRecall {
            name: finding.name(),
            available: available[class].len(),
            recall: found.recalls[class].clone(),
        };
        Ok(Self {
            asked_per_class,
            per_class,
            chance: 1.0 / classes.len() as f64,
            classes: classes.iter().enumerate().map(of_class).collect(),
            accuracy: found.accuracy,
            confusion: choices.confusion(),
            draws: choices.chosen.len(),
        })
    }
}

/// Films that show `finding` and no other of `classes`.
fn alone(finding: Finding, classes: &[Finding], embedded: &EmbeddedFilms<'_>) -> Vec<usize> {
    let records = embedded.records.iter().enumerate();
    records.filter(|(_, record)| only_class(record, classes) == Some(finding)).map(|(row, _)| row).collect()
}

/// Where the classes are in `bank`.
///
/// # Errors
/// [`BalanceError::NoPrompts`] for the first that it lacks.
pub(super) fn columns(bank: &PromptBank, classes: &[Finding]) -> Result<Vec<usize>, BalanceError> {
    let place = |finding: &Finding| {
        let found = bank.classes().iter().position(|class| class.name == finding.name());
        found.ok_or(BalanceError::NoPrompts { finding: finding.name() })
    };
    classes.iter().map(place).collect()
}

/// The class that the positive prompts of `bank` choose for each film.
fn choose(
    bank: &PromptBank,
    classes: &[Finding],
    rows: &[usize],
    prompts: &Prompts,
    evaluator: &Evaluator,
    embedded: &EmbeddedFilms<'_>,
) -> Result<Vec<usize>, BalanceError> {
    let columns = columns(bank, classes)?;
    let scale = evaluator.model().bundle().logit_scale();
    let choice = |row: &usize| {
        let logits = bank.positive_logits(&embedded.embeddings[*row], scale, prompts.pooling);
        let of_classes: Vec<f32> = columns.iter().map(|column| logits[*column]).collect();
        argmax(&of_classes).ok_or(BalanceError::NotANumber)
    };
    rows.iter().map(choice).collect()
}
