//! How well a model does on annotated films by prompts alone.

mod balanced;
mod draws;
mod error;
mod prompts;
mod sheet;

use medclip_core::Finding;
use medclip_data::Split;
use serde::{Deserialize, Serialize};

use crate::charts::{self, Chart};
use crate::embed::EmbeddedFilms;
use crate::evaluator::{Evaluator, Subject};
use crate::exclusive;
use crate::logits::{findings, logits};
use crate::members::Figure;
use crate::observer::Observer;
use crate::ranking::{Figures, Ranking};
use crate::resampling::Resampling;

pub use balanced::{BalancedAccuracy, BalancedOptions, ClassRecall};
pub use error::{BalanceError, ZeroShotError};
pub use prompts::{DrawNote, DrawOptions, PromptNote, PromptOptions};

pub(crate) use prompts::drawn;
pub(crate) use sheet::of_prompts;

use prompts::Prompts;

/// How [`zero_shot`] evaluates.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ZeroShotOptions {
    /// Only films of these splits; an empty list takes all.
    pub splits: Vec<Split>,
    /// Which prompts stand for the classes.
    pub prompts: PromptOptions,
    /// Also choose one of several findings, on equally many films of each.
    pub balanced: Option<BalancedOptions>,
    /// Draw charts of one ensemble of prompts; there are none of draws.
    pub charts: bool,
    /// How intervals are made.
    pub resampling: Resampling,
}

/// What [`zero_shot`] finds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ZeroShot {
    /// The model and the films.
    #[serde(flatten)]
    pub subject: Subject,
    /// `None` where the bundle's own prompts are evaluated as they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompts: Option<PromptNote>,
    /// How well scores rank the films.
    #[serde(flatten)]
    pub ranked: Ranked,
    /// `None` where no choice was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub balanced: Option<BalancedAccuracy>,
    /// The charts that were asked for.
    #[serde(skip)]
    pub charts: Vec<Chart>,
}

/// Figures of one ensemble of prompts, or of several draws.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Ranked {
    /// One ensemble.
    Once(Figures),
    /// Means over draws.
    Drawn(Figures<Figure>),
}

/// AUROC and average precision of every finding from prompts alone, with bootstrap intervals by patient.
///
/// # Errors
/// [`ZeroShotError`] when films or prompts cannot be used, a class cannot be balanced, or a chart cannot be drawn.
pub fn zero_shot(
    evaluator: &Evaluator,
    options: &ZeroShotOptions,
    observer: &mut dyn Observer,
) -> Result<ZeroShot, ZeroShotError> {
    let resampling = options.resampling;
    let wanted = options.balanced.as_ref().map(balanced_classes).transpose()?;
    let set = options.prompts.read()?;
    let chosen = evaluator.chosen("evaluation", &options.splits)?;
    let prompts = options.prompts.embed(set, evaluator, resampling.seed, observer)?;
    // Known before minutes of embedding.
    if let (Some((_, classes)), Some(bank)) = (&wanted, prompts.banks.first()) {
        balanced::columns(bank, classes)?;
    }
    let embedded = evaluator.embed(&chosen, observer)?;
    let subject = evaluator.subject(&embedded, resampling);
    let mut drawn_charts = Vec::new();
    let ranked = if options.prompts.draws.is_some() {
        Ranked::Drawn(Figures::of_draws(&prompts, evaluator, &embedded, resampling)?)
    } else {
        let ranking = rank(evaluator, &prompts, &embedded);
        let figures = ranking.figures(resampling)?;
        if options.charts {
            let title = format!("{}, zero-shot by prompts", subject.model);
            drawn_charts = charts::of_scores(&title, &ranking, &figures, &embedded.embeddings)?;
        }
        Ranked::Once(figures)
    };
    let balance = |(count, classes): &(usize, Vec<Finding>)| {
        BalancedAccuracy::of((*count, classes), &prompts, evaluator, &embedded, resampling)
    };
    let balanced = wanted.as_ref().map(balance).transpose()?;
    Ok(ZeroShot { subject, prompts: prompts.note, ranked, balanced, charts: drawn_charts })
}

/// What is to be balanced: films of each class, and the classes.
fn balanced_classes(options: &BalancedOptions) -> Result<(usize, Vec<Finding>), BalanceError> {
    Ok((options.per_class.get(), exclusive::classes(&options.classes)?))
}

/// Scores of every film by the first bank, for the classes that are findings.
fn rank<'a>(evaluator: &Evaluator, prompts: &Prompts, embedded: &EmbeddedFilms<'a>) -> Ranking<'a> {
    let scale = evaluator.model().bundle().logit_scale();
    let bank = prompts.banks.first();
    let scores = bank.map(|bank| logits(bank, scale, prompts.pooling, &embedded.embeddings));
    Ranking::new(bank.map(findings).unwrap_or_default(), scores.unwrap_or_default(), &embedded.records)
}
