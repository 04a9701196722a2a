//! `medclip index build`.

use std::collections::BTreeMap;
use std::fs;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, bail, ensure};
use clap::Args;
use medclip_archive::{EmbeddingsError, Format, Run, Settings, Target, describe_embeddings, read_embeddings};
use medclip_decode::DecodeOptions;
use medclip_index::{BuildError, IndexBuilder, Layout};
use medclip_qc::Policy;

use crate::scoring::{self, Earlier, Flow, Job, ScoringArgs};
use crate::{Outcome, say};

/// Rows that are put on disk together while images are embedded.
const SHARD_SIZE: u32 = 512;

/// Embed the images of an archive and write them as an index
///
/// Images are embedded into `INDEX.run` beside the index, which goes when the index is there. A build that was stopped is
/// continued; where it was of other images or options it is replaced, unless `--resume` insists on it. With `--scores` nothing
/// is embedded: vectors come from the Parquet files of `medclip score --output … --columns embedding`.
///
/// The index keeps how its films were shown and what its checks left out, and queries are treated alike.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  medclip index build films.index studies/ old.zip --resume
  medclip index build films.index --scores scores/

Exit status: 0 all images are in the index, 1 some are not, 2 could not run, 3 stopped by Ctrl-C and can be resumed.")]
pub(super) struct BuildArgs {
    /// File to write
    index: PathBuf,
    /// Files, directories, archives, patterns, tables with a column `path`, or `-`, as for `score --output`
    #[arg(value_name = "IMAGES", required_unless_present = "scores", conflicts_with = "scores")]
    images: Vec<PathBuf>,
    /// Take the embeddings of these Parquet files or directories of them
    #[arg(long, value_name = "DIR|FILE", num_args = 1..)]
    scores: Vec<PathBuf>,
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

pub(super) fn run(args: BuildArgs) -> anyhow::Result<Outcome> {
    ensure!(!args.index.is_dir(), "{} is a directory", args.index.display());
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
        files.extend(parquet_files(path)?);
    }
    let (builder, without) = read(&files)?;
    write(builder, &args)?;
    Ok(if without == 0 { Outcome::Complete } else { Outcome::SomeFailed })
}

fn embed(mut args: BuildArgs) -> anyhow::Result<Outcome> {
    let directory = args.scoring.directory()?;
    let (scorer, pipeline) =
        args.scoring.open(&directory, &Flow::Batches(args.batch), |builder| builder.embeddings(true))?;
    let settings = Settings {
        schema: (**scorer.schema()).clone(),
        options: scoring::recorded(&scorer, &pipeline),
        format: Format::Parquet,
        shard_size: NonZeroU32::new(SHARD_SIZE).unwrap_or(NonZeroU32::MIN),
        portion: None,
        memory: Some(pipeline.memory),
    };
    let mut beside = args.index.clone().into_os_string();
    beside.push(".run");
    let rows = PathBuf::from(beside);
    let job = Job {
        inputs: &args.images,
        portion: None,
        earlier: if args.resume { Earlier::Continue } else { Earlier::Replace },
        unique: true,
        log_paths: args.log_paths,
        pipeline,
    };
    let target = Target::Directory(rows.clone());
    let (outcome, _) = scoring::run(&scorer, &target, settings, &job, &rows)?;
    if outcome == Outcome::Stopped {
        return Ok(outcome);
    }
    let read = parquet_files(&rows).and_then(|files| read(&files));
    if read.is_err() {
        // There is nothing in it that another build could use. The first error is the one to report.
        let _ = Run::remove(&rows);
    }
    write(read?.0, &args)?;
    Run::remove(&rows)?;
    Ok(outcome)
}

/// The file itself, or those of rows in a directory of `score --output`.
fn parquet_files(path: &Path) -> anyhow::Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let control = path.join("_medclip");
    if control.exists() && !control.join("finished.json").exists() {
        bail!("{} is not finished: continue it first, with score --resume", path.display());
    }
    let listed = fs::read_dir(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut files = Vec::new();
    for entry in listed {
        let file = entry.with_context(|| format!("cannot read {}", path.display()))?.path();
        if Format::of(&file) == Some(Format::Parquet) {
            files.push(file);
        }
    }
    files.sort();
    ensure!(!files.is_empty(), "{} has no Parquet file", path.display());
    Ok(files)
}

