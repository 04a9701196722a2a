//! Evaluations and fits of a model on annotated films. Internal; programs depend on `medclip`.
//!
//! | verb | answers |
//! |---|---|
//! | [`zero_shot()`] | how well prompts alone rank films, finding by finding |
//! | [`benchmark()`] | accuracy and AUROC of the MedCLIP paper's four zero-shot benchmarks |
//! | [`maps()`] | whether maps point at what radiologists marked |
//! | [`negation()`] | whether sentences that deny a finding are understood |
//! | [`retrieval()`] | which sentences and reports a film finds |
//! | [`probe()`] | how much a linear classifier finds in the embeddings |
//! | [`compare()`] | whether bundles differ on the same films |
//! | [`measure_checks`], [`fit_checks`] | how many clean and spoilt films the checks stop |
//!
//! The feature `train` adds what fits or looks at trained models: `finetune`, `tune_prompts` and `compare_runs`.
//!
//! ```no_run
//! use std::num::NonZeroUsize;
//!
//! use medclip_protocols::{Evaluator, FilmSet, ZeroShotOptions, zero_shot};
//! use medclip_runtime::Model;
//!
//! let films = FilmSet::open("films/manifest.csv")?.with_views(vec!["frontal".to_owned()]);
//! let evaluator = Evaluator::new(Model::open("models/medclip-edge")?, films, NonZeroUsize::MIN);
//! let found = zero_shot(&evaluator, &ZeroShotOptions::default(), &mut ())?;
//! println!("{} films of {} patients", found.subject.images, found.subject.patients);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Options are plain values with defaults, results are values that serialize and have a [`Sheet`] for people ([`Measured`]), and what happens in between is told to an
//! [`Observer`]. Nothing is printed and no file is written: charts, heads and checks are returned. A film that cannot be read is
//! told, counted and left out. A stop flag ends the work between two films, sentences or classifiers ([`Stoppable`]). Intervals are by patient, and equal seeds give equal figures whatever the threads.
//!
//! # Limits
//! Films are decoded with the default options and embedded one by one. Embeddings of all films are held in memory. An annotation
//! that is blank or uncertain counts neither as present nor as absent.

mod benchmark;
mod charts;
mod checks;
mod choice;
mod compare;
mod embed;
mod error;
mod evaluator;
mod exclusive;
mod films;
mod headline;
mod labeled;
mod logits;
mod maps;
mod members;
mod negation;
mod observer;
mod ordered;
mod pictures;
mod probe;
mod ranking;
mod resampling;
mod retrieval;
#[cfg(feature = "train")]
mod runs;
mod sheet;
mod side;
#[cfg(feature = "train")]
mod tuning;
mod zero_shot;

pub use benchmark::{
    Benchmark, BenchmarkError, BenchmarkFigures, BenchmarkOptions, ClassFigures, Counts, DrawnFilms,
    UnknownBenchmark, benchmark,
};
pub use charts::{Chart, ChartError, ChartFault};
pub use checks::{
    Alarm, CheckFigures, CheckOptions, ChecksError, CleanFigures, SpoiltFigures, fit_checks, measure_checks,
};
pub use compare::{
    CompareError, CompareOptions, Comparison, Counted, Difference, LabelFigures, LabelFinding, Member,
    compare,
};
pub use error::{EvaluationError, FilmError};
pub use evaluator::{Evaluator, Subject};
pub use films::FilmSet;
pub use headline::{HEADLINE, LeftOut, Why};
pub use labeled::Labeled;
pub use maps::{FindingMaps, Maps, MapsError, MapsOptions, Pointing, maps};
pub use members::Figure;
pub use negation::{Negation, NegationOptions, negation};
pub use observer::{Observer, Progress, Stoppable, Unit};
pub use probe::{ChosenC, NotFitted, Probe, ProbeError, ProbeOptions, ProbeShare, probe};
pub use ranking::{Figures, FindingFigures};
pub use resampling::Resampling;
pub use retrieval::{
    ClassPrecision, ClassRetrieval, ClassWithout, OwnReports, Pool, PrecisionAt, RecallAt, Retrieval,
    RetrievalError, RetrievalOptions, retrieval,
};
#[cfg(feature = "train")]
pub use runs::{RunColumn, RunComparison, RunFinding, RunsError, Spread, compare_runs};
pub use sheet::{Measured, Sheet};
pub use side::{Side, UnknownSide};
#[cfg(feature = "train")]
pub use tuning::{
    ExportError, FinetuneOptions, Finetuned, PromptTuningOptions, SaveError, TooFewFilms, TunedPrompts,
    Tuning, TuningError, TuningOptions, TuningShare, finetune, tune_prompts,
};
pub use zero_shot::{
    BalanceError, BalancedAccuracy, BalancedOptions, ClassRecall, DrawNote, DrawOptions, PromptNote,
    PromptOptions, Ranked, ZeroShot, ZeroShotError, ZeroShotOptions, zero_shot,
};
