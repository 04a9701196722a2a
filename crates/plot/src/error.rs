//! Why a chart cannot be drawn.

use thiserror::Error;

/// Data that make no chart.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum PlotError {
    /// There is nothing to draw.
    #[error("{chart}: there is nothing to draw")]
    Empty {
        /// Title of the chart, or the series that is empty.
        chart: String,
    },
    /// A value outside the range its axis has, or not a finite number.
    #[error("{series}: {value} is not {expected}")]
    Value {
        /// The series that holds it.
        series: String,
        /// The value.
        value: f64,
        /// What it should be.
        expected: &'static str,
    },
}

/// Checks that every value of a series is finite.
pub(crate) fn finite(series: &str, values: impl IntoIterator<Item = f64>) -> Result<(), PlotError> {
    check(series, "a finite number", values, f64::is_finite)
}

/// Checks that every value of a series is a share of one.
pub(crate) fn unit(series: &str, values: impl IntoIterator<Item = f64>) -> Result<(), PlotError> {
    check(series, "in 0–1", values, |value| (0.0..=1.0).contains(&value))
}

/// Checks every value of a series against what is `expected` of it.
pub(crate) fn check(
    series: &str,
    expected: &'static str,
    values: impl IntoIterator<Item = f64>,
    fits: impl Fn(f64) -> bool,
) -> Result<(), PlotError> {
    match values.into_iter().find(|value| !fits(*value)) {
        Some(value) => Err(PlotError::Value { series: series.to_owned(), value, expected }),
        None => Ok(()),
    }
}

/// Checks that there is something to draw.
pub(crate) fn not_empty<T>(chart: &str, items: &[T]) -> Result<(), PlotError> {
    if items.is_empty() { Err(PlotError::Empty { chart: chart.to_owned() }) } else { Ok(()) }
}
