//! Archives of any size, a row for every input, resumed where a run was stopped: what `score --output` and `index build` share.

mod progress;
mod scorer;

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Cursor};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, anyhow, bail};
use medclip_archive::{
    Columns, End, PipelineOptions, Portion, Run, RunError, Settings, Skipped, Source, Summary, Target,
    expand_and_count, work,
};
use medclip_core::files;
use medclip_runtime::{EngineKind, Model, ModelOptions};

use crate::checks::Checks;
use crate::engine::EngineArgs;
use crate::film::DicomArgs;
use crate::private::told;
use crate::{Outcome, inputs, say};
use progress::Reporter;
use scorer::ModelScorer;

/// Exit status of a process that Ctrl-C ends at once, as shells have it.
const INTERRUPTED: i32 = 130;

/// Which inputs, and how they are run.
pub(crate) struct Job<'a> {
    pub(crate) inputs: &'a [PathBuf],
    pub(crate) portion: Option<Portion>,
    /// What becomes of a run that is there.
    pub(crate) earlier: Earlier,
    /// Every input has a name of its own, or nothing is begun.
    pub(crate) unique: bool,
    /// Name inputs that fail on standard error.
    pub(crate) log_paths: bool,
    pub(crate) threads: Threads,
    /// Bytes of memory that films share.
    pub(crate) memory: u64,
    /// Intake checks.
    pub(crate) checks: &'a Checks,
    /// How DICOM files are shown.
    pub(crate) dicom: &'a DicomArgs,
}

/// What becomes of an earlier run in the same place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Earlier {
    /// It stays, and nothing is done.
    Refuse,
    /// It is continued, and refused where it is another.
    Continue,
    /// It is continued, and replaced where it is another.
    #[cfg(feature = "search")]
    Replace,
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

/// The files of the bundle that decide rows and are no part of its identity, with their SHA-256.
pub(crate) fn recorded_files(model: &Model) -> BTreeMap<String, String> {
    let sums = model.bundle().deciding_sums(model.precision());
    sums.into_iter().map(|(name, sum)| (name.to_owned(), sum.unwrap_or("none").to_owned())).collect()
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
    let embeddings = settings.columns.embedding_dim.is_some();
    let patient = settings.columns.patient;
    let mut inputs = Inputs::new(job)?;
    let run = open(target, settings, job.earlier, &mut inputs);
    if let Some(twice) = &inputs.twice {
        return Err(twice.error(job.log_paths));
    }
    let mut run = run.map_err(|error| told(error, job.log_paths))?;

    let log_paths = job.log_paths;
    let Job { checks, dicom, .. } = *job;
    let scorer = ModelScorer { model, checks, dicom, embeddings, patient, log_paths };
    let Threads { all, batch } = job.threads;
    let pipeline = PipelineOptions {
        decode_threads: all,
        score_threads: job.threads.score(),
        batch,
        memory: job.memory,
    };
    let stop = stop_on_interrupt()?;
    let mut reporter = Reporter::new(run.summary().rows, run.inputs());
    let end = work(&mut run, &scorer, &pipeline, &stop, |progress| reporter.update(progress))?;
    reporter.end(shown, run.summary(), run.inputs(), &inputs.skipped);
    let outcome = match end {
        End::Stopped => Outcome::Stopped,
        End::Complete if run.summary().failures.is_empty() => Outcome::Complete,
        End::Complete => Outcome::SomeFailed,
    };
    Ok((outcome, run.summary().clone()))
}

fn open(
    target: &Target,
    settings: Settings,
    earlier: Earlier,
    inputs: &mut Inputs<'_>,
) -> anyhow::Result<Run> {
    let mut list = |sink: &mut dyn FnMut(Source) -> io::Result<()>| inputs.list(sink);
    let run = match earlier {
        Earlier::Refuse => Run::begin(target, settings, &mut list),
        Earlier::Continue => Run::resume(target, settings, &mut list),
        #[cfg(feature = "search")]
        Earlier::Replace => Run::resume_or_replace(target, settings, &mut list, |_| {
            say("replacing what an earlier run left, which was of other inputs or options");
        }),
    };
    run.map_err(|error| match error {
        RunError::Exists { .. } => anyhow!("{error} (--resume continues it)"),
        error => error.into(),
    })
}

/// The inputs, which may be listed several times.
struct Inputs<'a> {
    job: &'a Job<'a>,
    /// Standard input, where it lists inputs: it can be read only once.
    stdin: Option<Vec<u8>>,
    skipped: Skipped,
    twice: Option<Twice>,
}

/// Two inputs of one name, by their number from 1.
struct Twice {
    first: u64,
    second: u64,
    id: String,
}

impl<'a> Inputs<'a> {
    fn new(job: &'a Job<'a>) -> anyhow::Result<Self> {
        // It is listed before it is scored, and a pipe gives its content once.
        if let Some(pipe) = job.inputs.iter().find(|input| files::is_pipe(input)) {
            bail!("{} is a pipe, which cannot be read again: save what it gives as a file", pipe.display());
        }
        let mut stdin = None;
        if job.inputs.iter().any(|input| input == Path::new("-")) {
            let list = inputs::read_list(&mut io::stdin().lock());
            stdin = Some(list.context("cannot read the list of inputs from standard input")?);
        }
        Ok(Self { job, stdin, skipped: Skipped::default(), twice: None })
    }

    fn list(
        &mut self,
        sink: &mut dyn FnMut(Source) -> io::Result<()>,
    ) -> Result<(), medclip_archive::IntakeError> {
        let Job { inputs, portion, unique, .. } = *self.job;
        let mut stdin = Cursor::new(self.stdin.as_deref().unwrap_or_default());
        let mut numbers = HashMap::new();
        let mut number = 0;
        let twice = &mut self.twice;
        self.skipped = expand_and_count(inputs, &inputs::intake(portion), &mut stdin, &mut |source| {
            number += 1;
            if unique && let Some(first) = numbers.insert(source.id(), number) {
                twice.get_or_insert_with(|| Twice { first, second: number, id: source.id() });
            }
            sink(source)
        })?;
        match &self.twice {
            Some(twice) => Err(io::Error::other(twice.error(false)).into()),
            None => Ok(()),
        }
    }
}

impl Twice {
    fn error(&self, with_name: bool) -> anyhow::Error {
        let Self { first, second, id } = self;
        let name = if with_name { format!(" ({id})") } else { String::new() };
        anyhow!("inputs {first} and {second} are the same{name}: name each film once")
    }
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
