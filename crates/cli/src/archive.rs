//! Archives of any size, a row for every input, resumed where a run was stopped: what `score --output` and `index build` share.

mod progress;
mod scorer;

use std::collections::BTreeMap;
use std::io;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;
use medclip_archive::{
    Columns, End, IntakeOptions, PipelineOptions, Portion, Run, Settings, Source, Summary, Target, expand,
    work,
};
use medclip_runtime::{EngineKind, Model, ModelOptions};

use crate::checks::Checks;
use crate::engine::EngineArgs;
use crate::film::DicomArgs;
use crate::inputs::IMAGE_EXTENSIONS;
use crate::{Outcome, say};
use progress::Reporter;
use scorer::ModelScorer;

/// Exit status of a process that Ctrl-C ends at once, as shells have it.
const INTERRUPTED: i32 = 130;

/// Which inputs, and how they are run.
pub(crate) struct Job<'a> {
    pub(crate) inputs: &'a [PathBuf],
    pub(crate) portion: Option<Portion>,
    /// Go on with the run that is there, if one is.
    pub(crate) resume: bool,
    /// Name inputs that fail on standard error.
    pub(crate) log_paths: bool,
    pub(crate) threads: Threads,
    /// Intake checks.
    pub(crate) checks: &'a Checks,
    /// How DICOM files are shown.
    pub(crate) dicom: &'a DicomArgs,
}

/// Threads in all, those of a batch, and its images.
#[derive(Clone, Copy)]
pub(crate) struct Threads {
    all: NonZeroUsize,
    pub(crate) batch: NonZeroUsize,
}

impl Threads {
    pub(crate) fn new(
        engine: &mut EngineArgs,
        batch: Option<NonZeroUsize>,
        bundle: &Path,
    ) -> anyhow::Result<Self> {
        let default = default_batch(engine.settle(bundle)?);
        Ok(Self { all: engine.threads(), batch: batch.unwrap_or(default) })
    }

    /// Images side by side where each is a batch of its own; otherwise all threads share a batch.
    fn score(self) -> NonZeroUsize {
        if self.batch.get() == 1 { self.all } else { NonZeroUsize::MIN }
    }

    /// How to load the model for it.
    pub(crate) fn options(self, engine: &EngineArgs, bundle: &Path) -> anyhow::Result<ModelOptions> {
        engine.options(bundle, if self.batch.get() == 1 { NonZeroUsize::MIN } else { self.all })
    }

    /// What moves a score and is none of the model's own.
    pub(crate) fn recorded(self) -> BTreeMap<String, String> {
        let program = format!("medclip {}", env!("CARGO_PKG_VERSION"));
        BTreeMap::from([("program".to_owned(), program), ("batch".to_owned(), self.batch.to_string())])
    }
}

fn default_batch(engine: EngineKind) -> NonZeroUsize {
    let batch = match engine {
        EngineKind::OrtCpu => 16,
        EngineKind::Cuda | EngineKind::TensorRt => 32,
        _ => 1,
    };
    NonZeroUsize::new(batch).unwrap_or(NonZeroUsize::MIN)
}

/// Columns of this model's rows.
pub(crate) fn columns(model: &Model, embeddings: bool, patient: bool) -> Columns {
    Columns {
        model: model.name().to_owned(),
        model_id: model.bundle().id().to_owned(),
        engine: model.engine_name().to_owned(),
        classes: model.class_names().map(str::to_owned).collect(),
        embedding_dim: embeddings.then_some(model.bundle().config().architecture.embedding_dim),
        patient,
    }
}

/// Scores the inputs that have no row yet. `shown` names the run in messages.
pub(crate) fn run(
    model: &Model,
    target: &Target,
    settings: Settings,
    job: &Job<'_>,
    shown: &Path,
) -> anyhow::Result<(Outcome, Summary)> {
    let extensions = IMAGE_EXTENSIONS.map(str::to_owned).to_vec();
    let intake = IntakeOptions { extensions, by_start: Some(medclip_decode::is_dicom), portion: job.portion };
    let mut list = |sink: &mut dyn FnMut(Source) -> io::Result<()>| {
        expand(job.inputs, &intake, &mut io::stdin().lock(), sink)
    };
    let embeddings = settings.columns.embedding_dim.is_some();
    let patient = settings.columns.patient;
    let mut run = if job.resume {
        Run::resume(target, settings, &mut list)?
    } else {
        Run::begin(target, settings, &mut list)?
    };

    let log_paths = job.log_paths;
    let Job { checks, dicom, .. } = *job;
    let scorer = ModelScorer { model, checks, dicom, embeddings, patient, log_paths };
    let Threads { all, batch } = job.threads;
    let pipeline = PipelineOptions { decode_threads: all, score_threads: job.threads.score(), batch };
    let stop = stop_on_interrupt()?;
    let mut reporter = Reporter::new(run.summary().rows, run.inputs());
    let end = work(&mut run, &scorer, &pipeline, &stop, |progress| reporter.update(progress))?;
    reporter.end(shown, run.summary(), run.inputs());
    let outcome = match end {
        End::Stopped => Outcome::Stopped,
        End::Complete if run.summary().failures.is_empty() => Outcome::Complete,
        End::Complete => Outcome::SomeFailed,
    };
    Ok((outcome, run.summary().clone()))
}

/// True once the user or the system has asked the program to end; asked again, it ends at once.
fn stop_on_interrupt() -> anyhow::Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&stop);
    ctrlc::set_handler(move || {
        if asked.swap(true, Ordering::Relaxed) {
            process::exit(INTERRUPTED);
        }
        say("stopping after the rows at hand; Ctrl-C once more stops at once");
    })
    .context("cannot listen for Ctrl-C")?;
    Ok(stop)
}
