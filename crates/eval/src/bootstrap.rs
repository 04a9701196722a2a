//! Confidence intervals by resampling patients.

mod settings;

use std::collections::BTreeMap;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::confusion::mean;

pub use settings::{Averaged, Setting, bootstrap_settings};

/// A statistic with its percentile bootstrap interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The statistic on all rows.
    pub estimate: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Resamples in which the statistic was defined: those the ends are quantiles of.
    pub defined: usize,
    /// Resamples in which it was not, for want of a positive for example.
    pub undefined: usize,
}

impl Interval {
    /// True when `value` lies outside: below the lower end or above the upper one.
    pub fn excludes(&self, value: f64) -> bool {
        value < self.low || value > self.high
    }
}

/// Intervals of several statistics from the same resamples, and of their mean.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MacroIntervals {
    /// One per statistic, in order; `None` where the statistic is undefined on all rows or in every resample.
    pub each: Vec<Option<Interval>>,
    /// The mean of the statistics that are defined on all rows. A resample counts only when every one of those is
    /// defined in it, so that each resample averages the same statistics.
    pub mean: Option<Interval>,
}

/// A bootstrap that cannot be done.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum BootstrapError {
    /// There are no rows to resample.
    #[error("no rows to resample")]
    NoRows,
    /// No resamples were asked for.
    #[error("at least one resample is needed")]
    NoResamples,
    /// The level is no probability between 0 and 1.
    #[error("a confidence level lies between 0 and 1, got {level}")]
    Level {
        /// Level asked for.
        level: f64,
    },
    /// A setting averages nothing.
    #[error("setting {setting} has no members to average")]
    NoMembers {
        /// Its position, from 0.
        setting: usize,
    },
    /// The statistic has no value on all rows.
    #[error("the statistic is undefined on the {rows} rows given")]
    UndefinedEstimate {
        /// Rows given.
        rows: usize,
    },
    /// The statistic has no value in any resample.
    #[error("the statistic is undefined in all {resamples} resamples")]
    UndefinedResamples {
        /// Resamples drawn.
        resamples: usize,
    },
}

/// Percentile interval of a statistic, resampling groups of rows (patients) with replacement.
///
/// Draws as many groups as there are, with all their rows, and takes the `(1 ± level) / 2` quantiles (linear
/// between order statistics, as `numpy.quantile`) of the statistic over the resamples.
///
/// # Shapes
/// - `groups`: `[rows]`, the patient of each row
/// - `statistic`: called with indices of rows, repeated as drawn; `None` where it is undefined
/// - `level`: in (0, 1), 0.95 for a 95 % interval; `seed`: of a `ChaCha8` stream, the same on every platform
///
/// # Errors
/// [`BootstrapError`] when nothing can be drawn or the statistic is undefined on all rows or in every resample.
///
/// # Source
/// Efron and Tibshirani 1993, chapter 13; whole clusters are drawn because images of one patient are not
/// independent.
pub fn bootstrap_ci<G: Ord>(
    groups: &[G],
    statistic: impl Fn(&[usize]) -> Option<f64>,
    resamples: usize,
    level: f64,
    seed: u64,
) -> Result<Interval, BootstrapError> {
    let mut resampler = Resampler::new(groups, resamples, level, seed)?;
    let estimate =
        statistic(&resampler.all_rows()).ok_or(BootstrapError::UndefinedEstimate { rows: groups.len() })?;
    let drawn: Vec<Option<f64>> = (0..resamples).map(|_| statistic(&resampler.draw())).collect();
    interval(estimate, &drawn, level).ok_or(BootstrapError::UndefinedResamples { resamples })
}

