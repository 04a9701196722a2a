//! What a model understands of sentences that deny a finding.
//!
//! A zero-shot score compares an image with sentences that affirm a finding and with others that deny it. A model can rank films
//! well by the first alone; whether it reads the second is seen only where they score alone.

mod sheet;

use medclip_data::Split;
use medclip_stats::{Interval, annotated, auroc, bootstrap_ci};
use serde::{Deserialize, Serialize};

use crate::error::EvaluationError;
use crate::evaluator::{Evaluator, Subject};
use crate::headline::HEADLINE;
use crate::logits::findings;
use crate::observer::Observer;
use crate::ranking::{Figures, Ranking, mean};
use crate::resampling::{LEVEL, Resampling};
use crate::side::Side;
use crate::zero_shot::{PromptNote, PromptOptions, ZeroShotError};

/// How [`negation`] evaluates.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NegationOptions {
    /// Only films of these splits; an empty list takes all.
    pub splits: Vec<Split>,
    /// Which prompts stand for the classes. Draws are not for this: the first is taken.
    pub prompts: PromptOptions,
    /// How intervals are made.
    pub resampling: Resampling,
}

/// What [`negation`] finds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Negation {
    /// The model and the films.
    #[serde(flatten)]
    pub subject: Subject,
    /// `None` where the bundle's own prompts are evaluated as they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompts: Option<PromptNote>,
    /// Films ranked by their similarity to the sentences that affirm (POS).
    pub positive: Figures,
    /// Films ranked by their dissimilarity to the sentences that deny (NEG).
    pub negative: Figures,
    /// Films ranked by the pair, as scores are (PNC).
    pub pair: Figures,
    /// NEG minus POS, of the mean AUROC of the headline findings, paired by patient.
    pub difference: Option<Interval>,
}

/// AUROC of every finding by sentences that affirm it, by sentences that deny it, and by both, with intervals by patient.
///
/// # Errors
/// [`ZeroShotError`] when films or prompts cannot be used.
pub fn negation(
    evaluator: &Evaluator,
    options: &NegationOptions,
    observer: &mut dyn Observer,
) -> Result<Negation, ZeroShotError> {
    let resampling = options.resampling;
    let set = options.prompts.read()?;
    let chosen = evaluator.chosen("evaluation", &options.splits)?;
    let prompts = options.prompts.embed(set, evaluator, resampling.seed, observer)?;
    let bank = prompts.banks.first().ok_or(EvaluationError::NoFinding)?;
    let embedded = evaluator.embed(&chosen, observer)?;
    let subject = evaluator.subject(&embedded, resampling);
    let ranking = |side: Side| {
        let scores = side.scores(bank, prompts.pooling, &embedded.embeddings);
        Ranking::new(findings(bank), scores, &embedded.records)
    };
    let [positive, negative, pair] = Side::ALL.map(ranking);
    Ok(Negation {
        subject,
        prompts: prompts.note,
        difference: difference(&positive, &negative, &embedded.patients(), resampling)?,
        positive: positive.figures(resampling)?,
        negative: negative.figures(resampling)?,
        pair: pair.figures(resampling)?,
    })
}

/// Mean AUROC of the headline findings by `negative`, minus that by `positive`.
fn difference(
    positive: &Ranking<'_>,
    negative: &Ranking<'_>,
    patients: &[&str],
    resampling: Resampling,
) -> Result<Option<Interval>, EvaluationError> {
    let columns = positive.findings().iter().enumerate().filter(|(_, finding)| HEADLINE.contains(finding));
    let columns: Vec<usize> = columns.map(|(column, _)| column).collect();
    let area = |ranking: &Ranking<'_>, rows: &[usize]| {
        let of = |column: &usize| {
            let (scores, labels) = annotated(ranking.scores(*column), &ranking.labels()[*column], rows);
            auroc(&scores, &labels)
        };
        mean(columns.iter().filter_map(of))
    };
    let statistic = |rows: &[usize]| Some(area(negative, rows)? - area(positive, rows)?);
    let all: Vec<usize> = (0..patients.len()).collect();
    if statistic(&all).is_none() {
        return Ok(None);
    }
    Ok(Some(bootstrap_ci(patients, statistic, resampling.resamples, LEVEL, resampling.seed)?))
}
