//! `medclip score`: images to findings.

#[cfg(feature = "archive")]
mod archive;
mod writer;

use std::cell::RefCell;
use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::thread;

use anyhow::{Context, anyhow};
use clap::Args;
use medclip_core::files::read_typed;
use medclip_core::prompt::sentences;
use medclip_runtime::{Head, Model, ModelOptions, PromptSet};

use crate::checks::{CheckArgs, Checks};
use crate::doubts::warn_of_prompts;
use crate::engine::EngineArgs;
use crate::film::{self, DicomArgs};
use crate::inputs::{Content, Found, Search};
use crate::memory::{self, MemoryArgs};
use crate::models::ModelArg;
use crate::ordered::for_each_ordered;
use crate::output::{CsvArgs, Format, progress};
use crate::{Outcome, report_error, say};
use writer::{Record, Scored};

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
    #[command(flatten)]
    model: ModelArg,
    /// Score the classes of this prompt file instead of the model's own; loads the text tower
    #[arg(long, value_name = "FILE")]
    prompts: Option<PathBuf>,
    /// Score with the classifiers of this file instead, which `medclip eval probe --save` fitted for this very model
    #[arg(long, value_name = "FILE", conflicts_with = "prompts")]
    head: Option<PathBuf>,
    /// Output format: a table for people, one JSON object a line, or CSV [default: table; Parquet with --output]
    #[arg(long, value_enum)]
    format: Option<Format>,
    #[command(flatten)]
    csv: CsvArgs,
    /// First run the images and sentences that the model carries with their embeddings, and fail if it gives others here
    #[arg(long)]
    self_test: bool,
    #[command(flatten)]
    checks: CheckArgs,
    #[command(flatten)]
    engine: EngineArgs,
    #[command(flatten)]
    memory: MemoryArgs,
    #[command(flatten)]
    dicom: DicomArgs,
    #[cfg(feature = "archive")]
    #[command(flatten)]
    archive: archive::ArchiveArgs,
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

pub(crate) fn run(args: ScoreArgs) -> anyhow::Result<Outcome> {
    #[cfg(feature = "archive")]
    if let Some(output) = args.archive.output.clone() {
        return archive::run(args, &output);
    }
    let format = args.format.unwrap_or_default();
    args.csv.check(format == Format::Csv)?;
    let search = Search::new(&args.images)?;
    let threads = args.engine.threads();
    // Images side by side first; what is left over goes into each image.
    let workers = threads.get().min(search.len()).max(1);
    let per_image = NonZeroUsize::new(threads.get() / workers).unwrap_or(NonZeroUsize::MIN);
    let directory = args.model.resolve()?;
    let options = args.engine.options(&directory, per_image)?;
    let options = ModelOptions { self_test: args.self_test, ..options };
    let model = load(&directory, options, args.prompts.as_deref(), args.head.as_deref())?;

    let checks = Checks::new(&model, &args.checks)?;
    let budget = memory::budget(&args.memory, &directory);
    let bar = progress(search.len(), "images");
    let mut writer = writer::new(format, args.csv.cell_text());
    let classes: Vec<&str> = model.class_names().collect();
    writer.begin(&classes)?;
    let (mut count, mut failed) = (0, 0);
    let ids = RefCell::new(VecDeque::new());
    // An id is there before the input's result is.
    let inputs = search.inputs(&budget).map(|Found { id, content }| {
        ids.borrow_mut().push_back(id);
        content
    });
    let sink = |scored: thread::Result<anyhow::Result<Scored>>| {
        let id = ids.borrow_mut().pop_front();
        let scored =
            scored.unwrap_or_else(|_| Err(anyhow!("a fault in medclip; please report it with this image")));
        let record = Record::new(id.context("a result for no image")?, &model, scored);
        count += 1;
        bar.suspend(|| {
            if let Some(error) = &record.error {
                failed += 1;
                report_error(&format!("{}: {error}", record.path));
            }
            writer.record(&record)
        })?;
        bar.inc(1);
        anyhow::Ok(())
    };
    for_each_ordered(inputs, workers, |content| score_image(&model, &checks, &args.dicom, content), sink)?;
    bar.finish_and_clear();
    writer.end()?;
    if let Some(summary) = search.summary(count - failed, failed) {
        say(&summary);
    }
    Ok(if failed == 0 { Outcome::Complete } else { Outcome::SomeFailed })
}

fn load(
    dir: &Path,
    options: ModelOptions,
    prompts: Option<&Path>,
    head: Option<&Path>,
) -> anyhow::Result<Model> {
    let model = Model::open_with(dir, options).context("cannot load the model")?;
    if let Some(file) = head {
        return with_head(model, file).with_context(|| format!("cannot use head {}", file.display()));
    }
    let Some(file) = prompts else { return Ok(model) };
    let prompts = PromptSet::open(file).with_context(|| format!("cannot use prompts {}", file.display()))?;
    let model =
        model.with_prompts(&prompts).with_context(|| format!("cannot use prompts {}", file.display()))?;
    warn_of_prompts(sentences(&prompts.expand()), |sentence| model.doubts(sentence))?;
    Ok(model)
}

/// Most bytes of a file with a head.
const MAX_HEAD_BYTES: u64 = 256 << 20;

fn with_head(model: Model, file: &Path) -> anyhow::Result<Model> {
    Ok(model.with_head(Head::from_bytes(&read_typed(file, MAX_HEAD_BYTES)?)?)?)
}

/// Scores of one input. An error gives the reason alone: the caller names the path already.
fn score_image(
    model: &Model,
    checks: &Checks,
    args: &DicomArgs,
    content: anyhow::Result<Content>,
) -> anyhow::Result<Scored> {
    let film = match content? {
        Content::File(path, turn) => {
            let claimed = memory::claim(&path, turn)?;
            match &claimed.content {
                Some(bytes) => film::decode(bytes, args, false)?,
                None => film::open(&path, args, false)?,
            }
        }
        #[cfg(feature = "archive")]
        Content::Bytes(bytes, _share) => film::decode(&bytes, args, false)?,
    };
    let mut found = checks.of_film(&film);
    let notes = film.notes;
    let withheld = |qc, notes, reason| Scored { qc, notes, findings: Vec::new(), withheld: Some(reason) };
    if let (qc, Some(reason)) = checks.judge(&found) {
        return Ok(withheld(qc, notes, reason));
    }
    let embedded = model.embed_images(&model.preprocessor().batch(&[film.image])?)?;
    found.extend(checks.of_embedding(embedded.row(0)));
    Ok(match checks.judge(&found) {
        (qc, Some(reason)) => withheld(qc, notes, reason),
        (qc, None) => {
            let scores = model.classify_embeddings(&embedded).into_iter().next();
            Scored { qc, notes, findings: scores.context("the model gave no scores")?, withheld: None }
        }
    })
}
