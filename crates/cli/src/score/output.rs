//! `medclip score --output`.

use std::ffi::OsStr;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use clap::Args;
use medclip_archive::{CSV_TEXTS, EXACT, Format as RowFormat, Portion, Settings, Target};
use medclip_data::CellText;

use super::ScoreArgs;
use crate::Outcome;
use crate::output::Format;
use crate::scoring::{self, Earlier, Flow, Job};

/// Where an archive's scores go.
#[derive(Debug, Args)]
#[command(next_help_heading = "Archives")]
pub(super) struct OutputArgs {
    /// Write a row for every input to a directory of Parquet files, or to one file that ends in .parquet, .csv or .jsonl
    ///
    /// Rows are put on disk some hundred at a time and survive whatever ends the program; Ctrl-C finishes those at hand. One
    /// file is put together at the end, from `FILE.run` beside it. Names of inputs are in the rows and not in messages.
    #[arg(short, long, value_name = "DIR|FILE")]
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

pub(super) fn run(mut args: ScoreArgs, output: &Path) -> anyhow::Result<Outcome> {
    let target = target(output)?;
    let format = row_format(&target, args.format)?;
    args.csv.check(format == RowFormat::Csv)?;
    let directory = args.scoring.directory()?;
    let sums = args.sums()?;
    let flow = Flow::Batches(args.output.batch);
    let (scorer, pipeline) = args.open(&directory, &flow)?;
    let mut options = scoring::recorded(&scorer, &pipeline);
    options.extend(sums);
    if args.csv.cell_text() == CellText::Exact {
        options.insert(CSV_TEXTS.to_owned(), EXACT.to_owned());
    }
    let settings = Settings {
        schema: (**scorer.schema()).clone(),
        options,
        format,
        shard_size: args.output.shard_size,
        portion: args.output.shard,
        memory: Some(pipeline.memory),
    };
    let job = Job {
        inputs: &args.images,
        portion: args.output.shard,
        earlier: if args.output.resume { Earlier::Continue } else { Earlier::Refuse },
        unique: false,
        log_paths: args.output.log_paths,
        pipeline,
    };
    let (outcome, _) = scoring::run(&scorer, &target, settings, &job, output)?;
    Ok(outcome)
}

/// A file where its ending is one of a format's, otherwise a directory; names that look like files of other formats are
/// refused.
fn target(output: &Path) -> anyhow::Result<Target> {
    ensure!(
        output != Path::new("-"),
        "--output writes files: leave it out to have scores on standard output, as --format json or csv has them"
    );
    let is_directory = output.is_dir() || output.as_os_str().as_encoded_bytes().ends_with(b"/");
    if is_directory {
        return Ok(Target::Directory(output.to_owned()));
    }
    if RowFormat::of(output).is_some() {
        return Ok(Target::File(output.to_owned()));
    }
    if let Some(ending) = file_ending(output) {
        bail!(
            "cannot write {}: .{ending} is no format of scores. Name a file that ends in .parquet, .csv or .jsonl (JSON, an \
             object a line), or end the name in / for a directory",
            output.display()
        );
    }
    Ok(Target::Directory(output.to_owned()))
}

/// What follows the last dot where that is how a file's name ends, rather than a number or a part of a sentence.
fn file_ending(output: &Path) -> Option<&str> {
    let ending = output.extension().and_then(OsStr::to_str)?;
    let is_ending = ending.len() <= 10 && ending.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (is_ending && ending.starts_with(|first: char| first.is_ascii_alphabetic())).then_some(ending)
}

fn row_format(target: &Target, wanted: Option<Format>) -> anyhow::Result<RowFormat> {
    let wanted = match wanted {
        None => None,
        Some(Format::Json) => Some(RowFormat::Jsonl),
        Some(Format::Csv) => Some(RowFormat::Csv),
        Some(Format::Table) => {
            bail!("--output writes no tables for people: choose json or csv, or leave --format out")
        }
    };
    let Target::File(path) = target else { return Ok(wanted.unwrap_or(RowFormat::Parquet)) };
    let by_ending = RowFormat::of(path).context("a file without a known ending")?;
    ensure!(
        wanted.is_none_or(|wanted| wanted == by_ending),
        "--format does not agree with the ending of {}",
        path.display()
    );
    Ok(by_ending)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_looks_like_a_file_never_becomes_a_directory() {
        for name in ["s.parquet", "a/s.CSV", "s.jsonl"] {
            assert_eq!(target(Path::new(name)).unwrap(), Target::File(name.into()));
        }
        for name in ["scores", "a/b", "run-2024.11", "v1.2/", "scores.json/", "..", "./x", ".hidden"] {
            assert_eq!(target(Path::new(name)).unwrap(), Target::Directory(name.into()));
        }
        for name in [
            "s.json",
            "s.tsv",
            "s.csv.gz",
            "s.xlsx",
            "s.ndjson",
            "s.parquet.zst",
            "a/s.JSON",
            "s.txt",
            "s.db",
        ] {
            let error = target(Path::new(name)).unwrap_err().to_string();
            assert!(error.contains(name) && error.contains(".parquet, .csv or .jsonl"), "{error}");
        }
        assert!(target(Path::new("-")).unwrap_err().to_string().contains("standard output"));
    }
}
