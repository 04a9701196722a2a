//! Which sentences and reports an image finds.

mod classes;
mod error;
mod reports;
mod sheet;
mod similarity;

use std::num::NonZeroUsize;
use std::path::PathBuf;

use medclip_core::Finding;
use medclip_data::{Split, read_reports};
use serde::{Deserialize, Serialize};

use crate::evaluator::{Evaluator, Subject};
use crate::exclusive;
use crate::observer::Observer;
use crate::resampling::Resampling;

pub use classes::{ClassPrecision, ClassRetrieval, ClassWithout, PrecisionAt};
pub use error::RetrievalError;
pub use reports::{OwnReports, RecallAt};

use reports::Reports;

/// How [`retrieval`] evaluates.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RetrievalOptions {
    /// Only films of these splits, and their reports; an empty list takes all.
    pub splits: Vec<Split>,
    /// Reports (CSV): `id`, which is the manifest's `patient_id`, and `text`; for films whose row has no text.
    pub reports: Option<PathBuf>,
    /// Where the sentences come from; `None` for reports where any film has one, else prompts.
    pub pool: Option<Pool>,
    /// The classes; an empty list stands for the five of CheXpert-5x200.
    pub classes: Vec<Finding>,
    /// Sentences of each class, drawn with the seed; a class that has fewer is left out. `None` for as many as the class with the
    /// fewest has.
    pub sentences_per_class: Option<NonZeroUsize>,
    /// How intervals are made.
    pub resampling: Resampling,
}

/// Where candidate sentences come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pool {
    /// Sentences of the chosen films' reports that affirm one of the classes and neither affirm nor suspect another.
    Reports,
    /// The bundle's positive prompts.
    Prompts,
}

impl Pool {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Reports, Self::Prompts];

    /// `reports` or `prompts`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reports => "reports",
            Self::Prompts => "prompts",
        }
    }
}

/// What [`retrieval`] finds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Retrieval {
    /// The model and the films.
    #[serde(flatten)]
    pub subject: Subject,
    /// Image → sentence of its class.
    pub sentences: ClassRetrieval,
    /// Image → its own report; `None` where no film has a report.
    pub own_report: Option<OwnReports>,
}

/// Precision of the sentences a film retrieves, and the rank of its own report.
///
/// Sentences: queries are the films with exactly one of the classes present and every other annotated absent; a blank or uncertain
/// one leaves the film out. Candidates are equally many sentences of each class, so that chance is 1 in the number of classes. A
/// sentence is right when its class is the film's. The mean is over classes, each weighing the same.
///
/// Own report: every film with one is a query and the distinct reports of the chosen films are the candidates, each by the mean
/// embedding of its sentences.
///
/// # Errors
/// [`RetrievalError`] when films or reports cannot be used, or too few classes have films and sentences.
pub fn retrieval(
    evaluator: &Evaluator,
    options: &RetrievalOptions,
    observer: &mut dyn Observer,
) -> Result<Retrieval, RetrievalError> {
    let resampling = options.resampling;
    let wanted = exclusive::classes(&options.classes)?;
    let rows = match &options.reports {
        Some(path) => {
            read_reports(path).map_err(|source| RetrievalError::Reports { path: path.clone(), source })?
        }
        None => Vec::new(),
    };
    let chosen = evaluator.chosen("evaluation", &options.splits)?;
    let embedded = evaluator.embed(&chosen, observer)?;
    let reports = Reports::of(&embedded.records, &rows);
    let pool = match options.pool {
        Some(Pool::Reports) | None if !reports.is_empty() => Pool::Reports,
        Some(Pool::Reports) => {
            return Err(RetrievalError::NoReport { manifest: evaluator.films().manifest().to_owned() });
        }
        _ => Pool::Prompts,
    };
    let found = match pool {
        Pool::Reports => reports.sentences_by_class(&wanted),
        Pool::Prompts => classes::prompts_by_class(evaluator.model(), &wanted),
    };
    let per_class = options.sentences_per_class.map(NonZeroUsize::get);
    let pairs = classes::Pairs::of(&embedded, found, per_class, resampling.seed)?;
    let sentences = pairs.retrieve(evaluator, &embedded, pool, resampling, observer)?;
    let own_report = if reports.is_empty() {
        None
    } else {
        Some(reports.retrieve(evaluator, &embedded, resampling, observer)?)
    };
    let subject = evaluator.subject(&embedded, resampling);
    Ok(Retrieval { subject, sentences, own_report })
}
