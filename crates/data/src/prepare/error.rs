//! Why a data set was refused.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use thiserror::Error;

use super::dataset::DataSet;
use crate::error::TableError;
use crate::manifest::Split;
use crate::place::Place;

/// Where something stands in a data set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourcePlace {
    /// The file, from the data set's directory.
    pub file: Arc<str>,
    /// Its row; none of a file that is no table.
    pub place: Option<Place>,
}

impl fmt::Display for SourcePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place {
            Some(place) => write!(f, "{}, {place}", self.file),
            None => f.write_str(&self.file),
        }
    }
}

/// Why a data set was refused.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PrepareError {
    /// The directory is not there, or is none.
    #[error("cannot open the directory {}", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A file or folder without which the data set cannot be read.
    #[error(
        "{data_set} is incomplete: {} has none of {}; unpack what is missing there",
        directory.display(),
        looked_for.join(", ")
    )]
    MissingFile {
        /// The data set.
        data_set: DataSet,
        /// Where it was looked for.
        directory: PathBuf,
        /// The places that would have done, from the directory.
        looked_for: Vec<String>,
    },
    /// A table, a column or a cell of it.
    #[error("{data_set}: {file} cannot be used")]
    Table {
        /// The data set.
        data_set: DataSet,
        /// The table, from the directory.
        file: Arc<str>,
        /// What is wrong, with column and row.
        source: TableError,
    },
    /// A file that is no table.
    #[error("{data_set}: cannot read {file}")]
    File {
        /// The data set.
        data_set: DataSet,
        /// The file, from the directory.
        file: Arc<str>,
        /// The reason: the system's, or that of the XML reader.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A label that no published list has.
    #[error("{origin}: `{label}` is not a label of {data_set}; correct it, or have unknown labels counted")]
    UnknownLabel {
        /// The data set.
        data_set: DataSet,
        /// Where it is.
        origin: SourcePlace,
        /// The label.
        label: String,
    },
    /// A patient, or a film, in two parts of the official division.
    #[error(
        "{} is in two parts of {data_set}: {first} puts it into {}, {second} into {}; keep it in one of them",
        who,
        part(*first_split),
        part(*second_split)
    )]
    Leak {
        /// The data set.
        data_set: DataSet,
        /// The patient or film.
        who: String,
        /// Where the first part is said.
        first: SourcePlace,
        /// The first part.
        first_split: Split,
        /// Where the second part is said.
        second: SourcePlace,
        /// The second part.
        second_split: Split,
    },
    /// Something that may be there once is there twice.
    #[error("{second}: `{what}` is also on {first}; remove one of them")]
    Twice {
        /// A path, or an identifier.
        what: String,
        /// Its first place.
        first: SourcePlace,
        /// Its second place.
        second: SourcePlace,
    },
    /// Two files, or a file and its folder, say different things of one film.
    #[error("{origin}: `{film}` is {said}, but {other}")]
    Contradiction {
        /// The film.
        film: String,
        /// Where the contradiction shows.
        origin: SourcePlace,
        /// What is said there.
        said: String,
        /// What is said elsewhere.
        other: String,
    },
    /// A row whose image is not there.
    #[error("{origin}: the image is missing; looked for {}", looked_for.join(", "))]
    MissingImage {
        /// The row.
        origin: SourcePlace,
        /// Where the image was looked for, from the directory.
        looked_for: Vec<String>,
    },
    /// A path that is not below the data set's directory.
    #[error("{origin}: the image `{path}` is not in the directory of {data_set}; correct the path")]
    Outside {
        /// The data set.
        data_set: DataSet,
        /// Where it is named.
        origin: SourcePlace,
        /// The path.
        path: String,
    },
    /// No film is left.
    #[error(
        "{data_set}: no film of {} is left: the tables have {rows} rows, and {missing} of their images are missing; unpack the \
         images there",
        directory.display()
    )]
    Empty {
        /// The data set.
        data_set: DataSet,
        /// Its directory.
        directory: PathBuf,
        /// Rows that were read.
        rows: u64,
        /// Rows whose image is missing.
        missing: u64,
    },
    /// A share of patients that cannot be drawn.
    #[error("{share} of the patients cannot be drawn: shares must be at least 0 and together below 1")]
    Share {
        /// The share.
        share: f64,
    },
}

const fn part(split: Split) -> &'static str {
    match split {
        Split::Train => "train",
        Split::Val => "val",
        Split::Test => "test",
    }
}
