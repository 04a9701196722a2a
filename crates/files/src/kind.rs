//! What a directory of medclip's holds, so that none with anything else in it is replaced or removed.

use std::fs;
use std::io;
use std::path::Path;

use thiserror::Error;

use crate::place::is_place;

/// A kind of directory that medclip writes.
pub struct Kind {
    /// What it is called in messages, with its article: "a bundle".
    pub name: &'static str,
    /// Whether a directory carries the mark of this kind: a file that nothing else would have written. A damaged directory
    /// should carry it still.
    pub is_marked: fn(&Path) -> bool,
    /// Whether a path below the directory is part of it. It is given with `/` between names; that of a directory ends in `/`.
    pub holds: fn(&str) -> bool,
}

/// A directory that is not replaced or removed.
#[derive(Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum Foreign {
    /// Something in it is not medclip's.
    #[error(
        "it holds {}{}, which {} not part of {kind}: move {} away, or name another place",
        names.join(", "),
        if *more > 0 { format!(" and {more} more") } else { String::new() },
        if names.len() + more > 1 { "are" } else { "is" },
        if names.len() + more > 1 { "them" } else { "it" },
    )]
    Holds {
        /// Some of the names, at most three.
        names: Vec<String>,
        /// How many more there are.
        more: usize,
        /// The kind that it should be.
        kind: &'static str,
    },
    /// It is another directory, or none.
    #[error("it is there and is not {kind}: move it away, or name another place")]
    Unmarked {
        /// The kind that it should be.
        kind: &'static str,
    },
}

/// As many names are told.
const TOLD: usize = 3;

/// No directory of ours is deeper.
const DEPTH: usize = 8;

impl Kind {
    /// Refuses a directory that must not be replaced. An empty one may be.
    ///
    /// # Errors
    /// [`Foreign`] inside an [`io::Error`]; the system's error where it cannot be read.
    pub fn check(&self, directory: &Path) -> io::Result<()> {
        if !fs::metadata(directory)?.is_dir() {
            return Err(self.refusal(Foreign::Unmarked { kind: self.name }));
        }
        let (mut foreign, mut is_empty) = (Vec::new(), true);
        self.walk(directory, "", 0, &mut foreign, &mut is_empty)?;
        if is_empty || ((self.is_marked)(directory) && foreign.is_empty()) {
            return Ok(());
        }
        if !(self.is_marked)(directory) {
            return Err(self.refusal(Foreign::Unmarked { kind: self.name }));
        }
        foreign.sort();
        let more = foreign.len().saturating_sub(TOLD);
        foreign.truncate(TOLD);
        Err(self.refusal(Foreign::Holds { names: foreign, more, kind: self.name }))
    }

    #[expect(clippy::unused_self, reason = "reads better at the call")]
    fn refusal(&self, foreign: Foreign) -> io::Error {
        io::Error::new(io::ErrorKind::AlreadyExists, foreign)
    }

    fn walk(
        &self,
        directory: &Path,
        above: &str,
        depth: usize,
        foreign: &mut Vec<String>,
        is_empty: &mut bool,
    ) -> io::Result<()> {
        for entry in fs::read_dir(directory)? {
            let entry = entry?;
            let name = entry.file_name();
            if is_place(&name) {
                continue;
            }
            *is_empty = false;
            // Links are not followed: they count as what they are, and no kind has any.
            let kind = entry.file_type()?;
            let text = name.to_str().map(|name| format!("{above}{name}"));
            let path = text.unwrap_or_else(|| format!("{above}{}", name.to_string_lossy()));
            let is_known = name.to_str().is_some();
            if kind.is_dir() {
                let path = format!("{path}/");
                if is_known && depth < DEPTH && (self.holds)(&path) {
                    self.walk(&entry.path(), &path, depth + 1, foreign, is_empty)?;
                } else {
                    foreign.push(path);
                }
            } else if !(is_known && kind.is_file() && (self.holds)(&path)) {
                foreign.push(path);
            }
        }
        Ok(())
    }
}

impl std::fmt::Debug for Kind {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_tuple("Kind").field(&self.name).finish()
    }
}
