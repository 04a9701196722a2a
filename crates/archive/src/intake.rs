//! What was named on the command line, as single inputs in a fixed order.

mod manifest;
mod members;
mod walk;

use std::ffi::OsStr;
use std::io::{self, BufRead, Read};
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::failure::Failure;
use crate::portion::Portion;
use crate::source::Source;

pub use manifest::ManifestError;
pub use members::{ArchiveReader, MAX_MEMBER_BYTES, find};

/// Name of standard input.
const STDIN: &str = "-";

/// How inputs are searched for.
#[derive(Debug, Clone, Default)]
pub struct IntakeOptions {
    /// Extensions of files taken from directories and archives, in small letters and without the dot; whoever names a
    /// file itself need not have one of them. With an empty string among them, files without extension are taken too.
    pub extensions: Vec<String>,
    /// Tells by the first [`START_BYTES`] of a file or member whether it is wanted, where its name has no extension or ends in
    /// a number, as identifiers do; none, and the extension decides there too.
    pub by_start: Option<fn(&[u8]) -> bool>,
    /// Leaves out all inputs but those of one machine.
    pub portion: Option<Portion>,
}

/// Why there is no list of inputs.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum IntakeError {
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
    /// Whoever asked for the inputs cannot take them.
    #[error("cannot keep the list of inputs")]
    Sink(#[from] io::Error),
}

/// Bytes that [`IntakeOptions::by_start`] sees.
pub const START_BYTES: u64 = 132;

/// Takes one input after the other.
pub(crate) type Sink<'a> = dyn FnMut(Source) -> Result<(), IntakeError> + 'a;

/// Hands every input that `arguments` stand for to `sink`, in order. Nothing is decoded, and memory does not grow with their
/// number.
///
/// An argument is
/// - `-`: the lines of `stdin`, each a file, directory or archive;
/// - a directory: the files below it that have one of the extensions, sorted by name level by level. Links are followed, and
///   one that leads back or nowhere is an input with a problem;
/// - a file that ends in `.zip`, `.tar`, `.tar.gz` or `.tgz`: its members with one of the extensions, in its order. Archives
///   within archives and below directories stay closed;
/// - a file that ends in `.csv`, `.tsv` (gzipped or not) or `.parquet`: what its column `path` names, relative to the file's
///   directory;
/// - a pattern with `*`, `?` or `[…]`, where no file has that name: what matches it, sorted by name;
/// - a file otherwise, whether it is there or not.
///
/// What gives no input at all stays in the list as one with a problem.
///
/// # Errors
/// [`IntakeError`] when a manifest or standard input cannot be read, or `sink` fails.
pub fn expand(
    arguments: &[PathBuf],
    options: &IntakeOptions,
    stdin: &mut dyn BufRead,
    sink: &mut dyn FnMut(Source) -> io::Result<()>,
) -> Result<(), IntakeError> {
    let mut own = |source: Source| {
        if options.portion.is_none_or(|portion| portion.takes(&source.id())) {
            sink(source)?;
        }
        Ok(())
    };
    for argument in arguments {
        match kind(argument) {
            Kind::Stdin => lines(stdin, options, &mut own)?,
            Kind::Manifest => manifest::read(argument, &mut |path| entry(&path, options, &mut own))?,
            Kind::Pattern => matches(argument, options, &mut own)?,
            Kind::Entry => entry(argument, options, &mut own)?,
        }
    }
    Ok(())
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
        let is_table = manifest::is_one(argument) && argument.is_file();
        return if is_table { Kind::Manifest } else { Kind::Entry };
    }
    let is_pattern = argument.to_str().is_some_and(|text| text.contains(['*', '?', '[']));
    if is_pattern { Kind::Pattern } else { Kind::Entry }
}

/// A file, directory or archive.
fn entry(path: &Path, options: &IntakeOptions, sink: &mut Sink<'_>) -> Result<(), IntakeError> {
    if path.is_dir() {
        return walk::below(path, options, sink);
    }
    match members::Container::of(path) {
        Some(container) if path.is_file() => members::list(path, container, options, sink),
        _ => sink(Source::file(path)),
    }
}

fn matches(pattern: &Path, options: &IntakeOptions, sink: &mut Sink<'_>) -> Result<(), IntakeError> {
    let mut problem = |kind, message: &dyn ToString| {
        sink(Source::missing(pattern, Failure::new(kind, message.to_string())))
    };
    let found = match glob::glob(&pattern.to_string_lossy()) {
        Ok(found) => found,
        Err(error) => return problem("pattern", &error),
    };
    let mut is_empty = true;
    for path in found {
        is_empty = false;
        match path {
            Ok(path) => entry(&path, options, sink)?,
            Err(error) => sink(Source::missing(error.path(), Failure::new("walk", error.error())))?,
        }
    }
    if is_empty {
        sink(Source::missing(pattern, Failure::new("no_match", "no file matches this pattern")))?;
    }
    Ok(())
}

/// A path a line, as `find` prints them.
fn lines(stdin: &mut dyn BufRead, options: &IntakeOptions, sink: &mut Sink<'_>) -> Result<(), IntakeError> {
    let mut line = Vec::new();
    loop {
        line.clear();
        if stdin.read_until(b'\n', &mut line).map_err(IntakeError::Stdin)? == 0 {
            return Ok(());
        }
        while line.last().is_some_and(|byte| [b'\n', b'\r'].contains(byte)) {
            line.pop();
        }
        if !line.is_empty() {
            entry(&path_of(&line)?, options, sink)?;
        }
    }
}

#[cfg(unix)]
#[allow(clippy::unnecessary_wraps, reason = "other systems refuse some")]
fn path_of(bytes: &[u8]) -> Result<PathBuf, IntakeError> {
    use std::os::unix::ffi::OsStrExt;
    Ok(PathBuf::from(OsStr::from_bytes(bytes)))
}

#[cfg(not(unix))]
fn path_of(bytes: &[u8]) -> Result<PathBuf, IntakeError> {
    let text = std::str::from_utf8(bytes).map_err(io::Error::other).map_err(IntakeError::Stdin)?;
    Ok(PathBuf::from(text))
}

/// Whether a file found in a directory or archive is an input.
fn is_wanted(name: &Path, options: &IntakeOptions, start: impl FnOnce() -> io::Result<Vec<u8>>) -> bool {
    let extension = name.extension().and_then(OsStr::to_str).unwrap_or_default();
    if options.extensions.iter().any(|known| known.eq_ignore_ascii_case(extension)) {
        return true;
    }
    let is_bare = extension.bytes().all(|byte| byte.is_ascii_digit());
    options.by_start.filter(|_| is_bare).is_some_and(|tells| start().is_ok_and(|start| tells(&start)))
}

/// The first [`START_BYTES`], or all where there are fewer.
fn start_of(content: impl Read) -> io::Result<Vec<u8>> {
    let mut start = Vec::new();
    content.take(START_BYTES).read_to_end(&mut start)?;
    Ok(start)
}
