//! `medclip score --output`.

use std::num::{NonZeroU32, NonZeroUsize};
use std::path::{Path, PathBuf};

use anyhow::{anyhow, bail, ensure};
use clap::Args;
use medclip_archive::{
    CSV_TEXTS, EXACT, Earlier, Flow, Format as RowFormat, JobOptions, Portion, Settings, Target, TargetError,
};
use medclip_data::CellText;

use super::ScoreArgs;
use crate::Outcome;
use crate::output::Format;
use crate::scoring::{self, PROGRAM, open_job};

/// Where an archive's scores go.
#[derive(Debug, Args)]
#[command(next_help_heading = "Archives")]
pub(super) struct OutputArgs {
    /// Write a row for every input to a directory of Parquet files, or to one file that ends in .parquet, .csv or .jsonl
    ///
    /// Rows are put on disk some hundred at a time and survive whatever ends the program; Ctrl-C finishes those at hand. One
    /// file is put together at the end, from `PATH.run` beside it. Names of inputs are in the rows and not in messages.
    #[arg(short, long, value_name = "PATH")]
    pub(super) output: Option<PathBuf>,
    /// Go on where a run with the same inputs, model and options was stopped; begins one where there is none
    #[arg(long, requires = "output")]
    resume: bool,
    /// Score the I-th of N parts of the inputs, on N machines
    #[arg(long, requires = "output", value_name = "I/N")]
    shard: Option<Portion>,
    /// Rows that are put on disk together
    #[arg(long, requires = "output", value_name = "ROWS", default_value = "512")]
    shard_size: NonZeroU32,
    /// Images that run through the model at once [default: 1 with tract, 16 with ort-cpu, 32 on a device]
    #[arg(long, requires = "output", value_name = "N")]
    batch: Option<NonZeroUsize>,
    /// Name inputs that cannot be scored on standard error
    #[arg(long, requires = "output")]
    log_paths: bool,
}

pub(super) fn run(args: &ScoreArgs, output: &Path) -> anyhow::Result<Outcome> {
    ensure!(
        output != Path::new("-"),
        "--output writes files: leave it out to have scores on standard output, as --format json or csv has them"
    );
    let target = Target::named(output)?;
    let format = target.format(row_format(args.format)?).map_err(|error| match error {
        TargetError::Format { path } => {
            anyhow!("--format does not agree with the ending of {}", path.display())
        }
        error => error.into(),
    })?;
    args.csv.check(format == RowFormat::Csv)?;
    let sums = args.sums()?;
    let flow = Flow::Batches(args.output.batch);
    let (scorer, pipeline) = args.open(flow)?;
    let mut settings = Settings {
        format,
        shard_size: args.output.shard_size,
        portion: args.output.shard,
        ..Settings::of(&scorer, pipeline.batch, pipeline.memory, PROGRAM)
    };
    settings.options.extend(sums);
    if args.csv.cell_text() == CellText::Exact {
        settings.options.insert(CSV_TEXTS.to_owned(), EXACT.to_owned());
    }
    let options = JobOptions {
        inputs: &args.images,
        earlier: if args.output.resume { Earlier::Continue } else { Earlier::Refuse },
        unique: false,
        pipeline,
        maps: args.maps.open(scorer.schema())?,
    };
    let log_paths = args.output.log_paths;
    let job = open_job(options, &target, settings, log_paths)?;
    scoring::run(&scorer, job, log_paths, output)
}

/// The format of rows that `--format` asks for.
fn row_format(wanted: Option<Format>) -> anyhow::Result<Option<RowFormat>> {
    Ok(match wanted {
        None => None,
        Some(Format::Json) => Some(RowFormat::Jsonl),
        Some(Format::Csv) => Some(RowFormat::Csv),
        Some(Format::Table) => {
            bail!("--output writes no tables for people: choose json or csv, or leave --format out")
        }
    })
}
