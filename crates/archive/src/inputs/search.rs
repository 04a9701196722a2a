//! Inputs that are few enough to be kept in memory.

use std::io::BufRead;
use std::path::PathBuf;

use medclip_files::is_pipe;

use super::{InputError, InputOptions, Skipped, expand_and_count, is_search};
use crate::source::Source;

/// What arguments stand for, kept in memory.
#[derive(Debug, Clone)]
pub struct Search {
    /// The inputs, in order.
    pub sources: Vec<Source>,
    /// What the search left out.
    pub skipped: Skipped,
    /// Whether an argument stands for inputs that had to be searched for.
    pub is_searched: bool,
    /// Arguments that are pipes; what a search finds is never one.
    pub pipes: Vec<PathBuf>,
}

impl Search {
    /// Lists the films that `arguments` stand for, as [`expand`](super::expand) does.
    ///
    /// # Errors
    /// [`InputError`] when a table or standard input, which name inputs, cannot be read.
    pub fn new(arguments: &[PathBuf], stdin: &mut dyn BufRead) -> Result<Self, InputError> {
        let mut sources = Vec::new();
        let skipped = expand_and_count(arguments, &InputOptions::films(), stdin, &mut |source| {
            sources.push(source);
            Ok(())
        })?;
        let is_searched = arguments.iter().any(|argument| is_search(argument));
        let pipes = arguments.iter().filter(|argument| is_pipe(argument)).cloned().collect();
        Ok(Self { sources, skipped, is_searched, pipes })
    }

    /// What is to be said at the end of so many films with scores and so many without; none where every input was named.
    pub fn summary(&self, scored: u64, failed: u64) -> Option<String> {
        let counts = format!("{scored} scored, {failed} failed");
        match (self.skipped.is_empty(), self.is_searched) {
            (false, _) => Some(format!("{counts}; {}", self.skipped)),
            (true, true) => Some(counts),
            (true, false) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_search_has_something_to_say_at_its_end() {
        let directory = tempfile::tempdir().unwrap();
        let film = directory.path().join("a.png");
        std::fs::write(&film, "no image").unwrap();
        let search = |argument: PathBuf| Search::new(&[argument], &mut &b""[..]).unwrap();
        let named = search(film.clone());
        assert_eq!((named.sources.len(), named.is_searched, named.summary(1, 0)), (1, false, None));
        let found = search(directory.path().to_owned());
        assert_eq!((found.sources.len(), found.pipes.len()), (1, 0));
        assert_eq!(found.summary(1, 2).as_deref(), Some("1 scored, 2 failed"));
    }
}
