//! How the films of an index were shown and checked, for queries and sheets.

use anyhow::{anyhow, bail};
use medclip_archive::Source;
use medclip_archive::intake::{ArchiveReader, find};
use medclip_index::Index;
use medclip_runtime::Model;

use crate::checks::{CheckArgs, Checks};
use crate::film::{self, DicomArgs, Film};
use crate::say;

/// What an index keeps of how it was built; the default where it keeps nothing.
pub(super) struct Shown {
    dicom: DicomArgs,
    checks: Checks,
}

impl Shown {
    /// # Errors
    /// When the index was built with options that this program does not know.
    pub(super) fn of(index: &Index, model: &Model) -> anyhow::Result<Self> {
        let options = index.options().cloned().unwrap_or_default();
        let checks = CheckArgs::from_recorded(options.get("qc").map_or("", String::as_str));
        Ok(Self { dicom: DicomArgs::from_recorded(&options)?, checks: Checks::new(model, &checks)? })
    }

    /// The film at a place. An error gives the reason alone: callers name the film already.
    pub(super) fn film(&self, source: Source) -> anyhow::Result<Film> {
        let Some(member) = source.member.as_ref() else {
            return Ok(film::open(&source.path, &self.dicom, false)?);
        };
        if let Some(problem) = source.problem {
            bail!(problem.message);
        }
        let bytes = ArchiveReader::default().read(&source.path, member);
        let bytes = bytes.map_err(|failure| anyhow!(failure.message))?;
        Ok(film::decode(&bytes, &self.dicom, false)?)
    }

    /// The embedding of a query, if the index would have let it in. What its checks find is said. It may lie anywhere: the user
    /// names it.
    pub(super) fn embed(&self, model: &Model, id: &str) -> anyhow::Result<Vec<f32>> {
        let film = self.film(find(id).map_err(|failure| anyhow!(failure.message))?)?;
        let mut found = self.checks.of_film(&film);
        let embedded = model.embed_images(&model.preprocessor().batch(&[film.image])?)?;
        found.extend(self.checks.of_embedding(embedded.row(0)));
        match self.checks.judge(&found) {
            (_, Some(reason)) => bail!("{reason}, which also left such films out of the index"),
            (names, None) if !names.is_empty() => {
                say(&format!("intake checks of the query: {}", names.join(", ")));
            }
            _ => {}
        }
        Ok(embedded.row(0).to_vec())
    }
}
