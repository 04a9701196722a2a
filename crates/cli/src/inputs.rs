//! Films named on the command line.

use std::io;
use std::path::PathBuf;

use medclip_archive::inputs::is_search;
use medclip_archive::{InputOptions, Skipped, Source, expand_and_count};
use medclip_files::is_pipe;

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
