//! What `score` and `index build` share: a scorer, and runs of it over inputs of any number.

mod progress;

use std::collections::BTreeMap;
use std::io::{self, stdin};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use clap::Args;
use medclip_archive::{
    End, InputList, InputOptions, MapWriter, PipelineOptions, Portion, Run, RunError, Settings, Source,
    Target, work,
};
use medclip_core::budget;
use medclip_scorer::{Scorer, ScorerBuilder};

use crate::check_args::CheckArgs;
use crate::decode_args::DecodeArgs;
use crate::engine::EngineArgs;
use crate::interrupt::stop_on_interrupt;
use crate::models::ModelArg;
use crate::private::told;
#[cfg(feature = "search")]
use crate::say;
use crate::{Outcome, report_error};
use progress::Reporter;

/// What scores, and how.
#[derive(Debug, Args)]
pub(crate) struct ScoringArgs {
    #[command(flatten)]
    model: ModelArg,
    #[command(flatten)]
    pub(crate) checks: CheckArgs,
    #[command(flatten)]
    engine: EngineArgs,
    /// Memory that films may take together while they are read and decoded, such as 2G or 512M [default: half of the
    /// machine's, or of what its limits allow, less the model]
    ///
    /// A film waits until there is memory for it. One that alone needs more is an error: score it with more memory.
    #[arg(long, value_name = "SIZE", value_parser = budget::parse_size)]
    memory: Option<u64>,
    #[command(flatten)]
    pub(crate) decode: DecodeArgs,
}

/// How films go through the model.
pub(crate) enum Flow {
    /// So many inputs, each as soon as it can be.
    AtOnce(usize),
    /// Any number, so many in a batch; where nobody says, as many as suit the engine.
    Batches(Option<NonZeroUsize>),
}

impl ScoringArgs {
    /// The model's directory, decided once.
    pub(crate) fn directory(&self) -> anyhow::Result<PathBuf> {
        self.model.clone().resolve()
    }

    /// A scorer of the bundle in `directory`, and how to run it. `choose` makes further choices.
    pub(crate) fn open(
        &mut self,
        directory: &Path,
        flow: &Flow,
        choose: impl FnOnce(ScorerBuilder) -> ScorerBuilder,
    ) -> anyhow::Result<(Scorer, PipelineOptions)> {
        let threads = self.engine.threads();
        let engine = self.engine.settle(directory)?;
        let memory = self.memory.unwrap_or_else(|| budget::beside_files(directory));
        let (options, of_model) = match *flow {
            Flow::AtOnce(inputs) => PipelineOptions::at_once(threads, inputs, memory),
            Flow::Batches(batch) => {
                PipelineOptions::in_batches(threads, batch.unwrap_or(engine.preferred_batch()), memory)
            }
        };
        let builder = Scorer::builder()
            .bundle(directory)
            .engine(engine)
            .precision(self.engine.precision())
            .threads(of_model)
            .checks(self.checks.policy()?)
            .decoding(self.decode.options());
        Ok((choose(builder).open()?, options))
    }
}

/// What is recorded of a run beside its schema.
pub(crate) fn recorded(scorer: &Scorer, options: &PipelineOptions) -> BTreeMap<String, String> {
    let mut recorded = scorer.record();
    recorded.insert("program".to_owned(), format!("medclip {}", env!("CARGO_PKG_VERSION")));
    recorded.insert("batch".to_owned(), options.batch.to_string());
    recorded
}

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
    pub(crate) pipeline: PipelineOptions,
    /// What writes maps, where they are wanted.
    pub(crate) maps: Option<MapWriter>,
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

/// Scores the inputs that have no row yet. `shown` names the run in messages.
pub(crate) fn run(
    scorer: &Scorer,
    target: &Target,
    settings: Settings,
    job: &Job<'_>,
    shown: &Path,
) -> anyhow::Result<Outcome> {
    let options = InputOptions { portion: job.portion, ..InputOptions::films() };
    let mut inputs = InputList::new(job.inputs, options, job.unique, &mut stdin().lock())?;
    let run = open(target, settings, job.earlier, &mut inputs);
    let mut run = run.map_err(|error| told(error, job.log_paths))?;
    let stop = stop_on_interrupt("stopping after the rows at hand; Ctrl-C once more stops at once")?;
    let mut reporter = Reporter::new(run.summary().rows, run.inputs());
    let end = work(&mut run, scorer, &job.pipeline, &stop, |report, progress| {
        // Before its row counts, so that no film with a row lacks its maps.
        job.maps.iter().try_for_each(|maps| maps.write(report))?;
        reporter.update(progress);
        if let Some(failure) = report.failure().filter(|_| job.log_paths) {
            let path = report.path.as_deref().unwrap_or_default();
            reporter.suspend(|| report_error(&format!("{path}: {}", failure.message)));
        }
        Ok(())
    })?;
    reporter.end(shown, run.summary(), run.inputs(), inputs.skipped());
    Ok(match end {
        End::Stopped => Outcome::Stopped,
        End::Complete if run.summary().failures.is_empty() => Outcome::Complete,
        End::Complete => Outcome::SomeFailed,
    })
}

fn open(
    target: &Target,
    settings: Settings,
    earlier: Earlier,
    inputs: &mut InputList<'_>,
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
        RunError::Inputs(error) => error.into(),
        error => error.into(),
    })
}
