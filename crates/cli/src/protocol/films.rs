//! Which films are evaluated or fitted on.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use medclip_data::Split;
use medclip_protocols::{Evaluator, FilmSet};
use medclip_runtime::Model;

use super::values::{fraction, split};
use crate::engine::EngineArgs;
use crate::models::ModelArg;

/// Which films, and what embeds them.
#[derive(Debug, Args)]
pub(crate) struct FilmArgs {
    #[command(flatten)]
    manifest: ManifestArgs,
    #[command(flatten)]
    model: ModelArg,
    #[command(flatten)]
    engine: EngineArgs,
}

impl FilmArgs {
    /// Reads the manifest and loads the model.
    pub(crate) fn open(self) -> anyhow::Result<Evaluator> {
        let films = self.manifest.open()?;
        let directory = self.model.resolve()?;
        let options = self.engine.options(&directory, NonZeroUsize::MIN)?;
        let model = Model::open_with(directory, options).context("cannot load the model")?;
        Ok(Evaluator::new(model, films, self.engine.threads()))
    }
}

/// Which films.
#[derive(Debug, Args)]
pub(crate) struct ManifestArgs {
    /// Manifest (CSV or Parquet): path, split, `patient_group`, view and the 14 findings
    manifest: PathBuf,
    /// Directory that the manifest's paths start from [default: the manifest's]
    #[arg(long, value_name = "DIR")]
    images: Option<PathBuf>,
    /// Only images of this source; may be repeated
    #[arg(long)]
    source: Vec<String>,
    /// Only images of this view; may be repeated; `frontal` is PA, AP and Frontal
    #[arg(long)]
    view: Vec<String>,
}

impl ManifestArgs {
    /// Reads the manifest.
    pub(crate) fn open(self) -> anyhow::Result<FilmSet> {
        let films = FilmSet::open(self.manifest)?.with_sources(self.source).with_views(self.view);
        Ok(match self.images {
            Some(root) => films.with_root(root),
            None => films,
        })
    }
}

/// Which of them are fitted on, and which are measured on.
#[derive(Debug, Args)]
pub(crate) struct ShareArgs {
    /// Fit on images of this split; may be repeated
    #[arg(long, value_name = "SPLIT", value_parser = split(), default_value = "train")]
    pub(crate) fit_split: Vec<Split>,
    /// Measure on images of this split; may be repeated
    #[arg(long, value_name = "SPLIT", value_parser = split(), default_value = "val")]
    pub(crate) split: Vec<Split>,
    /// Fit on this share of the patients, drawn with the seed; may be repeated for a data-efficiency curve, in which
    /// larger shares contain the smaller ones. Every share starts anew
    #[arg(long, value_parser = fraction, default_value = "1")]
    pub(crate) fraction: Vec<f64>,
}
