//! What was named on the command line, as single inputs in a fixed order.

mod confined;
mod films;
mod list;
mod manifest;
mod members;
mod nature;
mod search;
mod skipped;
#[cfg(feature = "archives")]
mod tar;
mod walk;

use std::ffi::OsStr;
use std::fs;
use std::io::{self, BufRead, Read};
use std::path::{Path, PathBuf};

use medclip_files::{FileFault, is_pipe, open_regular, read_name, special_kind};
use thiserror::Error;

use crate::portion::Portion;
use crate::source::Source;
use medclip_core::name;
use medclip_scorer::Failure;
use nature::Judgment;

pub use confined::find_below;
pub use films::{FilmsError, films_below};
pub use list::InputList;
pub use manifest::ManifestError;
pub use members::{ArchiveReader, MAX_MEMBER_BYTES, find};
pub use nature::Nature;
pub use search::Search;
pub use skipped::Skipped;

/// Name of standard input.
const STDIN: &str = "-";

/// How inputs are searched for.
#[derive(Debug, Clone, Default)]
pub struct InputOptions {
    /// Extensions of files taken from directories and archives whatever they hold, in small letters and without the dot;
    /// whoever names a file itself need not have one of them. With an empty string among them, files without extension are
    /// taken too.
    pub extensions: Vec<String>,
    /// Tells by the first [`START_BYTES`] of a file or member what it is; none, and the extension decides.
    pub by_start: Option<fn(&[u8]) -> Nature>,
    /// Leaves out all inputs but those of one machine.
    pub portion: Option<Portion>,
}

/// Why there is no list of inputs.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum InputError {
    /// A manifest.
    #[error("manifest {}", path.display())]
    Manifest {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: ManifestError,
    },
    /// Standard input broke off.
    #[error("cannot read the list of inputs from standard input")]
    Stdin(#[source] io::Error),
    /// Inputs that are listed before they are read, and a pipe gives its content once.
    #[error("{} is a pipe, which cannot be read again: save what it gives as a file", path.display())]
    Pipe {
        /// The pipe.
        path: PathBuf,
    },
    /// Two inputs of one name, where each has to have its own.
    #[error("inputs {first} and {second} are the same ({id}): name each film once")]
    Twice {
        /// Number of the first, from 1.
        first: u64,
        /// Number of the second.
        second: u64,
        /// Their name.
        id: String,
    },
    /// Whoever asked for the inputs cannot take them.
    #[error("cannot keep the list of inputs")]
    Sink(#[from] io::Error),
}

impl InputError {
    /// The error in words that name no film.
    pub fn unnamed(&self) -> String {
        match self {
            Self::Twice { first, second, .. } => {
                format!("inputs {first} and {second} are the same: name each film once")
            }
            other => other.to_string(),
        }
    }
}

/// Bytes that [`InputOptions::by_start`] sees.
pub const START_BYTES: u64 = 4096;

/// A search: where its inputs go, and what it leaves out.
struct Inputs<'a> {
    options: &'a InputOptions,
    sink: &'a mut dyn FnMut(Source) -> io::Result<()>,
    skipped: &'a mut Skipped,
    /// Inputs so far, those of other portions too.
    taken: u64,
}

impl Inputs<'_> {
    fn is_own(&self, source: &Source) -> bool {
        self.options.portion.is_none_or(|portion| portion.takes(&source.id()))
    }

    fn take(&mut self, source: Source) -> Result<(), InputError> {
        self.taken += 1;
        if self.is_own(&source) {
            (self.sink)(source)?;
        }
        Ok(())
    }

    /// Counts a link to a directory that is searched under another name.
    fn repeated(&mut self, path: &Path) {
        if self.options.portion.is_none() || self.is_own(&Source::file(path)) {
            self.skipped.add_repeated();
        }
    }

    /// Takes or counts what was found.
    fn judged(&mut self, judgment: Judgment, source: impl FnOnce() -> Source) -> Result<(), InputError> {
        if judgment == Judgment::Input {
            return self.take(source());
        }
        if self.options.portion.is_none() || self.is_own(&source()) {
            match judgment {
                Judgment::Input => {}
                Judgment::NoFilm(kind) => self.skipped.add_no_film(kind),
                Judgment::Other(reason) => self.skipped.add_unknown(reason),
            }
        }
        Ok(())
    }
}

