//! The embeddings of scored films, as an index.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use medclip_archive::{EmbeddingsError, Format, Settings, describe_embeddings, read_embeddings};
use thiserror::Error;

use crate::builder::{BuildError, IndexBuilder};

/// Why no index can be made of these rows.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum GatherError {
    /// A run that still has inputs without a row.
    #[error("{} is not finished: continue it first", path.display())]
    Unfinished {
        /// Its directory.
        path: PathBuf,
    },
    /// A directory cannot be listed.
    #[error("cannot read {}", path.display())]
    List {
        /// The directory.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// There are no rows of the kind that holds embeddings.
    #[error("{} has no Parquet file", path.display())]
    NoRows {
        /// The directory.
        path: PathBuf,
    },
    /// Embeddings of films that were shown in different ways do not compare.
    #[error("{} and {} show films otherwise: {differences}", first.display(), other.display())]
    Shown {
        /// The first file.
        first: PathBuf,
        /// One that differs from it.
        other: PathBuf,
        /// In what, without the names of inputs.
        differences: String,
    },
    /// A file does not say what its rows are of.
    #[error(transparent)]
    Describe(EmbeddingsError),
    /// A file's embeddings cannot be taken.
    #[error("cannot take the embeddings of {}", path.display())]
    Take {
        /// The file.
        path: PathBuf,
        /// Why.
        source: RowError,
    },
    /// No row has an embedding.
    #[error("no image has an embedding, so there is nothing to search")]
    Nothing,
}

/// Why the embeddings of a file cannot be taken.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RowError {
    /// The file.
    #[error(transparent)]
    Embeddings(#[from] EmbeddingsError),
    /// The index.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// Rows of more than one model.
    #[error("embeddings of several models cannot be compared: {first} and {other}")]
    Models {
        /// Id of the first model.
        first: String,
        /// Id of another.
        other: String,
    },
    /// One row. Its film is not named.
    #[error("embedding {row} cannot be taken: {reason}")]
    Row {
        /// Its number among the rows with an embedding, from 1.
        row: u64,
        /// What is wrong with it.
        reason: &'static str,
    },
}

/// Embeddings, ready to be written as an index.
#[derive(Debug)]
pub struct Gathered {
    /// The vectors.
    pub builder: IndexBuilder,
    /// Rows without an embedding.
    pub without: u64,
}

/// The Parquet files of rows at `path`: itself, or those in the directory of a finished run.
///
/// # Errors
/// [`GatherError`] when there are none, or the run is not finished.
pub fn row_files(path: &Path) -> Result<Vec<PathBuf>, GatherError> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let control = path.join("_medclip");
    if control.exists() && !control.join("finished.json").exists() {
        return Err(GatherError::Unfinished { path: path.to_owned() });
    }
    let failed = |source| GatherError::List { path: path.to_owned(), source };
    let mut files = Vec::new();
    for entry in fs::read_dir(path).map_err(failed)? {
        let file = entry.map_err(failed)?.path();
        if Format::of(&file) == Some(Format::Parquet) {
            files.push(file);
        }
    }
    files.sort();
    if files.is_empty() { Err(GatherError::NoRows { path: path.to_owned() }) } else { Ok(files) }
}

/// All embeddings of the files. They have to be of one model, and of films that were shown and checked alike; how is kept in the
/// index.
///
/// # Errors
/// [`GatherError`].
pub fn gather(files: &[PathBuf]) -> Result<Gathered, GatherError> {
    let (name, options) = described(files)?;
    let mut builder: Option<(String, IndexBuilder)> = None;
    let mut without = 0;
    for file in files {
        let mut row = 0;
        let taken = read_embeddings(file, |path, model_id, embedding| -> Result<(), RowError> {
            row += 1;
            let builder = match &mut builder {
                Some((first, builder)) if first == model_id => builder,
                Some((first, _)) => {
                    return Err(RowError::Models { first: first.clone(), other: model_id.to_owned() });
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
            builder.push(path, embedding).map_err(|error| refused(row, error))
        });
        without += taken.map_err(|source| GatherError::Take { path: file.clone(), source })?;
    }
    let (_, builder) = builder.ok_or(GatherError::Nothing)?;
    Ok(Gathered { builder, without })
}

/// Name of the model, and how films were shown, where the files say it.
fn described(files: &[PathBuf]) -> Result<(Option<String>, Option<Options>), GatherError> {
    let mut shown: Option<(&Path, Option<Options>)> = None;
    let mut name = None;
    for file in files {
        let said = describe_embeddings(file).map_err(GatherError::Describe)?;
        let options = said.options.map(shown_by);
        match &shown {
            None => shown = Some((file, options)),
            Some((first, other)) if *other != options => {
                return Err(GatherError::Shown {
                    first: first.to_path_buf(),
                    other: file.clone(),
                    differences: differences(other.as_ref(), options.as_ref()),
                });
            }
            Some(_) => {}
        }
        name = name.or(said.model);
    }
    Ok((name, shown.and_then(|(_, options)| options)))
}

/// Options of a run by name.
type Options = BTreeMap<String, String>;

/// Those options of a run that decide what an embedding is of.
fn shown_by(mut options: Options) -> Options {
    for name in [Settings::BATCH, Settings::PROGRAM, "prompts", "head"] {
        options.remove(name);
    }
    options
}

/// What differs.
fn differences(a: Option<&Options>, b: Option<&Options>) -> String {
    let (Some(a), Some(b)) = (a, b) else { return "one of them does not say how".to_owned() };
    let names: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
    let value = |of: &Options, name: &String| of.get(name).cloned().unwrap_or_default();
    let differs = names.into_iter().filter(|name| a.get(*name) != b.get(*name));
    let told: Vec<String> =
        differs.map(|name| format!("{name} `{}` and `{}`", value(a, name), value(b, name))).collect();
    told.join(", ")
}

/// An error of the index, which would name the film.
fn refused(row: u64, error: BuildError) -> RowError {
    match error {
        BuildError::Twice { .. } => RowError::Row { row, reason: "an earlier row has the same path" },
        BuildError::NoDirection { .. } => RowError::Row { row, reason: "it is zero or not finite" },
        BuildError::Width { .. } => RowError::Row { row, reason: "it has another width" },
        error => error.into(),
    }
}
