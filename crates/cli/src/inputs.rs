//! Films named on the command line.

use std::path::PathBuf;

#[cfg(feature = "archive")]
use medclip_archive::{IntakeOptions, Nature, Portion};
#[cfg(feature = "archive")]
use medclip_core::budget::Share;
use medclip_core::budget::Turn;
#[cfg(feature = "archive")]
use medclip_core::files;
use medclip_decode::Format;

#[cfg(not(feature = "archive"))]
pub(crate) use directory::Search;
#[cfg(feature = "archive")]
pub(crate) use search::Search;

/// An image to read, or why a path gives none.
#[cfg(any(feature = "import", feature = "train", not(feature = "archive")))]
#[derive(Debug)]
pub(crate) struct Input {
    pub(crate) path: PathBuf,
    pub(crate) problem: Option<anyhow::Error>,
}

/// An input of a search.
pub(crate) struct Found {
    /// What names it in records and messages.
    pub(crate) id: String,
    pub(crate) content: anyhow::Result<Content>,
}

/// Where an input's bytes are.
pub(crate) enum Content {
    /// A file, and its place in the line for memory.
    File(PathBuf, Turn),
    /// A member of an archive, and its share of memory.
    #[cfg(feature = "archive")]
    Bytes(Vec<u8>, Share),
}

/// Every file as named, and for every directory the films below it, sorted by name level by level.
///
/// What gives no film stays in the list with its problem.
#[cfg(any(feature = "import", feature = "train", not(feature = "archive")))]
pub(crate) fn expand(paths: &[PathBuf]) -> Vec<Input> {
    paths.iter().flat_map(|path| files(path)).collect()
}

/// An image file as a batch of one. An error gives the reason alone: callers name the path already.
#[cfg(feature = "train")]
pub(crate) fn pixels(
    model: &medclip_runtime::Model,
    path: &std::path::Path,
) -> anyhow::Result<medclip_core::ImageBatch> {
    let limits = medclip_decode::Limits::default();
    let image = medclip_decode::open(path, &limits).map_err(|error| error.reason)?;
    Ok(model.preprocessor().batch(&[image])?)
}

/// How names of films end.
fn extensions() -> impl Iterator<Item = &'static str> {
    Format::ALL.into_iter().flat_map(|format| format.extensions().iter().copied())
}

/// Most bytes of a list of inputs that has to be kept: longer ones are for a table.
#[cfg(feature = "archive")]
const MAX_LIST_BYTES: usize = 1 << 30;

/// A list of names that is read more than once.
///
/// # Errors
/// Of a line that is too long or no text, of a list that is too long, and what the system says.
#[cfg(feature = "archive")]
pub(crate) fn read_list(input: &mut dyn std::io::BufRead) -> std::io::Result<Vec<u8>> {
    let (mut list, mut line) = (Vec::new(), Vec::new());
    let mut number = 1;
    while files::read_name(input, number, &mut line)? {
        list.extend_from_slice(&line);
        list.push(b'\n');
        if list.len() > MAX_LIST_BYTES {
            return Err(files::FileFault::TooLarge { limit: MAX_LIST_BYTES as u64 }.into());
        }
        number += 1;
    }
    Ok(list)
}

/// Which films a search finds.
#[cfg(feature = "archive")]
pub(crate) fn intake(portion: Option<Portion>) -> IntakeOptions {
    IntakeOptions { extensions: extensions().map(str::to_owned).collect(), by_start: Some(nature), portion }
}

#[cfg(feature = "archive")]
fn nature(start: &[u8]) -> Nature {
    if let Some(kind) = medclip_decode::holds_no_image(start) {
        return Nature::NoFilm(kind);
    }
    match Format::recognize(start) {
        Some(Format::Dicom) if is_surely_dicom(start) => Nature::Film,
        Some(Format::Dicom) => Nature::Perhaps,
        Some(Format::Jpeg) if start.get(2) != Some(&0xff) => Nature::Unknown,
        Some(format) if format.is_found_by_content() => Nature::Film,
        _ => Nature::Unknown,
    }
}

/// By the magic behind the preamble, or two letters where a first element has its representation. Other files without
/// preamble are told by a few small numbers alone.
fn is_surely_dicom(start: &[u8]) -> bool {
    let has_magic = start.get(128..132) == Some(b"DICM");
    has_magic || start.get(4..6).is_some_and(|letters| letters.iter().all(u8::is_ascii_uppercase))
}