/// Hands every input that `arguments` stand for to `sink`, in order. Nothing is decoded, and memory does not grow with their
/// number.
///
/// An argument is
/// - `-`: the lines of `stdin`, each a file, directory or archive;
/// - a directory: the films below it, sorted by name level by level, and those in archives there. Links are followed, and one
///   that leads back or nowhere is an input with a problem. A directory is searched once, whatever number of links leads to it;
/// - a file that ends in `.zip`, `.tar`, `.tar.gz` or `.tgz`: the films among its members, in its order. Archives within
///   archives stay closed;
/// - a file that ends in `.csv`, `.tsv` (gzipped or not) or `.parquet`: what its column `path` names, relative to the file's
///   directory;
/// - a pattern with `*`, `?` or `[…]`, where no file has that name: what matches it, sorted by name, without what is no film by
///   its nature;
/// - a file otherwise, whether it is there or not; an argument may also be a pipe.
///
/// Names in a list and matches of a pattern must be regular files or directories. Pipes, sockets and devices among them are
/// inputs with a problem; those in a directory are counted.
///
/// Films are files with one of the extensions, and those that [`InputOptions::by_start`] tells to be some. What gives no input
/// at all stays in the list as one with a problem.
///
/// # Errors
/// [`InputError`] when a manifest or standard input cannot be read, or `sink` fails.
pub fn expand(
    arguments: &[PathBuf],
    options: &InputOptions,
    stdin: &mut dyn BufRead,
    sink: &mut dyn FnMut(Source) -> io::Result<()>,
) -> Result<(), InputError> {
    expand_and_count(arguments, options, stdin, sink).map(drop)
}

/// As [`expand`], and returns what the search left out.
///
/// # Errors
/// As of [`expand`].
pub fn expand_and_count(
    arguments: &[PathBuf],
    options: &InputOptions,
    stdin: &mut dyn BufRead,
    sink: &mut dyn FnMut(Source) -> io::Result<()>,
) -> Result<Skipped, InputError> {
    let mut skipped = Skipped::default();
    let mut inputs = Inputs { options, sink, skipped: &mut skipped, taken: 0 };
    for argument in arguments {
        match kind(argument) {
            Kind::Stdin => lines(stdin, &mut inputs)?,
            Kind::Manifest => manifest::read(argument, &mut |path| listed(&path, &mut inputs))?,
            Kind::Pattern => matches(argument, &mut inputs)?,
            Kind::Entry => typed(argument, &mut inputs)?,
        }
    }
    Ok(skipped)
}

/// Whether an argument stands for inputs that have to be searched for, rather than for a file.
pub fn is_search(argument: &Path) -> bool {
    let is_container = || members::Container::of(argument).is_some();
    !matches!(kind(argument), Kind::Entry) || argument.is_dir() || argument.is_file() && is_container()
}

enum Kind {
    Stdin,
    Manifest,
    Pattern,
    Entry,
}

fn kind(argument: &Path) -> Kind {
    if argument == Path::new(STDIN) {
        return Kind::Stdin;
    }
    if argument.exists() {
        let is_table = manifest::is_one(argument) && (argument.is_file() || is_pipe(argument));
        return if is_table { Kind::Manifest } else { Kind::Entry };
    }
    let is_pattern = argument.to_str().is_some_and(|text| text.contains(['*', '?', '[']));
    if is_pattern { Kind::Pattern } else { Kind::Entry }
}

