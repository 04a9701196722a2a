//! `medclip score`: images to findings.

mod maps;
mod output;
mod table;

use std::collections::BTreeMap;
use std::io::{Write, stdin};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use anyhow::Context;
use clap::{Args, ValueEnum};
use medclip_archive::{CsvWriter, Flow, PipelineOptions, Progress, Search, stream};
use medclip_core::prompt::{PromptDoubts, sentences};
use medclip_decode::PatientFields;
use medclip_files::sha256_of_file;
use medclip_runtime::{Head, PromptSet};
use medclip_scorer::{OpenError, Report, Scorer, ScorerBuilder};

use crate::output::{CsvArgs, Format, RESEARCH_USE, progress};
use crate::printer::Printer;
use crate::scoring::ScoringArgs;
use crate::{Outcome, report_error, say};

/// Score chest radiographs
///
/// Prints scores in the order of the images, as they are done. An image that cannot be scored is reported on standard
/// error, and as the `error` of its record in `json` and `csv`; the rest is scored all the same.
///
/// A probability compares the positive prompts of a class with the negative ones; it is not a calibrated
/// probability of disease. Research use only, not for diagnosis.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ScoreArgs {
    /// Films (DICOM, JPEG, PNG, TIFF, BMP, WebP), or directories, zip and tar archives to search for them
    ///
    /// Directories are searched recursively and sorted by name; DICOM, JPEG and PNG files are found whatever their name.
    /// Quoted patterns, tables (.csv, .parquet) with a column `path`, and `-` for a list on standard input name films too.
    #[arg(required = true, value_name = "IMAGES")]
    images: Vec<PathBuf>,
    /// Score the classes of this prompt file instead of the model's own; loads the text tower
    #[arg(long, value_name = "FILE")]
    prompts: Option<PathBuf>,
    /// Score with the classifiers of this file instead, which `medclip fit probe` fitted for this very model
    #[arg(long, value_name = "FILE", conflicts_with = "prompts")]
    head: Option<PathBuf>,
    /// Output format: a table for people, one JSON object a line, or CSV [default: table; Parquet with --output]
    #[arg(long, value_enum, value_name = "FORMAT")]
    format: Option<Format>,
    #[command(flatten)]
    csv: CsvArgs,
    /// First run the images and sentences that the model carries with their embeddings, and fail if it gives others here
    #[arg(long)]
    self_test: bool,
    /// Further fields of every record, separated by commas
    #[arg(long, value_enum, value_delimiter = ',', value_name = "COLUMN")]
    columns: Vec<Column>,
    #[command(flatten)]
    maps: maps::MapArgs,
    #[command(flatten)]
    scoring: ScoringArgs,
    #[command(flatten)]
    output: output::OutputArgs,
}

/// A field of a record that is there on request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
enum Column {
    /// The patient's number, where a DICOM file gives one.
    PatientId,
    /// The date of the study.
    StudyDate,
    /// The patient's sex.
    Sex,
    /// The patient's age.
    Age,
    /// The film's embedding.
    Embedding,
}

const EXAMPLES: &str = "\
Examples:
  medclip score chest.jpg
  medclip score --format json studies/ > scores.jsonl
  medclip score --prompts prompts.toml --format csv a.png b.png
  medclip score --engine ort-cpu studies/
  medclip score --window 2048,3000 chest.dcm
  medclip score --output scores.parquet --resume studies/ old.zip

Exit status: 0 all scored, 1 some images failed, 2 could not run, 3 stopped by Ctrl-C and can be resumed.";

pub(crate) fn run(args: &ScoreArgs) -> anyhow::Result<Outcome> {
    match &args.output.output {
        Some(output) => output::run(args, output),
        None => print(args),
    }
}

