//! Vectors of an archive on disk, searched by cosine. Internal; programs depend on `medclip`.
//!
//! | module | holds |
//! |---|---|
//! | [`builder`] | vectors and names → a file |
//! | [`mod@file`] | its form |
//! | [`open`] | a file, opened and verified, read at places |
//! | [`search`] | the nearest vectors of a query |
//! | [`gather()`] | the rows of scored films → vectors |
//! | [`IndexedFilms`] | films as those of an index were shown and checked |
//! | [`sheet()`] | what was found, as a page with small pictures |
//!
//! ```
//! use medclip_index::{Index, IndexBuilder, Layout, Search};
//!
//! let directory = tempfile::tempdir()?;
//! let path = directory.path().join("films.index");
//! let mut builder = IndexBuilder::new("model", "its id", 2)?;
//! builder.push("left.png", &[1.0, 0.0])?;
//! builder.push("up.png", &[0.0, 2.0])?;
//! builder.write(&path, Layout::Flat)?;
//!
//! let index = Index::open(&path)?;
//! let hits = index.query(&[3.0, 4.0], 1, Search::Exact)?;
//! assert_eq!((index.id(hits[0].row)?.as_str(), hits[0].cosine), ("up.png", 0.8));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Up to some hundred thousand vectors the exact scan answers in milliseconds. Beyond, [`Layout::Lists`] sorts vectors to
//! centers of k-means and a query reads the lists of its nearest centers only; how many is measured when the index is
//! built, on vectors of the index itself, so that the recall asked for is reached.
//!
//! # Limits
//! A builder holds all vectors in memory. An index is written once: there is no adding and no removing.

pub mod builder;
pub mod file;
mod films;
mod gather;
mod kernel;
mod lists;
pub mod open;
mod scan;
pub mod search;
mod sheet;
mod top;

pub use builder::{BuildError, BuildReport, IndexBuilder, Layout};
pub use films::{AskError, Asked, FilmRoot, FilmsError, IndexedFilms, Query, QueryFilm};
pub use gather::{GatherError, Gathered, RowError, gather, row_files};
pub use open::{Index, OpenError, ReadError};
pub use search::{Hit, QueryError, Search};
pub use sheet::{Found, sheet};
