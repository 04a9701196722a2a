//! The films an evaluation is of: chosen from a manifest, and embedded by a bundle.

use std::collections::BTreeSet;
use std::io;
use std::num::NonZeroUsize;
use std::path::{Display, PathBuf};

use anyhow::{Context, anyhow, bail};
use clap::Args;
use medclip_data::{Record, Selection, Split, check_disjoint, check_no_film_shared, read_manifest};
use medclip_runtime::Model;
use serde::Serialize;

use crate::engine::EngineArgs;
use crate::inputs::pixels;
use crate::models::ModelArg;
use crate::ordered::for_each_ordered;
use crate::output::{Stdout, locked_stdout, progress, write_json_line};
use crate::{Outcome, one_line, report_error};

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

/// How intervals are made and results printed.
#[derive(Debug, Args)]
pub(super) struct ReportArgs {
    /// Patients drawn this many times for the 95 % intervals
    #[arg(long, default_value_t = 2000)]
    pub(super) resamples: usize,
    /// Seed of everything drawn
    #[arg(long, default_value_t = 0)]
    pub(super) seed: u64,
    /// Print one JSON object instead of Markdown tables
    #[arg(long)]
    pub(super) json: bool,
}

impl ReportArgs {
    /// Prints a result as JSON, or as `markdown` writes it.
    pub(super) fn print(
        &self,
        result: &impl Serialize,
        markdown: impl FnOnce(&mut Stdout) -> io::Result<()>,
    ) -> anyhow::Result<()> {
        let mut out = locked_stdout();
        if self.json {
            return write_json_line(&mut out, result);
        }
        Ok(markdown(&mut out)?)
    }
}

/// A model and the manifest of the films it is tried on.
pub(super) struct Films {
    pub(super) model: Model,
    pub(super) manifest: Manifest,
    pub(super) workers: usize,
}

/// A manifest's rows, where their images lie, and which of them are wanted.
pub(super) struct Manifest {
    path: PathBuf,
    records: Vec<Record>,
    pub(super) root: PathBuf,
    sources: Vec<String>,
    views: Vec<String>,
}

/// Films that could be read, each with its unit-norm embedding.
pub(super) struct Embedded<'a> {
    pub(super) records: Vec<&'a Record>,
    pub(super) embeddings: Vec<Vec<f32>>,
    pub(super) failed: usize,
}

/// What every evaluation says of the model and the films.
#[derive(Debug, Serialize)]
pub(super) struct Subject {
    pub(super) model: String,
    bundle: String,
    engine: &'static str,
    pub(super) images: usize,
    pub(super) patients: usize,
    failed: usize,
    pub(super) resamples: usize,
    pub(super) seed: u64,
}

impl FilmArgs {
    /// Reads the manifest and loads the model.
    pub(super) fn open(self) -> anyhow::Result<Films> {
        let manifest = self.manifest.open()?;
        let directory = self.model.resolve()?;
        let options = self.engine.options(&directory, NonZeroUsize::MIN)?;
        let workers = self.engine.threads().get();
        let model = Model::open_with(directory, options).context("cannot load the model")?;
        Ok(Films { model, manifest, workers })
    }
}

impl ManifestArgs {
    /// Reads the manifest.
    pub(super) fn open(self) -> anyhow::Result<Manifest> {
        let Self { manifest: path, images, source: sources, view: views } = self;
        let records = read_manifest(&path).with_context(|| path.display().to_string())?;
        let root = images.or_else(|| path.parent().map(PathBuf::from)).unwrap_or_default();
        Ok(Manifest { path, records, root, sources, views })
    }
}

impl Manifest {
    /// Rows that the command line admits; `name` says in errors what they were for.
    pub(super) fn chosen(&self, name: &str, splits: &[Split]) -> anyhow::Result<Vec<&Record>> {
        self.chosen_of(name, splits, &self.views)
    }

    /// As [`Self::chosen`], of these views whatever the command line says.
    pub(super) fn chosen_of(
        &self,
        name: &str,
        splits: &[Split],
        views: &[String],
    ) -> anyhow::Result<Vec<&Record>> {
        let selection = Selection {
            sources: self.sources.clone(),
            views: views.to_vec(),
            splits: splits.to_vec(),
            ..Selection::default()
        };
        let indices = selection.indices(name, &self.records).with_context(|| self.display().to_string())?;
        Ok(indices.into_iter().filter_map(|index| self.records.get(index)).collect())
    }

