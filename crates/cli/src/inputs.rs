//! Films named on the command line.

use std::io::{self, BufRead};
use std::path::PathBuf;

#[cfg(any(feature = "import", feature = "train"))]
use anyhow::anyhow;
use medclip_archive::inputs::is_search;
use medclip_archive::{InputOptions, Skipped, Source, expand_and_count};
use medclip_files::{FileFault, is_pipe, read_name};

/// What arguments stand for, kept in memory.
pub(crate) struct Search {
    pub(crate) sources: Vec<Source>,
    skipped: Skipped,
    is_searched: bool,
    /// Arguments that are pipes; what a search finds is never one.
    pub(crate) pipes: Vec<PathBuf>,
}

impl Search {
    /// # Errors
    /// When a table or standard input, which name inputs, cannot be read.
    pub(crate) fn new(arguments: &[PathBuf]) -> anyhow::Result<Self> {
        let mut sources = Vec::new();
        let skipped =
            expand_and_count(arguments, &InputOptions::films(), &mut io::stdin().lock(), &mut |source| {
                sources.push(source);
                Ok(())
            })?;
        let is_searched = arguments.iter().any(|argument| is_search(argument));
        let pipes = arguments.iter().filter(|argument| is_pipe(argument)).cloned().collect();
        Ok(Self { sources, skipped, is_searched, pipes })
    }

    /// What is to be said at the end; nothing where every input was named.
    pub(crate) fn summary(&self, scored: u64, failed: u64) -> Option<String> {
        let counts = format!("{scored} scored, {failed} failed");
        match (self.skipped.is_empty(), self.is_searched) {
            (false, _) => Some(format!("{counts}; {}", self.skipped)),
            (true, true) => Some(counts),
            (true, false) => None,
        }
    }
}

/// An image to read, or why a path gives none.
#[cfg(feature = "import")]
#[derive(Debug)]
pub(crate) struct Input {
    pub(crate) path: PathBuf,
    pub(crate) problem: Option<anyhow::Error>,
}

/// Every file as named, and for every directory the films below it, sorted by name level by level.
///
/// What gives no film stays in the list with its problem.
#[cfg(feature = "import")]
pub(crate) fn expand(paths: &[PathBuf]) -> Vec<Input> {
    paths.iter().flat_map(|path| below(path)).collect()
}

#[cfg(feature = "import")]
fn below(path: &std::path::Path) -> Vec<Input> {
    if !path.is_dir() {
        return vec![Input { path: path.to_owned(), problem: None }];
    }
    let mut found = Vec::new();
    let mut push = |source: Source| {
        let problem = match (source.problem, source.member) {
            (Some(problem), _) => Some(anyhow!(problem.message)),
            (None, Some(_)) => Some(anyhow!("lies in an archive, which is not opened here: unpack it first")),
            (None, None) => None,
        };
        found.push(Input { path: source.path, problem });
        Ok(())
    };
    let listed =
        medclip_archive::expand(&[path.to_owned()], &InputOptions::films(), &mut io::empty(), &mut push);
    if let Err(error) = listed {
        found.push(Input { path: path.to_owned(), problem: Some(error.into()) });
    }
    found
}

/// Most bytes of a list of inputs that has to be kept: longer ones are for a table.
const MAX_LIST_BYTES: usize = 1 << 30;

/// A list of names that is read more than once.
///
/// # Errors
/// Of a line that is too long or no text, of a list that is too long, and what the system says.
pub(crate) fn read_list(input: &mut dyn BufRead) -> io::Result<Vec<u8>> {
    let (mut list, mut line) = (Vec::new(), Vec::new());
    let mut number = 1;
    while read_name(input, number, &mut line)? {
        list.extend_from_slice(&line);
        list.push(b'\n');
        if list.len() > MAX_LIST_BYTES {
            return Err(FileFault::TooLarge { limit: MAX_LIST_BYTES as u64 }.into());
        }
        number += 1;
    }
    Ok(list)
}