/// Reports to standard output.
fn print(args: &ScoreArgs) -> anyhow::Result<Outcome> {
    let format = args.format.unwrap_or_default();
    args.csv.check(format == Format::Csv)?;
    let search = Search::new(&args.images, &mut stdin().lock())?;
    let (scorer, options) = args.open(Flow::AtOnce(search.sources.len()))?;
    let maps = args.maps.open(scorer.schema())?;
    let mut printer = Printer::new(format, |out| CsvWriter::new(out, scorer.schema(), args.csv.cell_text()))?;
    let bar = progress(search.sources.len(), "images");
    let mut last = Progress { done: 0, total: 0, failed: 0 };
    let sink = |report: Report, progress: Progress| {
        last = progress;
        bar.inc(1);
        bar.suspend(|| {
            if let Some(failure) = report.failure() {
                let path = report.path.as_deref().unwrap_or_default();
                report_error(&format!("{path}: {}", failure.message));
            }
            printer.write(&report, |out| table::write(out, &report), |csv| csv.write(&report))
        })?;
        maps.iter().try_for_each(|maps| maps.write(&report)).map_err(anyhow::Error::from)
    };
    stream(&search.sources, &search.pipes, &scorer, &options, &AtomicBool::new(false), sink)?;
    bar.finish_and_clear();
    printer.end(|out| writeln!(out, "{RESEARCH_USE}"))?;
    if let Some(summary) = search.summary(last.done - last.failed, last.failed) {
        say(&summary);
    }
    Ok(Outcome::failed_if(last.failed > 0))
}

impl ScoreArgs {
    /// The scorer that the command line asks for, and how to run it.
    fn open(&self, flow: Flow) -> anyhow::Result<(Scorer, PipelineOptions)> {
        let prompts = used("prompts", self.prompts.as_deref(), PromptSet::open)?;
        let head = used("head", self.head.as_deref(), Head::open)?;
        let wants = |column| self.columns.contains(&column);
        let patient = PatientFields {
            id: wants(Column::PatientId),
            study_date: wants(Column::StudyDate),
            sex: wants(Column::Sex),
            age: wants(Column::Age),
        };
        let (embeddings, self_test, maps) =
            (wants(Column::Embedding), self.self_test, self.maps.are_wanted());
        let of_prompts = prompts.clone();
        let choose = |builder: ScorerBuilder| {
            let builder = builder.patient(patient).embeddings(embeddings).self_test(self_test).maps(maps);
            match (of_prompts, head) {
                (Some(prompts), _) => builder.prompts(prompts),
                (None, Some(head)) => builder.head(head),
                (None, None) => builder,
            }
        };
        let opened = self.scoring.open(flow, choose).map_err(|error| match error.downcast() {
            Ok(OpenError::Prompts(error)) => {
                anyhow::Error::from(error).context(unusable("prompts", self.prompts.as_deref()))
            }
            Ok(OpenError::Head(error)) => {
                anyhow::Error::from(error).context(unusable("head", self.head.as_deref()))
            }
            Ok(error) => error.into(),
            Err(error) => error,
        })?;
        if let Some(prompts) = prompts {
            let model = opened.0.model();
            let classes = prompts.expand();
            let doubts = PromptDoubts::of(sentences(&classes), |sentence| model.doubts(sentence));
            if let Some(doubts) = doubts.context("cannot tokenize the prompts")? {
                say(&format!("warning: {doubts}"));
            }
        }
        Ok(opened)
    }

    /// SHA-256 of the files that say what is scored.
    fn sums(&self) -> anyhow::Result<BTreeMap<String, String>> {
        let files = [("prompts", self.prompts.as_deref()), ("head", self.head.as_deref())];
        let mut sums = BTreeMap::new();
        for (name, file) in files {
            sums.extend(used(name, file, sha256_of_file)?.map(|sum| (name.to_owned(), sum)));
        }
        Ok(sums)
    }
}

/// What `open` makes of a file, where one is named.
fn used<'a, T, E>(
    what: &str,
    file: Option<&'a Path>,
    open: impl FnOnce(&'a Path) -> Result<T, E>,
) -> anyhow::Result<Option<T>>
where
    Result<T, E>: Context<T, E>,
{
    file.map(|path| open(path).with_context(|| unusable(what, file))).transpose()
}

fn unusable(what: &str, file: Option<&Path>) -> String {
    format!("cannot use {what} {}", file.unwrap_or(Path::new("")).display())
}
