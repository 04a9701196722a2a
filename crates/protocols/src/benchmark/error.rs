//! Why a benchmark could not be run.

use std::fmt;
use std::path::PathBuf;

use medclip_core::prompt::PromptError;
use medclip_data::DataSet;
use serde::Serialize;
use thiserror::Error;

use super::set::Benchmark;
use crate::error::EvaluationError;
use crate::zero_shot::ZeroShotError;

/// Films of each class, in the classes' order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Counts(pub Vec<(&'static str, usize)>);

impl fmt::Display for Counts {
    /// `Edema 12, Atelectasis 3`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<String> = self.0.iter().map(|(name, count)| format!("{name} {count}")).collect();
        f.write_str(&words.join(", "))
    }
}

/// Why a benchmark could not be run.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BenchmarkError {
    /// The manifest is of other data sets.
    #[error(
        "{benchmark} is drawn from {data_set}, and no such film of {} has the source `{}`; make a manifest of your copy first",
        manifest.display(),
        data_set.name()
    )]
    NoDataSet {
        /// The manifest.
        manifest: PathBuf,
        /// The benchmark.
        benchmark: Benchmark,
        /// What it is drawn from.
        data_set: DataSet,
    },
    /// The copy does not have the films.
    #[error(
        "{benchmark} needs {per_class} films of each class, and {} has {available}; complete the copy, or draw fewer",
        manifest.display()
    )]
    TooFewFilms {
        /// The manifest.
        manifest: PathBuf,
        /// The benchmark.
        benchmark: Benchmark,
        /// Films of each class that are needed.
        per_class: usize,
        /// Those that there are.
        available: Counts,
    },
    /// A file of prompts cannot be read.
    #[error("cannot use prompts {}", path.display())]
    Prompts {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: PromptError,
    },
    /// The prompts that come with the benchmarks cannot be read.
    #[error("a fault in medclip: the prompts of the benchmarks cannot be read")]
    OwnPrompts(#[source] PromptError),
    /// A file of prompts lacks a class.
    #[error("cannot use prompts {}: {benchmark} chooses among {}, and the file has no class `{class}`", path.display(), classes.join(", "))]
    NoPrompts {
        /// The file.
        path: PathBuf,
        /// The benchmark.
        benchmark: Benchmark,
        /// The classes that the file must have.
        classes: &'static [&'static str],
        /// The first that it lacks.
        class: &'static str,
    },
    /// The prompts cannot be embedded.
    #[error(transparent)]
    Embedding(#[from] ZeroShotError),
    /// The films or the model cannot be used.
    #[error(transparent)]
    Evaluation(#[from] EvaluationError),
    /// A film for which no class is the largest.
    #[error("a logit is not a number")]
    NotANumber,
}
