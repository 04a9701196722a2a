//! The zero-shot benchmarks of the MedCLIP paper on a copy of each data set: one of several classes for equally many films of each.
//!
//! Films are drawn anew from the copy, with the seed of the evaluation: they are not the paper's own films.
//!
//! # Source
//! Wang et al., EMNLP 2022, section 4, and the reference's `eval_zeroshot_classification.py` and `examples/process_*.py`. CheXpert-5x200
//! is that of `gloria/datasets/preprocess_datasets.py` (Huang et al., ICCV 2021). Differences: sentences are our own; films of two
//! classes are equally many of each, not nearly so; MIMIC-5x200 has frontal films alone, and none with a finding that is kept as
//! uncertain; of COVID and RSNA, too, a class's logit is pooled as the bundle says, where the reference takes its nearest sentence.

#![allow(clippy::doc_markdown, reason = "names of data sets and their publishers are words")]

mod draw;
mod error;
mod prompts;
mod ranked;
mod set;
mod sheet;

use std::num::NonZeroUsize;
use std::path::PathBuf;

use medclip_core::PromptPooling;
use medclip_data::Split;
use medclip_stats::{ConfusionMatrix, argmax};
use serde::{Deserialize, Serialize};

use crate::choice::Choices;
use crate::evaluator::{Evaluator, Subject};
use crate::members::Figure;
use crate::observer::Observer;
use crate::resampling::Resampling;
use crate::zero_shot::{DrawOptions, PromptNote};

pub use draw::DrawnFilms;
pub use error::{BenchmarkError, Counts};
pub use set::{Benchmark, UnknownBenchmark};

/// How [`benchmark`] evaluates. The defaults are the paper's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BenchmarkOptions {
    /// Films of each class, if not as many as [`Benchmark::per_class`] says.
    pub per_class: Option<NonZeroUsize>,
    /// Only films of these splits; an empty list takes all.
    pub splits: Vec<Split>,
    /// Prompts (TOML) in place of those that come with the benchmarks.
    pub prompts: Option<PathBuf>,
    /// How a class's prompts become one logit, if not as the bundle says.
    pub pooling: Option<PromptPooling>,
    /// Draws of prompts.
    pub draws: DrawOptions,
    /// How intervals are made; its seed also draws films and prompts.
    pub resampling: Resampling,
}

impl Default for BenchmarkOptions {
    /// Five draws of ten sentences a class.
    fn default() -> Self {
        let [five, ten] = [5, 10].map(|count| NonZeroUsize::new(count).unwrap_or(NonZeroUsize::MIN));
        Self {
            per_class: None,
            splits: Vec::new(),
            prompts: None,
            pooling: None,
            draws: DrawOptions { count: five, per_class: ten },
            resampling: Resampling::default(),
        }
    }
}

/// What [`benchmark`] finds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BenchmarkFigures {
    /// The model and the films that were drawn.
    #[serde(flatten)]
    pub subject: Subject,
    /// Which benchmark.
    pub benchmark: Benchmark,
    /// Which films were drawn.
    pub drawn: DrawnFilms,
    /// Which prompts were drawn.
    pub prompts: PromptNote,
    /// Accuracy of choices at random.
    pub chance: f64,
    /// Share of right choices.
    pub accuracy: Option<Figure>,
    /// Mean over the classes of the area under the ROC curve of each against the others.
    pub auroc: Option<Figure>,
    /// One for every class.
    pub classes: Vec<ClassFigures>,
    /// `[actual][chosen]`, in the order of `classes`; summed over draws of prompts.
    pub confusion: ConfusionMatrix,
}

/// How well films of one class were told from the others.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClassFigures {
    /// The class.
    pub name: &'static str,
    /// Share of its films for which it was chosen.
    pub recall: Option<Figure>,
    /// Area under the ROC curve against films of the other classes, by the log-odds of the class among all.
    pub auroc: Option<Figure>,
}

/// Zero-shot accuracy and AUROC of a benchmark, as means over draws of prompts with intervals by patient.
///
/// # Errors
/// [`BenchmarkError`] when the manifest lacks the data set or enough of its films, or the prompts cannot be used.
pub fn benchmark(
    evaluator: &Evaluator,
    benchmark: Benchmark,
    options: &BenchmarkOptions,
    observer: &mut dyn Observer,
) -> Result<BenchmarkFigures, BenchmarkError> {
    let resampling = options.resampling;
    let set = prompts::read(benchmark, options.prompts.as_deref())?;
    let (films, drawn) = draw::films(evaluator.films(), benchmark, options)?;
    let prompts = prompts::embed(&set, evaluator, options, observer)?;
    let embedded = evaluator.embed(&films, observer)?;

    let scale = evaluator.model().bundle().logit_scale();
    let of_film = |bank: &medclip_core::PromptBank, image: &Vec<f32>| {
        bank.positive_logits(image, scale, prompts.pooling)
    };
    // `[draws][films][classes]`: the set has the benchmark's classes alone, in their order.
    let logits: Vec<Vec<Vec<f32>>> = (prompts.banks.iter())
        .map(|bank| embedded.embeddings.iter().map(|image| of_film(bank, image)).collect())
        .collect();
    let choose = |film: &Vec<f32>| argmax(film).ok_or(BenchmarkError::NotANumber);
    let chosen = logits.iter().map(|films| films.iter().map(choose).collect());
    let names = benchmark.classes();
    let choices = Choices {
        classes: names.len(),
        actual: embedded.records.iter().filter_map(|record| benchmark.class_of(record)).collect(),
        chosen: chosen.collect::<Result<_, _>>()?,
        patients: embedded.patients(),
    };
    let told = choices.figures(resampling)?;
    let ranked = ranked::figures(&logits, &choices, resampling)?;
    let of_class = |(class, name): (usize, &&'static str)| ClassFigures {
        name,
        recall: told.recalls[class].clone(),
        auroc: ranked.classes[class].clone(),
    };
    Ok(BenchmarkFigures {
        subject: evaluator.subject(&embedded, resampling),
        benchmark,
        drawn,
        prompts: prompts.note,
        chance: 1.0 / names.len() as f64,
        accuracy: told.accuracy,
        auroc: ranked.mean,
        classes: names.iter().enumerate().map(of_class).collect(),
        confusion: choices.confusion(),
    })
}