/// Intervals of `columns` statistics and of their mean, all from the same resamples.
///
/// `statistic(column, rows)` is, for example, the AUROC of finding `column` on `rows`. Resampling once for all
/// keeps the dependence between findings, which the interval of their mean needs. Otherwise as [`bootstrap_ci`].
///
/// # Errors
/// [`BootstrapError`] when nothing can be drawn. An undefined statistic is `None` in the result.
pub fn bootstrap_macro<G: Ord>(
    groups: &[G],
    columns: usize,
    statistic: impl Fn(usize, &[usize]) -> Option<f64>,
    resamples: usize,
    level: f64,
    seed: u64,
) -> Result<MacroIntervals, BootstrapError> {
    let mut resampler = Resampler::new(groups, resamples, level, seed)?;
    let all_rows = resampler.all_rows();
    let estimates: Vec<Option<f64>> = (0..columns).map(|column| statistic(column, &all_rows)).collect();

    let mut drawn_each = vec![Vec::with_capacity(resamples); columns];
    let mut drawn_mean = Vec::with_capacity(resamples);
    for _ in 0..resamples {
        let rows = resampler.draw();
        let mut complete: Option<Vec<f64>> = Some(Vec::with_capacity(columns));
        for (column, (estimate, drawn)) in estimates.iter().zip(&mut drawn_each).enumerate() {
            if estimate.is_none() {
                continue;
            }
            let value = statistic(column, &rows);
            drawn.push(value);
            complete = complete.zip(value).map(|(mut values, value)| {
                values.push(value);
                values
            });
        }
        drawn_mean.push(complete.and_then(|values| mean(&values)));
    }

    let defined: Vec<f64> = estimates.iter().copied().flatten().collect();
    Ok(MacroIntervals {
        each: estimates
            .iter()
            .zip(&drawn_each)
            .map(|(estimate, drawn)| interval((*estimate)?, drawn, level))
            .collect(),
        mean: mean(&defined).and_then(|estimate| interval(estimate, &drawn_mean, level)),
    })
}

/// Rows by group, and the stream that draws groups.
struct Resampler {
    groups: Vec<Vec<usize>>,
    rng: ChaCha8Rng,
}

impl Resampler {
    fn new<G: Ord>(groups: &[G], resamples: usize, level: f64, seed: u64) -> Result<Self, BootstrapError> {
        if groups.is_empty() {
            return Err(BootstrapError::NoRows);
        }
        if resamples == 0 {
            return Err(BootstrapError::NoResamples);
        }
        if !(level > 0.0 && level < 1.0) {
            return Err(BootstrapError::Level { level });
        }
        let mut rows_by_group: BTreeMap<&G, Vec<usize>> = BTreeMap::new();
        for (row, group) in groups.iter().enumerate() {
            rows_by_group.entry(group).or_default().push(row);
        }
        Ok(Self { groups: rows_by_group.into_values().collect(), rng: ChaCha8Rng::seed_from_u64(seed) })
    }

    fn all_rows(&self) -> Vec<usize> {
        let mut rows: Vec<usize> = self.groups.iter().flatten().copied().collect();
        rows.sort_unstable();
        rows
    }

    fn draw(&mut self) -> Vec<usize> {
        let count = self.groups.len();
        (0..count)
            .filter_map(|_| self.groups.get(self.rng.random_range(0..count)))
            .flatten()
            .copied()
            .collect()
    }

    /// The next draw as how often each of `rows` rows is in it.
    fn draw_counts(&mut self, rows: usize) -> Vec<u32> {
        let mut counts = vec![0; rows];
        for row in self.draw() {
            if let Some(count) = counts.get_mut(row) {
                *count += 1;
            }
        }
        counts
    }
}

fn interval(estimate: f64, drawn: &[Option<f64>], level: f64) -> Option<Interval> {
    let mut values: Vec<f64> = drawn.iter().copied().flatten().collect();
    values.sort_by(f64::total_cmp);
    let tail = (1.0 - level) / 2.0;
    Some(Interval {
        estimate,
        low: quantile(&values, tail)?,
        high: quantile(&values, 1.0 - tail)?,
        defined: values.len(),
        undefined: drawn.len() - values.len(),
    })
}

/// Middle value, the mean of the middle two of an even number; `None` without values or when one is not a number.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    quantile(&sorted, 0.5).filter(|_| !sorted.iter().any(|value| value.is_nan()))
}

