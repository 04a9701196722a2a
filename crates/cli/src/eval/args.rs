//! Arguments that protocols share.

use std::convert::Infallible;
use std::fs;
use std::io;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::Context;
use clap::Args;
use medclip_core::Finding;
use medclip_data::Split;
use medclip_files::replace_file;
use medclip_protocols::{Chart, Evaluator, FilmSet, Resampling};
use medclip_runtime::Model;
use serde::Serialize;

use crate::Outcome;
use crate::engine::EngineArgs;
use crate::models::ModelArg;
use crate::output::{Stdout, locked_stdout, write_json_line};

/// Which films, and what embeds them.
#[derive(Debug, Args)]
pub(super) struct FilmArgs {
    #[command(flatten)]
    manifest: ManifestArgs,
    #[command(flatten)]
    model: ModelArg,
    #[command(flatten)]
    engine: EngineArgs,
}

impl FilmArgs {
    /// Reads the manifest and loads the model.
    pub(super) fn open(self) -> anyhow::Result<Evaluator> {
        let films = self.manifest.open()?;
        let directory = self.model.resolve()?;
        let options = self.engine.options(&directory, NonZeroUsize::MIN)?;
        let model = Model::open_with(directory, options).context("cannot load the model")?;
        Ok(Evaluator::new(model, films, self.engine.threads()))
    }
}

/// Which films.
#[derive(Debug, Args)]
pub(super) struct ManifestArgs {
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
    pub(super) fn open(self) -> anyhow::Result<FilmSet> {
        let films = FilmSet::open(self.manifest)?.with_sources(self.source).with_views(self.view);
        Ok(match self.images {
            Some(root) => films.with_root(root),
            None => films,
        })
    }
}

/// How intervals are made and results printed.
#[derive(Debug, Args)]
pub(super) struct ReportArgs {
    /// Patients drawn this many times for the 95 % intervals
    #[arg(long, default_value_t = 2000)]
    resamples: usize,
    /// Seed of everything drawn
    #[arg(long, default_value_t = 0)]
    pub(super) seed: u64,
    /// Print one JSON object instead of Markdown tables
    #[arg(long)]
    json: bool,
}

impl ReportArgs {
    pub(super) const fn resampling(&self) -> Resampling {
        Resampling { resamples: self.resamples, seed: self.seed }
    }

    /// Prints a result as JSON, or as `markdown` writes it.
    pub(super) fn print(
        &self,
        result: &impl Serialize,
        markdown: impl FnOnce(&mut Stdout) -> io::Result<()>,
    ) -> anyhow::Result<()> {
        print(self.json, result, markdown)
    }
}

/// Prints a result as JSON, or as `markdown` writes it.
pub(super) fn print(
    json: bool,
    result: &impl Serialize,
    markdown: impl FnOnce(&mut Stdout) -> io::Result<()>,
) -> anyhow::Result<()> {
    let mut out = locked_stdout();
    if json {
        return write_json_line(&mut out, result);
    }
    Ok(markdown(&mut out)?)
}

/// Complete unless a film could not be read.
pub(super) const fn outcome(failed: usize) -> Outcome {
    if failed == 0 { Outcome::Complete } else { Outcome::SomeFailed }
}

/// Where charts go.
#[derive(Debug, Args)]
pub(super) struct PlotArgs {
    /// Draw charts into this directory, as SVG files
    #[arg(long, value_name = "DIR")]
    plots: Option<PathBuf>,
}

impl PlotArgs {
    /// Whether charts were asked for.
    pub(super) const fn are_wanted(&self) -> bool {
        self.plots.is_some()
    }

    /// Makes the directory, so that a place that cannot be written to is refused before any work.
    pub(super) fn prepare(&self) -> anyhow::Result<()> {
        let Some(directory) = &self.plots else { return Ok(()) };
        fs::create_dir_all(directory).with_context(|| format!("cannot make {}", directory.display()))
    }

    /// Writes the charts into it.
    pub(super) fn write(&self, charts: &[Chart]) -> anyhow::Result<()> {
        let Some(directory) = &self.plots else { return Ok(()) };
        charts.iter().try_for_each(|chart| {
            let bytes = chart.svg.to_file();
            replace_file(directory.join(chart.file_name), bytes.as_bytes()).context("cannot write a chart")
        })
    }
}

/// `LABEL=DIR`, or a directory that is its own label.
#[derive(Debug, Clone)]
pub(super) struct Labelled {
    pub(super) label: String,
    pub(super) path: PathBuf,
}

impl FromStr for Labelled {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        let (label, path) = text.split_once('=').unwrap_or((text, text));
        Ok(Self { label: label.to_owned(), path: PathBuf::from(path) })
    }
}

/// Refuses to write over a file or directory.
pub(super) fn refuse_existing(path: Option<&Path>) -> anyhow::Result<()> {
    match path.filter(|path| path.exists()) {
        Some(path) => anyhow::bail!("{} already exists", path.display()),
        None => Ok(()),
    }
}

pub(super) fn parse_split(text: &str) -> Result<Split, String> {
    match text {
        "train" => Ok(Split::Train),
        "val" => Ok(Split::Val),
        "test" => Ok(Split::Test),
        other => Err(format!("`{other}` is none of train, val, test")),
    }
}

pub(super) fn parse_finding(text: &str) -> Result<Finding, String> {
    let names = || Finding::ALL.map(Finding::name).join(", ");
    Finding::from_name(text).ok_or_else(|| format!("`{text}` is none of the findings {}", names()))
}

pub(super) fn parse_fraction(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(fraction) if fraction > 0.0 && fraction <= 1.0 => Ok(fraction),
        _ => Err(format!("`{text}` is not a number above 0 and at most 1")),
    }
}
