//! Scores of the films by one bundle.

use medclip_core::Finding;
use medclip_data::Record;
use medclip_runtime::Model;

use super::{CompareOptions, Member};
use crate::embed::embed_films;
use crate::error::EvaluationError;
use crate::films::FilmSet;
use crate::logits::{findings, logits};
use crate::observer::Observer;
use crate::side::Side;

/// Bundles of one label.
pub(super) struct Column {
    pub(super) label: String,
    pub(super) bundles: Vec<Scored>,
}

/// Scores of the films by one bundle.
pub(super) struct Scored {
    pub(super) member: Member,
    pub(super) findings: Vec<Finding>,
    /// Or what one side of the sentences gives: `[findings][films]`.
    pub(super) logits: Vec<Vec<f32>>,
}

/// Logits of the films that could be read, by the prompt bank of `model`.
pub(super) fn score<'a>(
    films: &FilmSet,
    model: &Model,
    chosen: &[&'a Record],
    options: &CompareOptions,
    observer: &mut dyn Observer,
) -> Result<(Vec<&'a Record>, Scored), EvaluationError> {
    let bundle = model.bundle();
    let found = findings(bundle.bank());
    if found.is_empty() {
        return Err(EvaluationError::NoFinding);
    }
    let embedded = embed_films(model, films, chosen, options.threads, observer)?;
    let pooling = bundle.config().prompt_pooling;
    let logits = match options.side {
        Side::Pair => logits(bundle.bank(), bundle.logit_scale(), pooling, &embedded.embeddings),
        side => side.scores(bundle.bank(), pooling, &embedded.embeddings),
    };
    let member = Member { model: model.name().to_owned(), bundle: bundle.id().to_owned() };
    Ok((embedded.records, Scored { member, findings: found, logits }))
}
