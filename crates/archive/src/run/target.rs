//! Where rows go.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::table::Format;

/// Where rows go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A directory of files of rows.
    Directory(PathBuf),
    /// One file, put together at the end from a run beside it.
    File(PathBuf),
}

/// A place that rows cannot go to.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TargetError {
    /// A name that looks like a file of a format that rows do not have.
    #[error(
        "cannot write {}: .{ending} is no format of scores. Name a file that ends in .parquet, .csv or .jsonl (JSON, an \
         object a line), or end the name in / for a directory",
        path.display()
    )]
    Ending {
        /// The name.
        path: PathBuf,
        /// How it ends.
        ending: String,
    },
    /// A file whose ending is that of another format.
    #[error("the format does not agree with the ending of {}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
    },
}

impl Target {
    /// A file where the ending is one of a format's, otherwise a directory.
    ///
    /// # Errors
    /// [`TargetError::Ending`] for a name that looks like a file of another format.
    pub fn named(output: &Path) -> Result<Self, TargetError> {
        let is_directory = output.is_dir() || output.as_os_str().as_encoded_bytes().ends_with(b"/");
        if !is_directory && Format::of(output).is_some() {
            return Ok(Self::File(output.to_owned()));
        }
        match file_ending(output).filter(|_| !is_directory) {
            Some(ending) => Err(TargetError::Ending { path: output.to_owned(), ending: ending.to_owned() }),
            None => Ok(Self::Directory(output.to_owned())),
        }
    }

    /// The format of rows here: that of the file, or the one that is wanted; Parquet where none is.
    ///
    /// # Errors
    /// [`TargetError::Format`] when the file's is another.
    pub fn format(&self, wanted: Option<Format>) -> Result<Format, TargetError> {
        match self {
            Self::Directory(_) => Ok(wanted.unwrap_or(Format::Parquet)),
            Self::File(path) => match (Format::of(path), wanted) {
                (Some(own), Some(wanted)) if own != wanted => Err(TargetError::Format { path: path.clone() }),
                (Some(own), _) => Ok(own),
                (None, wanted) => Ok(wanted.unwrap_or(Format::Parquet)),
            },
        }
    }

    /// The run's directory.
    pub fn directory(&self) -> PathBuf {
        match self {
            Self::Directory(path) => path.clone(),
            Self::File(path) => {
                let mut path = path.clone().into_os_string();
                path.push(".run");
                PathBuf::from(path)
            }
        }
    }

    pub(super) fn file(&self) -> Option<&Path> {
        match self {
            Self::Directory(_) => None,
            Self::File(path) => Some(path),
        }
    }
}

/// What follows the last dot where that is how a file's name ends, rather than a number or a part of a sentence.
fn file_ending(output: &Path) -> Option<&str> {
    let ending = output.extension().and_then(OsStr::to_str)?;
    let is_ending = ending.len() <= 10 && ending.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (is_ending && ending.starts_with(|first: char| first.is_ascii_alphabetic())).then_some(ending)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_looks_like_a_file_never_becomes_a_directory() {
        for name in ["s.parquet", "a/s.CSV", "s.jsonl"] {
            assert_eq!(Target::named(Path::new(name)).unwrap(), Target::File(name.into()));
        }
        for name in ["scores", "a/b", "run-2024.11", "v1.2/", "scores.json/", "..", "./x", ".hidden"] {
            assert_eq!(Target::named(Path::new(name)).unwrap(), Target::Directory(name.into()));
        }
        for name in [
            "s.json",
            "s.tsv",
            "s.csv.gz",
            "s.xlsx",
            "s.ndjson",
            "s.parquet.zst",
            "a/s.JSON",
            "s.txt",
            "s.db",
        ] {
            let error = Target::named(Path::new(name)).unwrap_err().to_string();
            assert!(error.contains(name) && error.contains(".parquet, .csv or .jsonl"), "{error}");
        }
    }

    #[test]
    fn a_format_is_the_files_or_the_one_that_is_wanted() {
        let (file, directory) = (Target::File("s.CSV".into()), Target::Directory("s".into()));
        assert_eq!(file.format(None), Ok(Format::Csv));
        assert_eq!(file.format(Some(Format::Jsonl)), Err(TargetError::Format { path: "s.CSV".into() }));
        assert_eq!(
            (directory.format(None), directory.format(Some(Format::Csv))),
            (Ok(Format::Parquet), Ok(Format::Csv))
        );
    }
}
