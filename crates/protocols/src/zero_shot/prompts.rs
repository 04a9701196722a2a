//! Which prompts stand for the classes: the bundle's or a file's, all of them or seeded draws.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use medclip_core::prompt::{Ensemble, ExpandedClass, PromptClass, sentences};
use medclip_core::{Embeddings, Finding, PromptBank, PromptPooling, PromptSet};
use serde::{Deserialize, Serialize};

use super::error::ZeroShotError;
use crate::error::EvaluationError;
use crate::evaluator::Evaluator;
use crate::logits::findings;
use crate::observer::Observer;

/// Prompts other than the bundle's own ensembles.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PromptOptions {
    /// Prompts (TOML) in place of the bundle's, embedded by its text tower, each sentence alone.
    pub file: Option<PathBuf>,
    /// Draw the prompts several times; figures are then means over the draws.
    pub draws: Option<DrawOptions>,
    /// How a class's prompts become one logit, if not as the bundle says.
    pub pooling: Option<PromptPooling>,
}

/// Draws of prompts.
///
/// Draw i is of seed S + i, where S is the seed of the evaluation and i starts from 0: what `[ensemble]` with that seed would draw.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DrawOptions {
    /// How many.
    pub count: NonZeroUsize,
    /// Sentences of each side of each class in a draw; all of them where there are fewer.
    pub per_class: NonZeroUsize,
}

/// Prompts as embedded: one bank, or one a draw.
pub(crate) struct Prompts {
    pub(crate) banks: Vec<PromptBank>,
    pub(crate) pooling: PromptPooling,
    /// What to say of them; `None` where they are the bundle's own.
    pub(crate) note: Option<PromptNote>,
}

/// What was evaluated in place of the bundle's own prompts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PromptNote {
    /// `None` where the sentences of the bundle, or of the benchmark, are used.
    pub file: Option<PathBuf>,
    /// How a class's prompts became one logit.
    pub pooling: PromptPooling,
    /// `None` without draws.
    pub draws: Option<DrawNote>,
}

/// Which draws were made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DrawNote {
    /// Sentences of each side of each class.
    pub per_class: usize,
    /// The seed of each draw.
    pub seeds: Vec<u64>,
    /// Classes whose every draw is of the same sentences, for want of more.
    pub unvaried: Vec<String>,
}

impl PromptOptions {
    /// Reads the file named, and keeps its findings.
    ///
    /// # Errors
    /// [`ZeroShotError::Prompts`], [`ZeroShotError::NoFinding`].
    pub(crate) fn read(&self) -> Result<Option<PromptSet>, ZeroShotError> {
        let Some(file) = &self.file else { return Ok(None) };
        let read = PromptSet::open(file);
        let mut set = read.map_err(|source| ZeroShotError::Prompts { path: file.clone(), source })?;
        set.classes.retain(is_finding);
        if set.classes.is_empty() {
            return Err(ZeroShotError::NoFinding { path: file.clone() });
        }
        Ok(Some(set))
    }

    /// The prompts asked for, `set` being those of [`PromptOptions::read`]; the text tower is loaded only for sentences that
    /// the bundle's bank cannot stand for.
    pub(crate) fn embed(
        &self,
        set: Option<PromptSet>,
        evaluator: &Evaluator,
        seed: u64,
        observer: &mut dyn Observer,
    ) -> Result<Prompts, ZeroShotError> {
        let bundle = evaluator.model().bundle();
        let pooling = self.pooling.unwrap_or(bundle.config().prompt_pooling);
        let mut note = PromptNote { file: self.file.clone(), pooling, draws: None };
        if set.is_none() && self.draws.is_none() {
            let banks = vec![bundle.bank().clone()];
            if findings(bundle.bank()).is_empty() {
                return Err(EvaluationError::NoFinding.into());
            }
            return Ok(Prompts { banks, pooling, note: self.pooling.map(|_| note) });
        }
        let mut set = set.unwrap_or_else(|| bundle.prompts().clone());
        set.classes.retain(is_finding);
        let banks = match self.draws {
            None => banks(evaluator, vec![set.expand()], observer)?,
            Some(draws) => {
                let (banks, made) = drawn(&set, draws, evaluator, seed, observer)?;
                note.draws = Some(made);
                banks
            }
        };
        Ok(Prompts { banks, pooling, note: Some(note) })
    }
}

/// A bank of every draw of a set's sentences, and which draws were made.
pub(crate) fn drawn(
    set: &PromptSet,
    draws: DrawOptions,
    evaluator: &Evaluator,
    seed: u64,
    observer: &mut dyn Observer,
) -> Result<(Vec<PromptBank>, DrawNote), ZeroShotError> {
    let per_class = draws.per_class.get();
    let seeds: Vec<u64> = (0..draws.count.get() as u64).map(|draw| seed.wrapping_add(draw)).collect();
    let draw = |seed: &u64| {
        let ensemble = Some(Ensemble { draws: per_class, seed: *seed });
        PromptSet { ensemble, ..set.clone() }.expand()
    };
    let banks = banks(evaluator, seeds.iter().map(draw).collect(), observer)?;
    Ok((banks, DrawNote { per_class, unvaried: unvaried(set, per_class), seeds }))
}

fn is_finding(class: &PromptClass) -> bool {
    Finding::from_name(&class.name).is_some()
}

/// Classes that have no more than `per_class` sentences on either side.
fn unvaried(set: &PromptSet, per_class: usize) -> Vec<String> {
    let all = PromptSet { ensemble: None, ..set.clone() }.expand();
    let few = |class: &ExpandedClass| class.positive.len().max(class.negative.len()) <= per_class;
    all.into_iter().filter(few).map(|class| class.name).collect()
}

/// A bank of every draw; a sentence that several share is embedded once.
fn banks(
    evaluator: &Evaluator,
    draws: Vec<Vec<ExpandedClass>>,
    observer: &mut dyn Observer,
) -> Result<Vec<PromptBank>, ZeroShotError> {
    let mut place_of: BTreeMap<&str, usize> = BTreeMap::new();
    let mut distinct = Vec::new();
    for sentence in draws.iter().flat_map(|classes| sentences(classes)) {
        place_of.entry(sentence).or_insert_with(|| {
            distinct.push(sentence);
            distinct.len() - 1
        });
    }
    let embeddings = evaluator.embed_sentences(&distinct, observer)?;
    let dim = evaluator.model().bundle().config().architecture.embedding_dim;
    let rows_of = |classes: &[ExpandedClass]| -> Vec<f32> {
        let places = sentences(classes).into_iter().filter_map(|sentence| place_of.get(sentence));
        places.flat_map(|place| embeddings[*place].iter().copied()).collect()
    };
    let rows: Vec<Vec<f32>> = draws.iter().map(|classes| rows_of(classes)).collect();
    let banks = draws.into_iter().zip(rows);
    banks.map(|(classes, rows)| Ok(PromptBank::build(classes, Embeddings::new(rows, dim)?)?)).collect()
}
