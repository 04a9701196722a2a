//! Why a chart could not be drawn.

use medclip_plot::PlotError;
use medclip_stats::ProjectionError;
use thiserror::Error;

/// A chart that could not be drawn.
#[derive(Debug, Error)]
#[error("cannot draw {file_name}")]
pub struct ChartError {
    /// The chart.
    pub file_name: &'static str,
    /// Why.
    pub source: ChartFault,
}

/// Why a chart could not be drawn.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ChartFault {
    /// No finding can be ranked.
    #[error("no finding has both outcomes among these films")]
    OneOutcome,
    /// A score that is infinite or not a number.
    #[error("{finding}: a score is not a number")]
    NotANumber {
        /// The finding that is scored.
        finding: &'static str,
    },
    /// No share was fitted on.
    #[error("no share of the patients was fitted on")]
    NoShare,
    /// Every point of the curves is undefined.
    #[error("none of the headline findings has an AUROC")]
    NoFigure,
    /// The embeddings span no plane.
    #[error(transparent)]
    Plane(#[from] ProjectionError),
    /// The chart has nothing to show.
    #[error(transparent)]
    Plot(#[from] PlotError),
}
