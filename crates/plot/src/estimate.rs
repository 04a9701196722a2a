//! A figure and how sure it is.

use std::fmt;

use crate::error::{PlotError, check, finite};

/// A value with its 95 % confidence interval, where it has one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The value.
    pub value: f64,
    /// Lower and upper bound; the value may lie outside, as with percentile intervals.
    pub interval: Option<(f64, f64)>,
}

impl Estimate {
    /// The value and the bounds.
    pub(crate) fn values(self) -> impl Iterator<Item = f64> {
        [Some(self.value), self.interval.map(|bounds| bounds.0), self.interval.map(|bounds| bounds.1)]
            .into_iter()
            .flatten()
    }

    pub(crate) fn validate(self, series: &str) -> Result<(), PlotError> {
        finite(series, self.values())?;
        let high = self.interval.map(|(_, high)| high);
        let low = self.interval.map(|(low, _)| low);
        check(series, "at most the upper bound", low, |low| high.is_some_and(|high| low <= high))
    }
}

/// `0.809 (0.763–0.847)`.
impl fmt::Display for Estimate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3}", self.value)?;
        match self.interval {
            Some((low, high)) => write!(f, " ({low:.3}–{high:.3})"),
            None => Ok(()),
        }
    }
}