/// A file, directory or archive that a person named, or a pipe.
fn typed(path: &Path, inputs: &mut Inputs<'_>) -> Result<(), InputError> {
    if is_pipe(path) { inputs.take(Source::file(path)) } else { listed(path, inputs) }
}

/// A file, directory or archive that a list names.
fn listed(path: &Path, inputs: &mut Inputs<'_>) -> Result<(), InputError> {
    // What is not there, or cannot be looked at, fails when it is read.
    let Ok(metadata) = fs::metadata(path) else { return inputs.take(Source::file(path)) };
    if metadata.is_dir() {
        return walk::below(path, inputs);
    }
    if let Some(kind) = special_kind(&metadata) {
        let problem = Failure::new("io", FileFault::NotRegular { kind });
        return inputs.take(Source::missing(path, problem));
    }
    match members::Container::of(path) {
        Some(container) => members::named(path, container, inputs),
        None => inputs.take(Source::file(path)),
    }
}

fn matches(pattern: &Path, inputs: &mut Inputs<'_>) -> Result<(), InputError> {
    let problem =
        |kind, message: &dyn ToString| Source::missing(pattern, Failure::new(kind, message.to_string()));
    let found = match pattern.to_str().map(glob::glob) {
        Some(Ok(found)) => found,
        Some(Err(error)) => return inputs.take(problem("pattern", &error)),
        None => return inputs.take(problem("pattern", &"a pattern has to be UTF-8")),
    };
    let mut is_empty = true;
    for path in found {
        is_empty = false;
        match path {
            Ok(path) => matched(&path, inputs)?,
            Err(error) => inputs.take(Source::missing(error.path(), Failure::new("walk", error.error())))?,
        }
    }
    if is_empty {
        inputs.take(problem("no_match", &"no file matches this pattern"))?;
    }
    Ok(())
}

/// As if the file had been named, unless it is none that anybody would name.
fn matched(path: &Path, inputs: &mut Inputs<'_>) -> Result<(), InputError> {
    let name = path.file_name().unwrap_or_default();
    let name = name::escape(name.as_encoded_bytes());
    let tell = || nature::judge(&name, inputs.options, |tells| nature_of(open_regular(path)?, tells));
    if path.is_file()
        && let judgment @ Judgment::NoFilm(_) = tell()
    {
        return inputs.judged(judgment, || Source::file(path));
    }
    listed(path, inputs)
}

/// A path a line, as `find` prints them.
fn lines(stdin: &mut dyn BufRead, inputs: &mut Inputs<'_>) -> Result<(), InputError> {
    let mut line = Vec::new();
    let mut number = 1;
    while read_name(stdin, number, &mut line).map_err(InputError::Stdin)? {
        if !line.is_empty() {
            listed(&path_of(&line).map_err(InputError::Stdin)?, inputs)?;
        }
        number += 1;
    }
    Ok(())
}

#[cfg(unix)]
#[allow(clippy::unnecessary_wraps, reason = "other systems refuse some")]
fn path_of(bytes: &[u8]) -> io::Result<PathBuf> {
    use std::os::unix::ffi::OsStrExt;
    Ok(PathBuf::from(OsStr::from_bytes(bytes)))
}

#[cfg(not(unix))]
fn path_of(bytes: &[u8]) -> io::Result<PathBuf> {
    let text = std::str::from_utf8(bytes).map_err(io::Error::other)?;
    Ok(PathBuf::from(text))
}

/// What the start of a file says of it.
fn nature_of(content: impl Read, tells: fn(&[u8]) -> Nature) -> io::Result<Nature> {
    Ok(tells(&start_of(content)?))
}

/// The first [`START_BYTES`], or all where there are fewer.
fn start_of(content: impl Read) -> io::Result<Vec<u8>> {
    let mut start = Vec::new();
    content.take(START_BYTES).read_to_end(&mut start)?;
    Ok(start)
}
