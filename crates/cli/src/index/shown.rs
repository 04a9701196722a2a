//! How the films of an index were shown and checked, for queries and sheets.

use std::sync::Arc;

use anyhow::{Context, anyhow, bail};
use medclip_archive::Source;
use medclip_archive::inputs::{ArchiveReader, find};
use medclip_decode::Film;
use medclip_index::Index;
use medclip_runtime::Model;
use medclip_scorer::record::{decoding_of, policy_of};
use medclip_scorer::{Failure, Scorer};

use crate::say;

/// A scorer with what an index keeps of how it was built; the default where it keeps nothing.
pub(super) struct Shown(Scorer);

impl Shown {
    /// # Errors
    /// When the index was built with options that this program does not know.
    pub(super) fn of(index: &Index, model: &Arc<Model>) -> anyhow::Result<Self> {
        let options = index.options().cloned().unwrap_or_default();
        let scorer = Scorer::builder()
            .model(Arc::clone(model))
            .checks(policy_of(&options)?)
            .decoding(decoding_of(&options)?)
            .embeddings(true)
            .open()?;
        Ok(Self(scorer))
    }

    /// The film at a place. An error gives the reason alone: callers name the film already.
    pub(super) fn film(&self, source: Source) -> anyhow::Result<Film> {
        let limits = self.0.limits();
        let bytes = match (source.member, source.problem) {
            (_, Some(problem)) => bail!(problem.message),
            (Some(member), None) => ArchiveReader::default()
                .read(&source.path, &member)
                .map_err(|failure| anyhow!(failure.message))?,
            (None, None) => medclip_decode::read(&source.path, limits)?,
        };
        Ok(medclip_decode::from_bytes_with(&bytes, limits, self.0.decoding())?)
    }

    /// The embedding of a query, if the index would have let it in. What its checks find is said. It may lie anywhere: the user
    /// names it.
    pub(super) fn embed(&self, id: &str) -> anyhow::Result<Vec<f32>> {
        let film = self.film(find(id).map_err(|failure| anyhow!(failure.message))?)?;
        let report = self.0.score(&[self.0.prepare_film(film)]).pop().context("the film has no report")?;
        match report.failure() {
            Some(failure) if failure.kind == Failure::WITHHELD => {
                bail!("{}, which also left such films out of the index", failure.message)
            }
            Some(failure) => bail!(failure.message.clone()),
            None => {}
        }
        if !report.qc.is_empty() {
            let codes: Vec<_> = report.qc.iter().map(|code| code.name()).collect();
            say(&format!("intake checks of the query: {}", codes.join(", ")));
        }
        report.embedding().map(<[f32]>::to_vec).context("the report has no embedding")
    }
}
