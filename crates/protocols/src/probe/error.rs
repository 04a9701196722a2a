//! Why nothing could be fitted.

use medclip_core::HeadError;
use medclip_core::batch::EmbeddingsError;
use medclip_stats::FitError;
use thiserror::Error;

use crate::charts::ChartError;
use crate::error::EvaluationError;

/// Why nothing could be fitted.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ProbeError {
    /// The films or the model cannot be used.
    #[error(transparent)]
    Evaluation(#[from] EvaluationError),
    /// A share outside of its range.
    #[error("a share of the patients must be above 0 and at most 1, not {0}")]
    Fraction(f64),
    /// No share was asked for.
    #[error("no share of the patients to fit on")]
    NoShare,
    /// No finding has enough films.
    #[error("with {fraction} of the patients no finding has enough of both outcomes to fit a classifier")]
    NoClassifier {
        /// Share of the patients.
        fraction: f64,
    },
    /// A fit failed.
    #[error("cannot fit a classifier of {finding}")]
    Fit {
        /// Its finding.
        finding: &'static str,
        /// Why it failed.
        source: FitError,
    },
    /// The classifiers form no head.
    #[error("cannot keep the classifiers")]
    Head(#[from] HeadError),
    /// The classifiers have no weights.
    #[error("cannot keep the classifiers")]
    Weights(#[from] EmbeddingsError),
    /// A chart could not be drawn.
    #[error(transparent)]
    Chart(#[from] ChartError),
}