    /// Refuses films to evaluate on that share a patient with those to fit on, or are among them under another name.
    pub(super) fn check_apart(&self, fit: &[&Record], evaluation: &[&Record]) -> anyhow::Result<()> {
        let name = "evaluation";
        check_disjoint(fit.iter().copied(), name, evaluation.iter().copied())
            .and_then(|()| check_no_film_shared(&self.path, &self.root, fit, name, evaluation))
            .with_context(|| self.display().to_string())
    }

    /// Path of the file, for messages.
    pub(super) fn display(&self) -> Display<'_> {
        self.path.display()
    }

    /// Embeds the films of `chosen`; one that cannot be read is reported on standard error and counted.
    pub(super) fn embed<'a>(
        &self,
        model: &Model,
        chosen: &[&'a Record],
        workers: usize,
    ) -> anyhow::Result<Embedded<'a>> {
        let bar = progress(chosen.len(), "images");
        let mut embedded = Embedded { records: Vec::new(), embeddings: Vec::new(), failed: 0 };
        let mut waiting = chosen.iter();
        let embed = |record: &Record| {
            let path = self.root.join(&record.path);
            let embed = || anyhow::Ok(model.embed_images(&pixels(model, &path)?)?.row(0).to_vec());
            embed().with_context(|| path.display().to_string())
        };
        for_each_ordered(chosen.iter().copied(), workers, embed, |result| {
            let record = *waiting.next().context("a result for no image")?;
            bar.inc(1);
            match result.unwrap_or_else(|_| Err(anyhow!("{}: a fault in medclip", record.path.display()))) {
                Ok(embedding) => {
                    embedded.records.push(record);
                    embedded.embeddings.push(embedding);
                }
                Err(error) => {
                    embedded.failed += 1;
                    bar.suspend(|| report_error(&one_line(&error)));
                }
            }
            anyhow::Ok(())
        })?;
        bar.finish_and_clear();
        if embedded.records.is_empty() {
            bail!("{}: none of the {} images chosen could be read", self.display(), chosen.len());
        }
        Ok(embedded)
    }
}

impl Films {
    /// Rows of the manifest that the command line admits; `name` says in errors what they were for.
    pub(super) fn chosen(&self, name: &str, splits: &[Split]) -> anyhow::Result<Vec<&Record>> {
        self.manifest.chosen(name, splits)
    }

    /// Embeds the films of `chosen`; one that cannot be read is reported on standard error and counted.
    pub(super) fn embed<'a>(&self, chosen: &[&'a Record]) -> anyhow::Result<Embedded<'a>> {
        self.manifest.embed(&self.model, chosen, self.workers)
    }

    /// Unit-norm embeddings of `sentences`, each embedded alone so that none depends on its company.
    pub(super) fn embed_sentences<S: AsRef<str> + Sync>(
        &self,
        sentences: &[S],
    ) -> anyhow::Result<Vec<Vec<f32>>> {
        let bar = progress(sentences.len(), "sentences");
        let mut rows = Vec::with_capacity(sentences.len());
        let embed = |sentence: &S| anyhow::Ok(self.model.embed_texts(&[sentence])?.row(0).to_vec());
        for_each_ordered(sentences, self.workers, embed, |result| {
            bar.inc(1);
            rows.push(result.unwrap_or_else(|_| Err(anyhow!("a fault in medclip")))?);
            anyhow::Ok(())
        })
        .context("cannot embed the sentences")?;
        bar.finish_and_clear();
        Ok(rows)
    }
}

impl Embedded<'_> {
    /// The patient of each film, for intervals by patient.
    pub(super) fn patients(&self) -> Vec<&str> {
        self.records.iter().map(|record| record.patient_group.as_str()).collect()
    }

    /// Complete unless a film could not be read.
    pub(super) fn outcome(&self) -> Outcome {
        if self.failed == 0 { Outcome::Complete } else { Outcome::SomeFailed }
    }

    /// The head of a report on these films.
    pub(super) fn subject(&self, model: &Model, args: &ReportArgs) -> Subject {
        Subject {
            model: model.name().to_owned(),
            bundle: model.bundle().id().to_owned(),
            engine: model.engine().name(),
            images: self.records.len(),
            patients: self.patients().into_iter().collect::<BTreeSet<_>>().len(),
            failed: self.failed,
            resamples: args.resamples,
            seed: args.seed,
        }
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