#[cfg(feature = "archive")]
#[cfg(any(feature = "import", feature = "train"))]
fn files(path: &std::path::Path) -> Vec<Input> {
    let mut found = Vec::new();
    let mut push = |source: medclip_archive::Source| {
        let problem = match (source.problem, source.member) {
            (Some(problem), _) => Some(anyhow::anyhow!(problem.message)),
            (None, Some(_)) => {
                Some(anyhow::anyhow!("lies in an archive, which is not opened here: unpack it first"))
            }
            (None, None) => None,
        };
        found.push(Input { path: source.path, problem });
        Ok(())
    };
    let listed = if path.is_dir() {
        medclip_archive::expand(&[path.to_owned()], &intake(None), &mut std::io::empty(), &mut push)
    } else {
        return vec![Input { path: path.to_owned(), problem: None }];
    };
    if let Err(error) = listed {
        found.push(Input { path: path.to_owned(), problem: Some(error.into()) });
    }
    found
}

#[cfg(not(feature = "archive"))]
use directory::files;

/// Inputs of every kind, with members of archives.
#[cfg(feature = "archive")]
mod search {
    use std::io;
    use std::path::{Path, PathBuf};

    use anyhow::anyhow;
    use medclip_archive::intake::{ArchiveReader, MAX_MEMBER_BYTES, is_search};
    use medclip_archive::memory::{self, Loaded};
    use medclip_archive::{Failure, Skipped, Source, expand_and_count};
    use medclip_core::budget::Budget;
    use medclip_core::files;

    use super::{Content, Found, intake};
    use crate::memory::need;

    /// What somebody wrote into a pipe. How much it is, only reading tells.
    fn pipe(path: &Path, budget: &Budget) -> Loaded {
        let mut turn = budget.turn();
        let bytes = match files::read_typed(path, MAX_MEMBER_BYTES) {
            Ok(bytes) => bytes,
            Err(error) => return Loaded::Failed(Failure::new("io", error)),
        };
        let length = bytes.len() as u64;
        match turn.hold(length.saturating_add(need(&bytes, length).unwrap_or(0))) {
            Ok(()) => Loaded::Member(bytes, turn.done()),
            Err(error) => Loaded::Failed(Failure::too_much_memory(error)),
        }
    }

    /// What arguments stand for.
    pub(crate) struct Search {
        sources: Vec<Source>,
        skipped: Skipped,
        is_searched: bool,
        /// Arguments that are pipes; what a search finds is never one.
        pipes: Vec<PathBuf>,
    }

    impl Search {
        /// # Errors
        /// When a table or standard input, which name inputs, cannot be read.
        pub(crate) fn new(arguments: &[PathBuf]) -> anyhow::Result<Self> {
            let mut sources = Vec::new();
            let skipped =
                expand_and_count(arguments, &intake(None), &mut io::stdin().lock(), &mut |source| {
                    sources.push(source);
                    Ok(())
                })?;
            let is_searched = arguments.iter().any(|argument| is_search(argument));
            let pipes = arguments.iter().filter(|argument| files::is_pipe(argument)).cloned().collect();
            Ok(Self { sources, skipped, is_searched, pipes })
        }

        /// How many inputs there are.
        pub(crate) fn len(&self) -> usize {
            self.sources.len()
        }

        /// What is to be said at the end; nothing where every input was named.
        pub(crate) fn summary(&self, scored: usize, failed: usize) -> Option<String> {
            let counts = format!("{scored} scored, {failed} failed");
            match (self.skipped.is_empty(), self.is_searched) {
                (false, _) => Some(format!("{counts}; {}", self.skipped)),
                (true, true) => Some(counts),
                (true, false) => None,
            }
        }

        /// The inputs in order. Members are read as they are taken, once there is memory for them, which is one pass over each
        /// archive.
        pub(crate) fn inputs<'a>(&'a self, budget: &'a Budget) -> impl Iterator<Item = Found> + 'a {
            let mut archives = ArchiveReader::default();
            self.sources.iter().map(move |source| {
                let loaded = match (&source.problem, &source.member) {
                    (Some(problem), _) => Loaded::Failed(problem.clone()),
                    (None, None) if self.pipes.contains(&source.path) => pipe(&source.path, budget),
                    (None, None) => Loaded::File(budget.turn()),
                    (None, Some(member)) => {
                        let need = |bytes: &[u8]| need(bytes, bytes.len() as u64).unwrap_or(0);
                        memory::member(&mut archives, &source.path, member, need, budget.turn())
                    }
                };
                let content = match loaded {
                    Loaded::Failed(failure) => Err(anyhow!(failure.message)),
                    Loaded::File(turn) => Ok(Content::File(source.path.clone(), turn)),
                    Loaded::Member(bytes, share) => Ok(Content::Bytes(bytes, share)),
                };
                Found { id: source.id(), content }
            })
        }
    }
}

