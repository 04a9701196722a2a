//! Directories on the command line, those of one label belonging together.

use std::convert::Infallible;
use std::path::PathBuf;
use std::str::FromStr;

/// `LABEL=DIR`, or a directory that is its own label.
#[derive(Debug, Clone)]
pub(super) struct Labelled {
    pub(super) label: String,
    pub(super) path: PathBuf,
}

impl FromStr for Labelled {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        let (label, path) = text.split_once('=').unwrap_or((text, text));
        Ok(Self { label: label.to_owned(), path: PathBuf::from(path) })
    }
}
