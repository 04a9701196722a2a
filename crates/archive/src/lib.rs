//! Scoring of whole archives: every input one row, once, in order, whatever happens on the way.
//!
//! | module | holds |
//! |---|---|
//! | [`inputs`] | files, directories, patterns, manifests, lists and archives → single inputs |
//! | [`source`] | where one input lies |
//! | [`portion`] | one machine's part of the inputs |
//! | [`table`] | rows as Parquet, CSV, JSON lines |
//! | [`run`] | a run on disk: commits, going on after a crash |
//! | [`maps`] | where scores come from, as pictures and arrays |
//! | [`job`] | inputs as they were named, scored into a run |
//! | [`stages`] | what turns inputs into reports |
//! | [`pipeline`] | decode, score, write, side by side |
//!
//! A run writes files of as many rows each. One counts from the moment its commit is on disk, so a process that is killed at
//! any moment loses no row that counts, and the next one goes on at the first that does not. Scoring comes in as a
//! [`Stages`], which a [`Scorer`](medclip_scorer::Scorer) has.
//!
//! ```no_run
//! use std::collections::BTreeMap;
//! use std::io;
//! use std::num::{NonZeroU32, NonZeroUsize};
//! use std::sync::atomic::AtomicBool;
//!
//! use medclip_archive::{Format, InputOptions, PipelineOptions, Run, Settings, Target, expand, work};
//! use medclip_scorer::Scorer;
//!
//! let scorer = Scorer::open("models/medclip-edge")?;
//! let settings = Settings {
//!     schema: (**scorer.schema()).clone(),
//!     options: BTreeMap::new(),
//!     format: Format::Parquet,
//!     shard_size: NonZeroU32::MIN,
//!     portion: None,
//!     memory: None,
//! };
//! let target = Target::File("scores.parquet".into());
//! let mut run = Run::resume(&target, settings, &mut |sink| {
//!     expand(&["studies".into(), "old.zip".into()], &InputOptions::films(), &mut io::empty(), sink)
//! })?;
//! let one = NonZeroUsize::MIN;
//! let options = PipelineOptions { decode_threads: one, score_threads: one, batch: one, memory: 1 << 30 };
//! work(&mut run, &scorer, &options, &AtomicBool::new(false), |report, progress| {
//!     println!("{} of {}: {:?}", progress.done, progress.total, report.failure());
//!     Ok(())
//! })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Limits
//! Inputs are the same when their names and order are: content that changes between two processes of a run is not noticed.
//! Manifests are tables as `medclip-data` reads them. Archives are zip and tar, gzipped or not, by their name; a member is read into
//! memory whole, up to [`MAX_MEMBER_BYTES`](inputs::MAX_MEMBER_BYTES). Links within an archive are followed; in a gzipped tar archive,
//! each one whose file lies before it costs another pass.

pub mod inputs;
pub mod job;
pub mod maps;
mod memory;
mod pace;
pub mod pipeline;
pub mod portion;
pub mod run;
pub mod source;
pub mod stages;
pub mod table;
mod unnamed;

pub use inputs::{InputError, InputList, InputOptions, Nature, Search, Skipped, expand, expand_and_count};
pub use job::{Earlier, Job, JobOptions};
pub use maps::{MapClasses, MapError, MapWriter};
pub use pace::Pace;
pub use pipeline::{End, Flow, PipelineOptions, Progress, stream, work};
pub use portion::Portion;
pub use run::{Run, RunError, Settings, Summary, Target, TargetError, Watched};
pub use source::{Member, Source};
pub use stages::{Content, Stages};
pub use table::{CSV_TEXTS, CsvWriter, EXACT, Format};
#[cfg(feature = "parquet")]
pub use table::{Described, EmbeddingsError, describe_embeddings, read_embeddings};
pub use unnamed::unnamed;
