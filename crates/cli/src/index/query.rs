//! `medclip index query`.

use std::io::Write;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, bail, ensure};
use clap::{ArgGroup, Args};
use medclip_archive::Source;
use medclip_core::terminal::TextTable;
use medclip_data::CellText;
use medclip_files::replace_file;
use medclip_index::{Asked, FilmRoot, Found, Index, IndexedFilms, Query, Search, sheet};
use medclip_runtime::Model;
use medclip_scorer::Scorer;

use crate::engine::EngineArgs;
use crate::models::ModelArg;
use crate::output::{CsvArgs, Format, RESEARCH_USE, csv_stdout, locked_stdout, write_json_line};
use crate::{Outcome, say};

/// Find the films nearest to an image or a sentence
///
/// The cosine of two embeddings ranks films; it is no probability. Research use only, not for diagnosis.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("what").required(true), after_help = "\
Examples:
  medclip index query films.index --image chest.png
  medclip index query films.index --text \"There is a left pleural effusion.\" -k 20 --sheet hits.html --root /films")]
pub(crate) struct QueryArgs {
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
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: Format,
    #[command(flatten)]
    csv: CsvArgs,
    /// Also write a page with pictures of the films, as far as they are still in their places, and of what in them is like the
    /// query
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

pub(super) fn run(mut args: QueryArgs) -> anyhow::Result<Outcome> {
    args.csv.check(args.format == Format::Csv)?;
    // A mistake here is told before anything is loaded.
    let root = args.root()?;
    let index =
        if args.skip_verify { Index::open_unverified(&args.index)? } else { Index::open(&args.index)? };
    let model = args.load(&index)?;
    if index.options().is_none() {
        say(
            "this index does not say how its films were shown; the query is shown as its file wants. Build it again",
        );
    }
    let builder = Scorer::builder().model(model).maps(args.sheet.is_some());
    let films = IndexedFilms::of(&index, builder).context("cannot use the index")?;
    let id = |path: &PathBuf| {
        if path.exists() { Source::file(path).id() } else { path.to_string_lossy().into_owned() }
    };
    let image = args.image.as_ref().map(id);
    let query = match (&image, &args.text) {
        (Some(id), _) => Query::Film(id),
        (None, Some(sentence)) => Query::Sentence(sentence),
        (None, None) => bail!("nothing to search for: name --image or --text"),
    };
    let Asked { vector, codes, doubts } = films.ask(query)?;
    if !codes.is_empty() {
        let codes: Vec<_> = codes.iter().map(|code| code.name()).collect();
        say(&format!("intake checks of the query: {}", codes.join(", ")));
    }
    for doubt in doubts {
        say(&format!("warning: the sentence may not mean what it says: {doubt}"));
    }
    let search = if args.exact { Search::Exact } else { index.default_search() };
    let found = index.find(&vector, args.k.get(), search)?;
    if let Some(page) = &args.sheet {
        warn_of_left_out(&root, &found);
        replace_file(page, sheet(&index, &films, &root, query, &vector, &found).as_bytes())?;
    }
    print(&found, args.format, args.csv.cell_text())?;
    Ok(Outcome::Complete)
}

impl QueryArgs {
    /// Where films may be shown from.
    fn root(&self) -> anyhow::Result<FilmRoot> {
        let Some(root) = &self.root else {
            return FilmRoot::current().context("cannot tell the current directory");
        };
        ensure!(root.is_dir(), "--root {} is not a directory", root.display());
        Ok(FilmRoot::named(root))
    }

    /// The model of an index, in its precision.
    fn load(&mut self, index: &Index) -> anyhow::Result<Arc<Model>> {
        let directory = self.model.clone().resolve()?;
        if let Some(precision) = index.options().and_then(|options| options.get("precision")) {
            self.engine.set_precision(precision.parse().context("cannot use the index")?);
        }
        let options = self.engine.options(&directory, self.engine.threads())?;
        let model = Model::open_with(directory, options).context("cannot load the model")?;
        ensure!(
            index.model_id() == model.bundle().id(),
            "{} holds embeddings of another model: its id is {}, that of {} is {}",
            self.index.display(),
            index.model_id(),
            model.name(),
            model.bundle().id()
        );
        Ok(Arc::new(model))
    }
}

/// Says that films are left out of a sheet because nobody said where they may be taken from.
fn warn_of_left_out(root: &FilmRoot, found: &[Found]) {
    let count = found.iter().filter(|found| root.leaves_out(&found.path)).count();
    if count > 0 {
        say(&format!(
            "the sheet shows no picture of {count} films, whose paths in the index are absolute; --root DIR shows those below DIR"
        ));
    }
}

fn print(found: &[Found], format: Format, texts: CellText) -> anyhow::Result<()> {
    if format == Format::Csv {
        let mut csv = csv::Writer::from_writer(csv_stdout());
        let guarded = |found: &Found| Found { path: texts.cell(&found.path).into_owned(), ..*found };
        found.iter().try_for_each(|found| csv.serialize(guarded(found)))?;
        return Ok(csv.flush()?);
    }
    let mut out = locked_stdout();
    if format == Format::Json {
        found.iter().try_for_each(|found| write_json_line(&mut out, found))?;
    } else {
        let mut table = TextTable::new(&["Rank", "Cosine", "Film"], &[0, 1]);
        for Found { rank, cosine, path } in found {
            table.row([rank.to_string(), format!("{cosine:.4}"), path.clone()]);
        }
        write!(out, "{table}")?;
        writeln!(out, "{RESEARCH_USE}")?;
    }
    Ok(out.flush()?)
}