/// Files and directories, for programs that leave archives out.
#[cfg(not(feature = "archive"))]
mod directory {
    use std::io::Read;
    use std::path::{Path, PathBuf};

    use anyhow::anyhow;
    use medclip_core::budget::Budget;
    use medclip_core::files::{Visited, open_regular};
    use medclip_decode::Format;
    use walkdir::{DirEntry, WalkDir};

    use super::{Content, Found, Input, expand, extensions, is_surely_dicom};

    /// Bytes that tell what a file is.
    const START: u64 = 4096;

    /// What arguments stand for.
    pub(crate) struct Search {
        inputs: Vec<Input>,
        skipped: usize,
        is_searched: bool,
    }

    impl Search {
        #[allow(clippy::unnecessary_wraps, reason = "programs that read tables of inputs can fail here")]
        pub(crate) fn new(arguments: &[PathBuf]) -> anyhow::Result<Self> {
            let skipped = arguments.iter().filter(|path| path.is_dir()).map(|path| skipped(path)).sum();
            let is_searched = arguments.iter().any(|path| path.is_dir());
            Ok(Self { inputs: expand(arguments), skipped, is_searched })
        }

        pub(crate) fn len(&self) -> usize {
            self.inputs.len()
        }

        pub(crate) fn summary(&self, scored: usize, failed: usize) -> Option<String> {
            let counts = format!("{scored} scored, {failed} failed");
            match self.skipped {
                0 => self.is_searched.then_some(counts),
                1 => Some(format!("{counts}; 1 file not looked at")),
                skipped => Some(format!("{counts}; {skipped} files not looked at")),
            }
        }

        pub(crate) fn inputs<'a>(&'a self, budget: &'a Budget) -> impl Iterator<Item = Found> + 'a {
            self.inputs.iter().map(|Input { path, problem }| {
                let content = match problem {
                    Some(problem) => Err(anyhow!("{problem:#}")),
                    None => Ok(Content::File(path.clone(), budget.turn())),
                };
                Found { id: path.display().to_string(), content }
            })
        }
    }

    pub(super) fn files(path: &Path) -> Vec<Input> {
        if !path.is_dir() {
            return vec![Input { path: path.to_owned(), problem: None }];
        }
        let mut found = Vec::new();
        for entry in walk(path) {
            match entry {
                Ok(entry) if entry.file_type().is_file() && is_film(entry.path()) => {
                    found.push(Input { path: entry.path().to_owned(), problem: None });
                }
                Ok(_) => {}
                Err(error) => {
                    let path = error.path().unwrap_or(path).to_owned();
                    found.push(Input { path, problem: Some(error.into()) });
                }
            }
        }
        if found.is_empty() {
            found.push(Input { path: path.to_owned(), problem: Some(anyhow!("no image in this directory")) });
        }
        found
    }

    /// Everything below a directory, each directory once, whatever number of links leads to it.
    fn walk(directory: &Path) -> impl Iterator<Item = walkdir::Result<DirEntry>> {
        let mut visited = Visited::new(directory);
        let mut entries = WalkDir::new(directory).follow_links(true).sort_by_file_name().into_iter();
        std::iter::from_fn(move || {
            let entry = entries.next()?;
            if let Ok(entry) = &entry
                && entry.file_type().is_dir()
                && !visited.is_first(entry.path(), entry.depth() > 0 && entry.path_is_symlink())
            {
                entries.skip_current_dir();
            }
            Some(entry)
        })
    }

    fn skipped(directory: &Path) -> usize {
        let files = walk(directory).flatten().filter(|entry| entry.file_type().is_file());
        files.filter(|entry| !is_film(entry.path())).count()
    }

    /// By content, or by a name that says so.
    fn is_film(path: &Path) -> bool {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
        let mut start = Vec::new();
        let read = open_regular(path).and_then(|file| file.take(START).read_to_end(&mut start));
        if read.is_ok() && medclip_decode::holds_no_image(&start).is_some() {
            return false;
        }
        let is_film = match Format::recognize(&start) {
            Some(Format::Dicom) => is_surely_dicom(&start) || !name.contains('.'),
            format => format.is_some_and(Format::is_found_by_content),
        };
        let is_named = extensions().any(|end| name.strip_suffix(end).is_some_and(|stem| stem.ends_with('.')));
        is_film || is_named && !name.starts_with("._")
    }
}
