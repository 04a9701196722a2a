//! Scoring of whole archives: every input one row, once, in order, whatever happens on the way.
//!
//! | module | holds |
//! |---|---|
//! | [`intake`] | files, directories, patterns, manifests, lists and archives → single inputs |
//! | [`source`] | where one input lies |
//! | [`portion`] | one machine's part of the inputs |
//! | [`row`] | what is said of an input |
//! | [`table`] | rows as Parquet, CSV, JSON lines |
//! | [`run`] | a run on disk: commits, going on after a crash |
//! | [`scorer`] | what turns inputs into scores |
//! | [`memory`] | what an input waits for before it is read |
//! | [`pipeline`] | decode, score, write, side by side |
//!
//! A run writes files of as many rows each. One counts from the moment its commit is on disk, so a process that is killed at
//! any moment loses no row that counts, and the next one goes on at the first that does not. Scoring comes in as a
//! [`Scorer`]; nothing here knows a model or an image format.
//!
//! ```
//! use std::collections::BTreeMap;
//! use std::io;
//! use std::num::{NonZeroU32, NonZeroUsize};
//! use std::sync::atomic::AtomicBool;
//!
//! use medclip_archive::{
//!     Columns, Content, End, Failure, Format, IntakeOptions, PipelineOptions, Prepared, Run, Scorer, Scores,
//!     Settings, Target, Verdict, expand, work,
//! };
//!
//! /// Scores a file by its length.
//! struct Length;
//!
//! impl Scorer for Length {
//!     type Image = u64;
//!
//!     fn prepare(&self, content: Content<'_>) -> Prepared<u64> {
//!         let image = match content {
//!             Content::File(path) => std::fs::metadata(path).map(|file| file.len()),
//!             Content::Bytes(bytes) => Ok(bytes.len() as u64),
//!         };
//!         let image = image.map_err(|error| Failure::new("io", error));
//!         Prepared { identity: Default::default(), qc: Vec::new(), notes: Vec::new(), image }
//!     }
//!
//!     fn score(&self, images: &[u64]) -> Result<Vec<Verdict>, Failure> {
//!         let scores = |length: &u64| Scores { findings: vec![(*length as f32, 0.5)], embedding: None };
//!         Ok(images.iter().map(|length| scores(length).into()).collect())
//!     }
//! }
//!
//! let directory = tempfile::tempdir()?;
//! let inputs = [directory.path().join("a.png"), directory.path().join("missing.png")];
//! std::fs::write(&inputs[0], "three")?;
//!
//! let columns = Columns {
//!     model: "length".to_owned(),
//!     model_id: "1".to_owned(),
//!     engine: "none".to_owned(),
//!     classes: vec!["Long".to_owned()],
//!     embedding_dim: None,
//!     patient: false,
//! };
//! let settings = Settings {
//!     columns,
//!     options: BTreeMap::new(),
//!     format: Format::Jsonl,
//!     shard_size: NonZeroU32::MIN,
//!     portion: None,
//!     memory: None,
//! };
//! let target = Target::File(directory.path().join("scores.jsonl"));
//! let mut run = Run::resume(&target, settings, &mut |sink| {
//!     expand(&inputs, &IntakeOptions::default(), &mut io::empty(), sink)
//! })?;
//! let one = NonZeroUsize::MIN;
//! let options = PipelineOptions { decode_threads: one, score_threads: one, batch: one, memory: 1 << 30 };
//! assert_eq!(work(&mut run, &Length, &options, &AtomicBool::new(false), |_| {})?, End::Complete);
//! assert_eq!(run.summary().failures["io"], 1);
//! assert_eq!(std::fs::read_to_string(directory.path().join("scores.jsonl"))?.lines().count(), 2);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Limits
//! Inputs are the same when their names and order are: content that changes between two processes of a run is not noticed.
//! Manifests are tables as `medclip-data` reads them. Archives are zip and tar, gzipped or not, by their name; a member is read into
//! memory whole, up to [`MAX_MEMBER_BYTES`](intake::MAX_MEMBER_BYTES). Links within an archive are followed; in a gzipped tar archive,
//! each one whose file lies before it costs another pass.

mod failure;
pub mod intake;
pub mod memory;
mod name;
pub mod pipeline;
pub mod portion;
pub mod row;
pub mod run;
pub mod scorer;
pub mod source;
pub mod table;

pub use failure::Failure;
pub use intake::{IntakeError, IntakeOptions, Nature, Skipped, expand, expand_and_count};
pub use pipeline::{End, PipelineOptions, Progress, work};
pub use portion::Portion;
pub use row::{Columns, Identity, Row, Scores, Verdict};
pub use run::{Run, RunError, Settings, Summary, Target};
pub use scorer::{Content, Prepared, Scorer};
pub use source::{Member, Source};
pub use table::{CSV_TEXTS, Described, EXACT, EmbeddingsError, Format, describe_embeddings, read_embeddings};