/// All embeddings of the files, and how many rows have none. They have to be of one model, and of films shown alike.
fn read(files: &[PathBuf]) -> anyhow::Result<(IndexBuilder, u64)> {
    let mut shown: Option<(&Path, Option<BTreeMap<String, String>>)> = None;
    let mut name = None;
    for file in files {
        let said = describe_embeddings(file)?;
        let options = said.options.map(shown_by);
        match &shown {
            None => shown = Some((file, options)),
            Some((first, other)) => {
                let alike = *other == options;
                ensure!(alike, "{} and {} show films otherwise: {}", first.display(), file.display(), {
                    differences(other.as_ref(), options.as_ref())
                });
            }
        }
        name = name.or(said.model);
    }
    let options = shown.and_then(|(_, options)| options);
    let mut builder: Option<(String, IndexBuilder)> = None;
    let mut without = 0;
    for file in files {
        let mut row = 0;
        without += read_embeddings(file, |path, model_id, embedding| -> Result<(), ReadError> {
            row += 1;
            let builder = match &mut builder {
                Some((first, builder)) if first == model_id => builder,
                Some((first, _)) => {
                    return Err(ReadError::Models { first: first.clone(), other: model_id.to_owned() });
                }
                none => {
                    let new = IndexBuilder::new(name.as_deref().unwrap_or(""), model_id, embedding.len())?;
                    let new = match &options {
                        Some(options) => new.with_options(options.clone()),
                        None => new,
                    };
                    &mut none.insert((model_id.to_owned(), new)).1
                }
            };
            builder.push(path, embedding).map_err(|error| match error {
                BuildError::Twice { .. } => {
                    ReadError::Row { row, reason: "an earlier row has the same path" }
                }
                BuildError::NoDirection { .. } => ReadError::Row { row, reason: "it is zero or not finite" },
                BuildError::Width { .. } => ReadError::Row { row, reason: "it has another width" },
                error => error.into(),
            })
        })
        .with_context(|| format!("cannot take the embeddings of {}", file.display()))?;
    }
    let (_, builder) = builder.context("no image has an embedding, so there is nothing to search")?;
    Ok((builder, without))
}

/// Those options of a run that decide what an embedding is of.
fn shown_by(mut options: BTreeMap<String, String>) -> BTreeMap<String, String> {
    for name in ["batch", "program", "prompts", "head"] {
        options.remove(name);
    }
    options
}

/// What differs, without the names of inputs.
fn differences(a: Option<&BTreeMap<String, String>>, b: Option<&BTreeMap<String, String>>) -> String {
    let (Some(a), Some(b)) = (a, b) else { return "one of them does not say how".to_owned() };
    let names: std::collections::BTreeSet<&String> = a.keys().chain(b.keys()).collect();
    let value = |of: &BTreeMap<String, String>, name: &String| of.get(name).cloned().unwrap_or_default();
    let differs = names.into_iter().filter(|name| a.get(*name) != b.get(*name));
    let told: Vec<String> =
        differs.map(|name| format!("{name} `{}` and `{}`", value(a, name), value(b, name))).collect();
    told.join(", ")
}

#[derive(Debug, thiserror::Error)]
enum ReadError {
    #[error(transparent)]
    Embeddings(#[from] EmbeddingsError),
    #[error(transparent)]
    Build(#[from] BuildError),
    #[error("embeddings of several models cannot be compared: {first} and {other}")]
    Models { first: String, other: String },
    #[error("embedding {row} cannot be taken: {reason}")]
    Row { row: u64, reason: &'static str },
}

fn write(builder: IndexBuilder, args: &BuildArgs) -> anyhow::Result<()> {
    let layout = match args.recall {
        Some(recall) => Layout::Lists { recall },
        None if args.flat => Layout::Flat,
        None => Layout::of_size(builder.len()),
    };
    let begun = Instant::now();
    let report = builder.write(&args.index, layout)?;
    let (path, rows, seconds) = (args.index.display(), report.rows, begun.elapsed().as_secs_f64());
    let lists = report.recall.map_or_else(String::new, |recall| {
        format!(", {} lists of which a query reads {}, recall@10 {recall:.4}", report.lists, report.probes)
    });
    say(&format!("{path}: {rows} vectors{lists}, written in {seconds:.1} s"));
    Ok(())
}
