//! How much a linear classifier finds in the embeddings of a frozen image tower.

mod error;
mod fit;
mod sheet;

use medclip_core::{Finding, Head};
use medclip_data::Split;
use medclip_stats::{FitError, Logistic, grouped_share};
use serde::{Deserialize, Serialize};

use crate::charts::{self, Chart};
use crate::embed::{EmbeddedFilms, distinct_patients};
use crate::evaluator::{Evaluator, Subject};
use crate::observer::{Observer, Progress, Unit};
use crate::ranking::{Figures, Ranking};
use crate::resampling::Resampling;

pub use error::ProbeError;
#[cfg(feature = "train")]
pub(crate) use sheet::fitted_on;

use fit::{Fitted, fit_all, head};

/// How [`probe`] fits and evaluates.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProbeOptions {
    /// Fit on films of these splits; an empty list takes all.
    pub fit_splits: Vec<Split>,
    /// Evaluate on films of these splits; an empty list takes all.
    pub splits: Vec<Split>,
    /// Shares of the patients to fit on, each above 0 and at most 1, drawn with the seed; larger shares contain the smaller ones.
    pub fractions: Vec<f64>,
    /// Draw charts of the last share, and one of all shares.
    pub charts: bool,
    /// How intervals are made.
    pub resampling: Resampling,
}

impl Default for ProbeOptions {
    fn default() -> Self {
        Self {
            fit_splits: vec![Split::Train],
            splits: vec![Split::Val],
            fractions: vec![1.0],
            charts: false,
            resampling: Resampling::default(),
        }
    }
}

/// What [`probe`] finds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Probe {
    /// The model and the films evaluated.
    #[serde(flatten)]
    pub subject: Subject,
    /// Films to fit on that could not be read.
    pub failed_to_fit: usize,
    /// One for every share of the patients.
    pub shares: Vec<ProbeShare>,
    /// The classifiers of the last share, for this model.
    #[serde(skip)]
    pub head: Head,
    /// The charts that were asked for.
    #[serde(skip)]
    pub charts: Vec<Chart>,
}

/// What classifiers of one share of the patients do.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ProbeShare {
    /// Share of the patients.
    pub fraction: f64,
    /// Films fitted on.
    pub fitted_images: usize,
    /// Patients they are of.
    pub fitted_patients: usize,
    /// C of each classifier.
    pub regularisation: Vec<ChosenC>,
    /// Findings without a classifier.
    pub not_fitted: Vec<NotFitted>,
    /// How well scores rank the films evaluated.
    #[serde(flatten)]
    pub figures: Figures,
}

/// The regularization that cross-validation chose.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ChosenC {
    /// The finding.
    pub name: &'static str,
    /// Inverse strength of the regularization.
    pub c: f64,
}

/// A finding without a classifier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NotFitted {
    /// The finding.
    pub name: &'static str,
    /// Why there is none.
    pub reason: String,
}

/// The classifiers there are.
type Classifiers = Vec<(Finding, Logistic)>;

