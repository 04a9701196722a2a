//! Which prompts stand for the classes: the bundle's or a file's, all of them or seeded draws.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Args;
use medclip_core::prompt::{Ensemble, ExpandedClass, sentences};
use medclip_core::{Embeddings, Finding, PromptBank, PromptPooling, PromptSet};
use serde::Serialize;

use crate::eval::films::Films;
use crate::eval::logits::findings;

/// Prompts other than the bundle's own ensembles.
#[derive(Debug, Args)]
pub(super) struct PromptArgs {
    /// Prompts to evaluate in place of the bundle's, embedded by its text tower, each sentence alone
    #[arg(long, value_name = "FILE")]
    prompts: Option<PathBuf>,
    /// Draw the prompts this many times, and give mean and standard deviation over the draws
    ///
    /// Draw i of N is of seed S + i with `--seed S`, i from 0: what `[ensemble]` with that seed would draw.
    #[arg(long, value_name = "N")]
    draws: Option<NonZeroUsize>,
    /// Sentences of each side of each class in a draw; all of them where there are fewer
    #[arg(long, value_name = "N", default_value = "10", requires = "draws")]
    per_class: NonZeroUsize,
    /// How a class's prompts become one logit: mean (the paper's) or max (the reference's) [default: the bundle's]
    #[arg(long, value_parser = parse_pooling)]
    pooling: Option<PromptPooling>,
}

/// Prompts as embedded: one bank, or one a draw.
pub(super) struct Prompts {
    pub(super) banks: Vec<PromptBank>,
    pub(super) pooling: PromptPooling,
    /// What to say of them; none where they are the bundle's own.
    pub(super) note: Option<Note>,
}

/// What was evaluated in place of the bundle's own prompts.
#[derive(Debug, Serialize)]
pub(super) struct Note {
    /// None where the bundle's are used.
    file: Option<PathBuf>,
    pooling: PromptPooling,
    draws: Option<DrawNote>,
}

#[derive(Debug, Serialize)]
struct DrawNote {
    per_class: usize,
    seeds: Vec<u64>,
    /// Classes whose every draw is of the same sentences, for want of more.
    unvaried: Vec<String>,
}

impl PromptArgs {
    /// Reads the file named, and keeps its findings.
    pub(super) fn read(&self) -> anyhow::Result<Option<PromptSet>> {
        let Some(file) = &self.prompts else { return Ok(None) };
        let mut set =
            PromptSet::open(file).with_context(|| format!("cannot use prompts {}", file.display()))?;
        set.classes.retain(is_finding);
        if set.classes.is_empty() {
            bail!("{}: none of its classes is a finding", file.display());
        }
        Ok(Some(set))
    }

    /// True when figures are asked for as means over draws.
    pub(super) fn are_drawn(&self) -> bool {
        self.draws.is_some()
    }

    /// The prompts asked for, `set` being those of [`PromptArgs::read`]; the text tower is loaded only for sentences that
    /// the bundle's bank cannot stand for.
    pub(super) fn embed(&self, set: Option<PromptSet>, films: &Films, seed: u64) -> anyhow::Result<Prompts> {
        let bundle = films.model.bundle();
        let pooling = self.pooling.unwrap_or(bundle.config().prompt_pooling);
        let mut note = Note { file: self.prompts.clone(), pooling, draws: None };
        if set.is_none() && self.draws.is_none() {
            let banks = vec![bundle.bank().clone()];
            if findings(bundle.bank()).is_empty() {
                bail!("none of the model's classes is a finding");
            }
            return Ok(Prompts { banks, pooling, note: self.pooling.map(|_| note) });
        }
        let mut set = set.unwrap_or_else(|| bundle.prompts().clone());
        set.classes.retain(is_finding);
        let expanded = match self.draws {
            None => vec![set.expand()],
            Some(draws) => {
                let per_class = self.per_class.get();
                let seeds: Vec<u64> = (0..draws.get() as u64).map(|draw| seed.wrapping_add(draw)).collect();
                let draw = |seed: u64| {
                    let ensemble = Some(Ensemble { draws: per_class, seed });
                    PromptSet { ensemble, ..set.clone() }.expand()
                };
                let drawn = seeds.iter().map(|seed| draw(*seed)).collect();
                note.draws = Some(DrawNote { per_class, unvaried: unvaried(&set, per_class), seeds });
                drawn
            }
        };
        Ok(Prompts { banks: banks(films, expanded)?, pooling, note: Some(note) })
    }
}

fn is_finding(class: &medclip_core::prompt::PromptClass) -> bool {
    Finding::from_name(&class.name).is_some()
}

/// Classes that have no more than `per_class` sentences on either side.
fn unvaried(set: &PromptSet, per_class: usize) -> Vec<String> {
    let all = PromptSet { ensemble: None, ..set.clone() }.expand();
    let few = |class: &ExpandedClass| class.positive.len().max(class.negative.len()) <= per_class;
    all.into_iter().filter(few).map(|class| class.name).collect()
}

/// A bank of every draw; a sentence that several share is embedded once.
fn banks(films: &Films, draws: Vec<Vec<ExpandedClass>>) -> anyhow::Result<Vec<PromptBank>> {
    let mut place_of: BTreeMap<&str, usize> = BTreeMap::new();
    let mut distinct = Vec::new();
    for sentence in draws.iter().flat_map(|classes| sentences(classes)) {
        place_of.entry(sentence).or_insert_with(|| {
            distinct.push(sentence);
            distinct.len() - 1
        });
    }
    let embeddings = films.embed_sentences(&distinct)?;
    let dim = films.model.bundle().config().architecture.embedding_dim;
    let rows_of = |classes: &[ExpandedClass]| -> Vec<f32> {
        let places = sentences(classes).into_iter().filter_map(|sentence| place_of.get(sentence));
        places.flat_map(|place| embeddings[*place].iter().copied()).collect()
    };
    let rows: Vec<Vec<f32>> = draws.iter().map(|classes| rows_of(classes)).collect();
    let banks = draws.into_iter().zip(rows);
    banks.map(|(classes, rows)| Ok(PromptBank::build(classes, Embeddings::new(rows, dim)?)?)).collect()
}

fn parse_pooling(text: &str) -> Result<PromptPooling, String> {
    match text {
        "mean" => Ok(PromptPooling::Mean),
        "max" => Ok(PromptPooling::Max),
        other => Err(format!("`{other}` is neither mean nor max")),
    }
}

impl Note {
    pub(super) fn write_markdown(&self, out: &mut impl Write) -> io::Result<()> {
        let origin = self.file.as_ref().map_or_else(|| "the bundle".to_owned(), |f| f.display().to_string());
        let pooling = match self.pooling {
            PromptPooling::Mean => "mean",
            PromptPooling::Max => "max",
        };
        let Some(DrawNote { per_class, seeds, unvaried }) = &self.draws else {
            return writeln!(out, "Prompts of {origin}, pooled by {pooling}.\n");
        };
        let list: Vec<String> = seeds.iter().map(u64::to_string).collect();
        writeln!(
            out,
            "Prompts of {origin}, pooled by {pooling}: {} draws of {per_class} sentences a class side (seeds {}).",
            seeds.len(),
            list.join(", ")
        )?;
        if !unvaried.is_empty() {
            writeln!(out, "With no more than {per_class}, the same in every draw: {}.", unvaried.join(", "))?;
        }
        writeln!(out)
    }
}
