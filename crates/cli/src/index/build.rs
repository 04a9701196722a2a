//! `medclip index build`.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::{anyhow, ensure};
use clap::Args;
use medclip_archive::{Earlier, Flow, JobOptions, Run, Settings, Target};
use medclip_decode::DecodeOptions;
use medclip_index::{GatherError, IndexBuilder, Layout, gather, row_files};
use medclip_qc::Policy;

use crate::scoring::{self, PROGRAM, ScoringArgs, open_job};
use crate::{Outcome, say};

/// Embed the images of an archive and write them as an index
///
/// Images are embedded into `PATH.run` beside the index, which goes when the index is there. A build that was stopped is
/// continued; where it was of other images or options it is replaced, unless `--resume` insists on it. With `--scores` nothing
/// is embedded: vectors come from the Parquet files of `medclip score --output … --columns embedding`.
///
/// The index keeps how its films were shown and what its checks left out, and queries are treated alike.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  medclip index build studies/ old.zip -o films.index --resume
  medclip index build --scores scores/ -o films.index

Exit status: 0 all images are in the index, 1 some are not, 2 could not run, 3 stopped by Ctrl-C and can be resumed.")]
pub(crate) struct BuildArgs {
    /// Files, directories, archives, patterns, tables with a column `path`, or `-`, as for `score --output`
    #[arg(value_name = "IMAGES", required_unless_present = "scores", conflicts_with = "scores")]
    images: Vec<PathBuf>,
    /// Take the embeddings of these Parquet files or directories of them
    #[arg(long, value_name = "DIR|FILE", num_args = 1..)]
    scores: Vec<PathBuf>,
    /// File to write
    #[arg(short, long, value_name = "PATH")]
    output: PathBuf,
    #[command(flatten)]
    scoring: ScoringArgs,
    /// Images that run through the model at once [default: 1 with tract, 16 with ort-cpu, 32 on a device]
    #[arg(long, value_name = "N")]
    batch: Option<NonZeroUsize>,
    /// Continue where embedding the same images was stopped, and fail if it was of others
    #[arg(long)]
    resume: bool,
    /// Name inputs that cannot be embedded, or that are named twice, on standard error
    #[arg(long)]
    log_paths: bool,
    /// Keep vectors as they come, for exact search alone [default below 200000 vectors]
    #[arg(long, conflicts_with = "recall")]
    flat: bool,
    /// Sort vectors into lists, so that a query reads a part of them and finds this share of the ten nearest [default above:
    /// 0.99]
    #[arg(long, value_name = "SHARE")]
    recall: Option<f64>,
}

pub(super) fn run(args: &BuildArgs) -> anyhow::Result<Outcome> {
    ensure!(!args.output.is_dir(), "{} is a directory", args.output.display());
    if let Some(recall) = args.recall {
        ensure!(recall > 0.0 && recall <= 1.0, "--recall is above 0 and at most 1, not {recall}");
    }
    if args.scores.is_empty() {
        return embed(args);
    }
    let is_default = args.scoring.checks.policy()? == Policy::default()
        && args.scoring.decode.options() == DecodeOptions::default();
    ensure!(
        is_default,
        "the embeddings of --scores are of films as they were scored: give --qc, --frame and --window to score instead"
    );
    let mut files = Vec::new();
    for path in &args.scores {
        files.extend(row_files(path).map_err(|error| match error {
            GatherError::Unfinished { .. } => anyhow!("{error}, with score --resume"),
            error => error.into(),
        })?);
    }
    let gathered = gather(&files)?;
    write(gathered.builder, args)?;
    Ok(Outcome::failed_if(gathered.without > 0))
}

fn embed(args: &BuildArgs) -> anyhow::Result<Outcome> {
    let (scorer, pipeline) =
        args.scoring.open(Flow::Batches(args.batch), |builder| builder.embeddings(true))?;
    let settings = Settings::of(&scorer, pipeline.batch, pipeline.memory, PROGRAM);
    let rows = Target::File(args.output.clone()).directory();
    let options = JobOptions {
        inputs: &args.images,
        earlier: if args.resume { Earlier::Continue } else { Earlier::Replace },
        unique: true,
        pipeline,
        maps: None,
    };
    let job = open_job(options, &Target::Directory(rows.clone()), settings, args.log_paths)?;
    let outcome = scoring::run(&scorer, job, args.log_paths, &rows)?;
    if outcome == Outcome::Stopped {
        return Ok(outcome);
    }
    let gathered = row_files(&rows).and_then(|files| gather(&files));
    if gathered.is_err() {
        // There is nothing in it that another build could use. The first error is the one to report.
        let _ = Run::remove(&rows);
    }
    write(gathered?.builder, args)?;
    Run::remove(&rows)?;
    Ok(outcome)
}

fn write(builder: IndexBuilder, args: &BuildArgs) -> anyhow::Result<()> {
    let layout = Layout::wanted(args.recall, args.flat, builder.len());
    let begun = Instant::now();
    let report = builder.write(&args.output, layout)?;
    let (path, seconds) = (args.output.display(), begun.elapsed().as_secs_f64());
    say(&format!("{path}: {report}, written in {seconds:.1} s"));
    Ok(())
}