/// AUROC and average precision of logistic regressions fitted on the frozen image tower's embeddings.
///
/// One classifier a finding, on the films where that finding is annotated; a blank or uncertain one is left out, never read as
/// absent. Features are standardized on the films fitted on. C is the one of 1e-5, 1e-4, …, 1 with the least held-out log-loss over
/// five folds of the fitted patients. A finding with too few patients for that has no classifier and is named.
///
/// # Errors
/// [`ProbeError`] when films cannot be used or are on both sides, or a fit fails.
pub fn probe(
    evaluator: &Evaluator,
    options: &ProbeOptions,
    observer: &mut dyn Observer,
) -> Result<Probe, ProbeError> {
    let resampling = options.resampling;
    if let Some(fraction) = options.fractions.iter().find(|share| !(**share > 0.0 && **share <= 1.0)) {
        return Err(ProbeError::Fraction(*fraction));
    }
    let fit = evaluator.chosen("fit", &options.fit_splits)?;
    let evaluation = evaluator.chosen("evaluation", &options.splits)?;
    evaluator.films().check_apart(&fit, &evaluation)?;
    let (fit, evaluation) = (evaluator.embed(&fit, observer)?, evaluator.embed(&evaluation, observer)?);

    let mut shares = Vec::new();
    let mut last = None;
    let count = options.fractions.len() * Finding::COUNT;
    observer.tell(Progress::Begin { unit: Unit::Classifiers, count });
    for &fraction in &options.fractions {
        let rows = grouped_share(&fit.patients(), fraction, resampling.seed);
        let fitted = fit_all(&fit, &rows, resampling.seed, evaluator.threads(), observer)?;
        let (share, classifiers, ranking) = evaluate(fraction, &fit, &rows, fitted, &evaluation, resampling)?;
        shares.push(share);
        last = Some((classifiers, ranking));
    }
    observer.tell(Progress::End);
    let (classifiers, ranking) = last.ok_or(ProbeError::NoShare)?;
    let model = evaluator.model();
    let head = head(model.bundle().id(), &classifiers)?;
    let charts =
        if options.charts { draw(model.name(), &ranking, &shares, &evaluation)? } else { Vec::new() };
    let subject = evaluator.subject(&evaluation, resampling);
    Ok(Probe { subject, failed_to_fit: fit.failed, shares, head, charts })
}

/// Charts of the last share's scores, and of all shares.
fn draw(
    model: &str,
    ranking: &Ranking<'_>,
    shares: &[ProbeShare],
    evaluation: &EmbeddedFilms<'_>,
) -> Result<Vec<Chart>, ProbeError> {
    let Some(ProbeShare { fraction, figures, .. }) = shares.last() else { return Ok(Vec::new()) };
    let title = format!("{model}, linear probe");
    let of_share = if *fraction < 1.0 { format!("{title} (share {fraction})") } else { title.clone() };
    let mut drawn = charts::of_scores(&of_share, ranking, figures, &evaluation.embeddings)?;
    let figures: Vec<(f64, &Figures)> = shares.iter().map(|share| (share.fraction, &share.figures)).collect();
    drawn.push(charts::of_shares(&title, &figures)?);
    Ok(drawn)
}

/// Figures of one share's classifiers, the classifiers there are, and their scores.
fn evaluate<'a>(
    fraction: f64,
    fit: &EmbeddedFilms<'_>,
    rows: &[usize],
    fitted: Vec<Fitted>,
    evaluation: &EmbeddedFilms<'a>,
    resampling: Resampling,
) -> Result<(ProbeShare, Classifiers, Ranking<'a>), ProbeError> {
    let (mut regularisation, mut not_fitted, mut classifiers) = (Vec::new(), Vec::new(), Vec::new());
    for (finding, fitted) in Finding::ALL.into_iter().zip(fitted) {
        let name = finding.name();
        match fitted {
            Ok((c, classifier)) => {
                regularisation.push(ChosenC { name, c });
                classifiers.push((finding, classifier));
            }
            // A finding that is too rare here; anything else is a fault of the embeddings or of the fit.
            Err(error @ (FitError::OneClass { .. } | FitError::Folds | FitError::Shape { .. })) => {
                not_fitted.push(NotFitted { name, reason: error.to_string() });
            }
            Err(source) => return Err(ProbeError::Fit { finding: name, source }),
        }
    }
    if classifiers.is_empty() {
        return Err(ProbeError::NoClassifier { fraction });
    }
    let findings = classifiers.iter().map(|(finding, _)| *finding).collect();
    let scores = classifiers.iter().map(|(_, classifier)| {
        evaluation.embeddings.iter().map(|image| classifier.logit(image) as f32).collect()
    });
    let ranking = Ranking::new(findings, scores.collect(), &evaluation.records);
    let share = ProbeShare {
        fraction,
        fitted_images: rows.len(),
        fitted_patients: distinct_patients(rows.iter().map(|row| fit.records[*row])),
        regularisation,
        not_fitted,
        figures: ranking.figures(resampling)?,
    };
    Ok((share, classifiers, ranking))
}