/// Quantile of ascending values, linear between neighbours; `None` without values.
fn quantile(sorted: &[f64], probability: f64) -> Option<f64> {
    let position = probability * sorted.len().checked_sub(1)? as f64;
    let low = *sorted.get(position.floor() as usize)?;
    let high = *sorted.get(position.ceil() as usize)?;
    Some(low + (high - low) * position.fract())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{annotated, auroc};

    fn mean_of(values: &[f64]) -> impl Fn(&[usize]) -> Option<f64> + '_ {
        |rows| mean(&rows.iter().map(|&row| values[row]).collect::<Vec<_>>())
    }

    #[test]
    fn quantile_agrees_with_numpy() {
        // numpy.quantile([1, 2, 4, 8], [.025, .5, .975]) == [1.075, 3., 7.7]
        let values = [1.0, 2.0, 4.0, 8.0];
        for (probability, expected) in [(0.025, 1.075), (0.5, 3.0), (0.975, 7.7)] {
            assert!(quantile(&values, probability).is_some_and(|value| (value - expected).abs() < 1e-12));
        }
        assert_eq!(quantile(&[], 0.5), None);
        assert_eq!(median(&[8.0, 1.0, 4.0, 2.0]), Some(3.0));
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!((median(&[]), median(&[1.0, f64::NAN])), (None, None));
    }

    #[test]
    fn interval_of_a_mean_has_the_width_of_the_normal_one() {
        let values: Vec<f64> = (0..400).map(|row| f64::from(row % 20)).collect();
        let groups: Vec<usize> = (0..400).collect();
        let interval = bootstrap_ci(&groups, mean_of(&values), 2000, 0.95, 1).unwrap();
        // Standard deviation of 0..=19 is 5.766; 2 · 1.96 · 5.766 / √400 = 1.130.
        assert_eq!(interval.estimate, 9.5);
        assert!((interval.high - interval.low - 1.130).abs() < 0.08, "{interval:?}");
    }

    #[test]
    fn rows_of_one_patient_stay_together() {
        let values: Vec<f64> = (0..400).map(|row| f64::from(row / 100)).collect();
        let patients: Vec<usize> = (0..400).map(|row| row / 100).collect();
        let rows: Vec<usize> = (0..400).collect();
        let by_patient = bootstrap_ci(&patients, mean_of(&values), 500, 0.9, 3).unwrap();
        let by_row = bootstrap_ci(&rows, mean_of(&values), 500, 0.9, 3).unwrap();
        assert!(by_patient.high - by_patient.low > 5.0 * (by_row.high - by_row.low));
    }

    #[test]
    fn undefined_resamples_are_counted() {
        let scores = [0.9, 0.1, 0.2, 0.3];
        let labels = [Some(true), Some(false), Some(false), Some(false)];
        let area = |rows: &[usize]| {
            let (scores, labels) = annotated(&scores, &labels, rows);
            auroc(&scores, &labels)
        };
        let interval = bootstrap_ci(&[0, 1, 2, 3], area, 1000, 0.95, 5).unwrap();
        assert_eq!(interval.defined + interval.undefined, 1000);
        // Chance of missing the only positive (3/4)⁴ = .316, of drawing nothing else (1/4)⁴ = .004.
        assert!((290..350).contains(&interval.undefined), "{interval:?}");
        assert_eq!((interval.low, interval.high), (1.0, 1.0));
    }

    #[test]
    fn impossible_requests_are_errors() {
        let one = |_: &[usize]| Some(1.0);
        assert_eq!(bootstrap_ci::<u8>(&[], one, 10, 0.95, 0), Err(BootstrapError::NoRows));
        assert_eq!(bootstrap_ci(&[1], one, 0, 0.95, 0), Err(BootstrapError::NoResamples));
        assert_eq!(bootstrap_ci(&[1], one, 10, 1.0, 0), Err(BootstrapError::Level { level: 1.0 }));
        assert!(matches!(bootstrap_ci(&[1], one, 10, f64::NAN, 0), Err(BootstrapError::Level { .. })));
        let never = bootstrap_ci(&[1, 2], |_| None, 10, 0.95, 0);
        assert_eq!(never, Err(BootstrapError::UndefinedEstimate { rows: 2 }));
    }

    #[test]
    fn macro_keeps_the_same_statistics_in_every_resample() {
        let values = [1.0, 2.0, 3.0, 4.0];
        let statistic = |column: usize, rows: &[usize]| match column {
            0 => mean_of(&values)(rows),
            1 => rows.contains(&0).then_some(10.0),
            _ => None,
        };
        let joint = bootstrap_macro(&[0, 1, 2, 3], 3, statistic, 400, 0.95, 9).unwrap();
        let [Some(first), Some(second), None] = joint.each[..] else { panic!("{joint:?}") };
        let both = joint.mean.unwrap();
        assert_eq!(first.undefined, 0);
        assert!(second.undefined > 0);
        assert_eq!(both.undefined, second.undefined);
        assert_eq!(both.estimate, 6.25);
    }

    proptest! {
        #[test]
        fn one_column_equals_the_single_bootstrap(
            values in prop::collection::vec(-5.0_f64..5.0, 1..20),
            seed in any::<u64>(),
        ) {
            let groups: Vec<usize> = (0..values.len()).map(|row| row / 2).collect();
            let single = bootstrap_ci(&groups, mean_of(&values), 30, 0.8, seed).unwrap();
            let joint = bootstrap_macro(&groups, 1, |_, rows| mean_of(&values)(rows), 30, 0.8, seed).unwrap();
            prop_assert_eq!(joint.each, vec![Some(single)]);
            prop_assert_eq!(joint.mean, Some(single));
            prop_assert!(single.low <= single.high);
        }
    }
}
