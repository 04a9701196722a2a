//! `medclip bench`: how fast engines run a model.

use std::env;
use std::io::stdin;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::Command;

use clap::Args;
use medclip_bundling::{BenchOptions, bench_worker};
use medclip_runtime::{EngineKind, PrecisionChoice, TowerKind};

use crate::Outcome;
use crate::models::ModelArg;
use crate::output::{ReportFormat, locked_stdout, print_report, progress};
use crate::values::tower;

/// Measure engines on a model: latency, throughput, load time, peak memory
///
/// Every engine and number of threads gets a process of its own, so that neither memory nor threads mix. Rounds go
/// through all of them in turn: a disturbance meets all alike, and the last column compares neighbours within rounds.
/// Images are preprocessed before; tokenization counts as part of the text tower.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct BenchArgs {
    #[command(flatten)]
    model: ModelArg,
    /// Engine to measure; may be repeated, the first is what the others are compared with [default: all that run here]
    #[arg(long, value_name = "ENGINE", value_delimiter = ',')]
    engine: Vec<EngineKind>,
    /// Precision to measure every engine in, as far as the bundle holds it: fp32, fp16, int8, or auto for each engine's
    /// fastest; may be repeated, the first is what the others are compared with
    #[arg(long, value_name = "PRECISION", value_delimiter = ',', default_value = "auto")]
    precision: Vec<PrecisionChoice>,
    /// Images, or sentences, in one call; may be repeated
    #[arg(long, value_name = "N", value_delimiter = ',', default_value = "1,8")]
    batch: Vec<NonZeroUsize>,
    /// Threads one call may use; may be repeated
    #[arg(long, value_name = "N", value_delimiter = ',', default_value = "1,2")]
    threads: Vec<NonZeroUsize>,
    /// Tower to measure; may be repeated
    #[arg(long, value_name = "TOWER", value_delimiter = ',', default_value = "image", value_parser = tower())]
    tower: Vec<TowerKind>,
    /// Rounds through all settings
    #[arg(long, value_name = "N", default_value = "10")]
    rounds: NonZeroUsize,
    /// Calls of one setting in one round
    #[arg(long, value_name = "N", default_value = "5")]
    runs: NonZeroUsize,
    /// Output format
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: ReportFormat,
}

const EXAMPLES: &str = "\
Examples:
  medclip bench
  medclip bench --model edge-int8 --engine ort-cpu --precision fp32,int8
  medclip bench --engine tract,ort-cpu --threads 1,2 --tower image,text --format json";

/// Run one engine for `medclip bench`
#[derive(Debug, Args)]
pub(crate) struct WorkerArgs {
    bundle: PathBuf,
}

pub(crate) fn run(args: BenchArgs) -> anyhow::Result<Outcome> {
    // Read once before anyone's load time is taken, so that all find the files in the system's cache.
    let bundle = args.model.open()?;
    let options = BenchOptions {
        engines: args.engine,
        precisions: args.precision,
        batches: args.batch,
        threads: args.threads,
        towers: args.tower,
        rounds: args.rounds,
        runs: args.runs,
    };
    let worker = || {
        let mut command = Command::new(env::current_exe()?);
        command.arg("bench-worker").arg(bundle.directory());
        Ok(command)
    };
    let bar = progress(args.rounds.get(), "rounds");
    let report = medclip_bundling::bench(&bundle, &options, worker, || bar.inc(1));
    bar.finish_and_clear();
    let report = report?;
    print_report(args.format, &report)?;
    Ok(Outcome::Complete)
}

pub(crate) fn work(args: &WorkerArgs) -> anyhow::Result<Outcome> {
    bench_worker(&args.bundle, stdin().lock(), locked_stdout())?;
    Ok(Outcome::Complete)
}
