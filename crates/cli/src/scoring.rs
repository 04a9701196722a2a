//! What `score` and `index build` share: a scorer, and runs of it over inputs of any number.

mod progress;

use std::io::stdin;
use std::path::Path;

use anyhow::anyhow;
use clap::Args;
use medclip_archive::{End, Flow, Job, JobOptions, PipelineOptions, RunError, Settings, Target};
use medclip_core::budget;
use medclip_scorer::{Scorer, ScorerBuilder};

use crate::check_args::CheckArgs;
use crate::decode_args::DecodeArgs;
use crate::engine::EngineArgs;
use crate::interrupt::stop_on_interrupt;
use crate::models::ModelArg;
use crate::private::told;
use crate::{Outcome, report_error, say};
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

impl ScoringArgs {
    /// A scorer, and how to run it. `choose` makes further choices.
    pub(crate) fn open(
        &self,
        flow: Flow,
        choose: impl FnOnce(ScorerBuilder) -> ScorerBuilder,
    ) -> anyhow::Result<(Scorer, PipelineOptions)> {
        let threads = self.engine.threads();
        let directory = &self.model.clone().resolve()?;
        let engine = self.engine.settle(directory)?;
        let memory = self.memory.unwrap_or_else(|| budget::beside_files(directory));
        let (options, of_model) = flow.options(threads, engine.preferred_batch(), memory);
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

/// What the record of a run says of this program.
pub(crate) const PROGRAM: &str = concat!("medclip ", env!("CARGO_PKG_VERSION"));

/// Begins or continues a run. Inputs that cannot be listed are named only with `log_paths`.
pub(crate) fn open_job<'a>(
    options: JobOptions<'a>,
    target: &Target,
    settings: Settings,
    log_paths: bool,
) -> anyhow::Result<Job<'a>> {
    let replaced = |_: &RunError| {
        say("replacing what an earlier run left, which was of other inputs or options");
    };
    let job = Job::open(options, target, settings, &mut stdin().lock(), replaced);
    job.map_err(|error| match error {
        RunError::Exists { .. } => anyhow!("{error} (--resume continues it)"),
        error => told(error.into(), log_paths),
    })
}

/// Scores the inputs that have no row yet. `shown` names the run in messages.
pub(crate) fn run(
    scorer: &Scorer,
    mut job: Job<'_>,
    log_paths: bool,
    shown: &Path,
) -> anyhow::Result<Outcome> {
    let stop = stop_on_interrupt("stopping after the rows at hand; Ctrl-C once more stops at once")?;
    let mut reporter = Reporter::new(&job);
    let end = job.work(scorer, stop, |report, progress| {
        reporter.update(progress);
        if let Some(failure) = report.failure().filter(|_| log_paths) {
            let path = report.path.as_deref().unwrap_or_default();
            reporter.suspend(|| report_error(&format!("{path}: {}", failure.message)));
        }
        Ok(())
    })?;
    reporter.end(shown, &job);
    Ok(match end {
        End::Stopped => Outcome::Stopped,
        End::Complete => Outcome::failed_if(!job.summary().failures.is_empty()),
    })
}
