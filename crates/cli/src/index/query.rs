//! `medclip index query`.

use std::io::Write;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, bail, ensure};
use clap::{ArgGroup, Args};
use medclip_archive::Source;
use medclip_data::CellText;
use medclip_files::replace_file;
use medclip_index::{Index, Search};
use medclip_runtime::Model;
use serde::Serialize;

use super::root::Root;
use super::sheet;
use super::shown::Shown;
use crate::engine::EngineArgs;
use crate::models::ModelArg;
use crate::output::{CsvArgs, Format, csv_stdout, locked_stdout, plain_table, write_json_line, write_table};
use crate::{Outcome, say};

/// Find the films nearest to an image or a sentence
///
/// The cosine of two embeddings ranks films; it is no probability. Research use only, not for diagnosis.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("what").required(true), after_help = "\
Examples:
  medclip index query films.index --image chest.png
  medclip index query films.index --text \"There is a left pleural effusion.\" -k 20 --sheet hits.html --root /films")]
pub(super) struct QueryArgs {
    /// Index that `medclip index build` wrote
    index: PathBuf,
    /// Films like this one: a file, or a member `archive.zip!member`; it is shown and checked as those of the index were
    #[arg(long, value_name = "FILE", group = "what")]
    image: Option<PathBuf>,
    /// Films that this sentence says; loads the text tower
    #[arg(long, value_name = "SENTENCE", group = "what")]
    text: Option<String>,
    /// How many films
    #[arg(short, long, value_name = "K", default_value = "10")]
    k: NonZeroUsize,
    /// Compare with every vector, in an index that has lists too
    #[arg(long)]
    exact: bool,
    /// Do not compare the index with its SHA-256 first, which reads all of it
    #[arg(long)]
    skip_verify: bool,
    /// Output format: a table for people, one JSON object a line, or CSV
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    csv: CsvArgs,
    /// Also write a page with small pictures of the films, as far as they are still in their places
    ///
    /// An index names films by the paths they had when it was built. Relative ones are shown from the current directory;
    /// absolute ones only from the directory that --root names. Nothing outside of it is opened, whatever the index says and
    /// wherever links lead.
    #[arg(long, value_name = "HTML")]
    sheet: Option<PathBuf>,
    /// Directory that the sheet may show films from [default: the current one, for relative paths alone]
    #[arg(long, value_name = "DIR", requires = "sheet")]
    root: Option<PathBuf>,
    #[command(flatten)]
    model: ModelArg,
    #[command(flatten)]
    engine: EngineArgs,
}

/// A film that was found; the fields are the keys of a JSON line and the columns of CSV.
#[derive(Debug, Serialize)]
pub(super) struct Found<'a> {
    pub(super) rank: usize,
    pub(super) cosine: f32,
    pub(super) path: &'a str,
}

/// Says that films are left out of a sheet because nobody said where they may be taken from.
fn warn_of_left_out(root: &Root, found: &[Found<'_>]) {
    let count = found.iter().filter(|found| root.leaves_out(found.path)).count();
    if count > 0 {
        say(&format!(
            "the sheet shows no picture of {count} films, whose paths in the index are absolute; --root DIR shows those below DIR"
        ));
    }
}

pub(super) fn run(mut args: QueryArgs) -> anyhow::Result<Outcome> {
    args.csv.check(args.format == Format::Csv)?;
    // A mistake here is told before anything is loaded.
    let root = Root::new(args.root.as_deref())?;
    let index =
        if args.skip_verify { Index::open_unverified(&args.index)? } else { Index::open(&args.index)? };
    let directory = args.model.resolve()?;
    if let Some(precision) = index.options().and_then(|options| options.get("precision")) {
        args.engine.set_precision(precision.parse().context("cannot use the index")?);
    }
    let options = args.engine.options(&directory, args.engine.threads())?;
    let model = Arc::new(Model::open_with(directory, options).context("cannot load the model")?);
    ensure!(
        index.model_id() == model.bundle().id(),
        "{} holds embeddings of another model: its id is {}, that of {} is {}",
        args.index.display(),
        index.model_id(),
        model.name(),
        model.bundle().id()
    );
    if index.options().is_none() {
        say(
            "this index does not say how its films were shown; the query is shown as its file wants. Build it again",
        );
    }
    let shown = Shown::of(&index, &model).context("cannot use the index")?;
    let id = |path: &PathBuf| {
        if path.exists() { Source::file(path).id() } else { path.to_string_lossy().into_owned() }
    };
    let image = args.image.as_ref().map(id);
    let query = embed(&model, &shown, image.as_deref(), args.text.as_deref())?;
    let search = if args.exact { Search::Exact } else { index.default_search() };
    let hits = index.query(&query, args.k.get(), search)?;
    let paths: Vec<String> = hits.iter().map(|hit| index.id(hit.row)).collect::<Result<_, _>>()?;
    let found: Vec<Found<'_>> = (1..)
        .zip(hits.iter().zip(&paths))
        .map(|(rank, (hit, path))| Found { rank, cosine: hit.cosine, path })
        .collect();
    if let Some(page) = &args.sheet {
        warn_of_left_out(&root, &found);
        let (image, text) = (image.as_deref(), args.text.as_deref());
        let html = sheet::page(&model, &index, &shown, &root, image, text, &found);
        replace_file(page, html.as_bytes())?;
    }
    print(&found, args.format, args.csv.cell_text())?;
    Ok(Outcome::Complete)
}

fn embed(model: &Model, shown: &Shown, image: Option<&str>, text: Option<&str>) -> anyhow::Result<Vec<f32>> {
    match (image, text) {
        (Some(id), _) => shown.embed(id).with_context(|| id.to_owned()),
        (None, Some(sentence)) => {
            for doubt in model.doubts(sentence)? {
                say(&format!("warning: the sentence may not mean what it says: {doubt}"));
            }
            Ok(model.embed_texts(&[sentence])?.row(0).to_vec())
        }
        (None, None) => bail!("nothing to search for: name --image or --text"),
    }
}

fn print(found: &[Found<'_>], format: Format, texts: CellText) -> anyhow::Result<()> {
    if format == Format::Csv {
        let mut csv = csv::Writer::from_writer(csv_stdout());
        found
            .iter()
            .try_for_each(|found| csv.serialize(Found { path: &texts.cell(found.path), ..*found }))?;
        return Ok(csv.flush()?);
    }
    let mut out = locked_stdout();
    if format == Format::Json {
        found.iter().try_for_each(|found| write_json_line(&mut out, found))?;
    } else {
        let mut table = plain_table(&["Rank", "Cosine", "Film"], &[0, 1]);
        for Found { rank, cosine, path } in found {
            table.add_row([rank.to_string(), format!("{cosine:.4}"), (*path).to_owned()]);
        }
        write_table(&mut out, table)?;
        writeln!(out, "Research use only, not for diagnosis.")?;
    }
    Ok(out.flush()?)
}
