//! Confidence intervals by resampling patients.

mod ground;
mod settings;

use std::collections::BTreeMap;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use self::ground::is_doubtful;
use crate::confusion::mean;

pub use ground::NoInterval;
pub use settings::{Averaged, Setting, bootstrap_settings};

/// A statistic with its percentile bootstrap interval, where there is evidence for one.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Interval {
    /// The statistic on all rows.
    pub estimate: f64,
    /// Lower end; `None` where [`no_interval`](Self::no_interval) says why.
    pub low: Option<f64>,
    /// Upper end; `None` where [`no_interval`](Self::no_interval) says why.
    pub high: Option<f64>,
    /// Resamples in which the statistic was defined: those the ends are quantiles of.
    pub defined: usize,
    /// Resamples in which it was not, for want of a positive for example.
    pub undefined: usize,
    /// Why there are no ends; `None` where there are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub no_interval: Option<NoInterval>,
}

impl Interval {
    /// Both ends, where there are any.
    pub fn ends(&self) -> Option<(f64, f64)> {
        self.low.zip(self.high)
    }

    /// Whether `value` lies outside: below the lower end or above the upper one. `None` without ends.
    pub fn excludes(&self, value: f64) -> Option<bool> {
        self.ends().map(|(low, high)| value < low || value > high)
    }

    fn without_ends(self, why: NoInterval) -> Self {
        Self { low: None, high: None, no_interval: Some(why), ..self }
    }
}

/// Intervals of several statistics from the same resamples, and of their mean.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MacroIntervals {
    /// One per statistic, in order; `None` where the statistic is undefined on all rows or in every resample.
    pub each: Vec<Option<Interval>>,
    /// The mean of the statistics that are defined on all rows. A resample counts only when every one of those is
    /// defined in it, so that each resample averages the same statistics. It has no ends when one of them has none.
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
/// between order statistics, as `numpy.quantile`) of the statistic over the resamples. A statistic that one patient decides
/// has a value but no ends ([`NoInterval`]).
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
    let found = interval(estimate, &drawn, level).ok_or(BootstrapError::UndefinedResamples { resamples })?;
    let why = resampler.why_none(&drawn, |rows| statistic(rows).is_some());
    Ok(why.map_or(found, |why| found.without_ends(why)))
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
    let each: Vec<Option<Interval>> = estimates
        .iter()
        .zip(&drawn_each)
        .enumerate()
        .map(|(column, (estimate, drawn))| {
            let found = interval((*estimate)?, drawn, level)?;
            let why = resampler.why_none(drawn, |rows| statistic(column, rows).is_some());
            Some(why.map_or(found, |why| found.without_ends(why)))
        })
        .collect();
    let why = each.iter().flatten().find_map(|found| found.no_interval);
    let mean = mean(&defined).and_then(|estimate| interval(estimate, &drawn_mean, level));
    Ok(MacroIntervals { mean: mean.map(|found| why.map_or(found, |why| found.without_ends(why))), each })
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

    /// Rows of all groups but one.
    fn rows_without(&self, left_out: usize) -> Vec<usize> {
        let others = self.groups.iter().enumerate().filter(|(group, _)| *group != left_out);
        let mut rows: Vec<usize> = others.flat_map(|(_, rows)| rows).copied().collect();
        rows.sort_unstable();
        rows
    }

    /// Why a statistic that gave `drawn` has no interval, if one group decides it.
    fn why_none(&self, drawn: &[Option<f64>], is_defined: impl Fn(&[usize]) -> bool) -> Option<NoInterval> {
        if self.groups.len() == 1 {
            return Some(NoInterval::OnePatient);
        }
        let rests = || (0..self.groups.len()).any(|group| !is_defined(&self.rows_without(group)));
        (is_doubtful(drawn) && rests()).then_some(NoInterval::RestsOnOnePatient)
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
        low: Some(quantile(&values, tail)?),
        high: Some(quantile(&values, 1.0 - tail)?),
        defined: values.len(),
        undefined: drawn.len() - values.len(),
        no_interval: None,
    })
}

/// Middle value, the mean of the middle two of an even number; `None` without values or when one is not a number.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    quantile(&sorted, 0.5).filter(|_| !sorted.iter().any(|value| value.is_nan()))
}

/// Quantile of ascending values, linear between neighbors; `None` without values.
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

    fn width(interval: &Interval) -> f64 {
        interval.ends().map_or(f64::NAN, |(low, high)| high - low)
    }

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
        assert!((width(&interval) - 1.130).abs() < 0.08, "{interval:?}");
    }

    #[test]
    fn rows_of_one_patient_stay_together() {
        let values: Vec<f64> = (0..400).map(|row| f64::from(row / 100)).collect();
        let patients: Vec<usize> = (0..400).map(|row| row / 100).collect();
        let rows: Vec<usize> = (0..400).collect();
        let by_patient = bootstrap_ci(&patients, mean_of(&values), 500, 0.9, 3).unwrap();
        let by_row = bootstrap_ci(&rows, mean_of(&values), 500, 0.9, 3).unwrap();
        assert!(width(&by_patient) > 5.0 * width(&by_row));
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
        assert_eq!(interval.estimate, 1.0);
    }

    #[test]
    fn what_one_patient_decides_has_a_value_and_no_interval() {
        type Case<'a> = (&'a str, &'a [&'a str], &'a [Option<bool>], Option<NoInterval>);
        let (yes, no) = (Some(true), Some(false));
        let rests = Some(NoInterval::RestsOnOnePatient);
        let cases: [Case; 7] = [
            ("one positive", &["a", "b", "c", "d"], &[yes, no, no, no], rests),
            ("one negative", &["a", "b", "c", "d"], &[yes, yes, no, yes], rests),
            ("positives of one patient", &["a", "a", "b", "c"], &[yes, yes, no, no], rests),
            ("annotated films of one patient", &["a", "a", "b", "c"], &[yes, no, None, None], rests),
            ("two patients", &["a", "b", "b", "b"], &[yes, no, no, no], rests),
            ("one patient", &["a", "a", "a", "a"], &[yes, yes, no, no], Some(NoInterval::OnePatient)),
            ("two of either", &["a", "b", "c", "d"], &[yes, yes, no, no], None),
        ];
        let scores = [0.9, 0.8, 0.3, 0.2];
        for resamples in [20, 2000] {
            for (name, patients, labels, expected) in cases {
                let area = |rows: &[usize]| {
                    let (scores, labels) = annotated(&scores, labels, rows);
                    auroc(&scores, &labels)
                };
                let single = bootstrap_ci(patients, area, resamples, 0.95, 5).unwrap();
                assert_eq!(single.no_interval, expected, "{name}, {resamples} resamples: {single:?}");
                assert_eq!(single.ends().is_none(), expected.is_some(), "{name}: {single:?}");
                assert_eq!(single.excludes(2.0), expected.is_none().then_some(true), "{name}");

                // Beside a statistic that all patients carry, the mean has no interval either.
                let carried =
                    |column: usize, rows: &[usize]| if column == 0 { area(rows) } else { Some(0.5) };
                let joint = bootstrap_macro(patients, 2, carried, resamples, 0.95, 5).unwrap();
                assert_eq!(joint.each[0], Some(single), "{name}");
                assert_eq!(joint.mean.unwrap().no_interval, expected, "{name}");
                let one = expected.filter(|why| *why == NoInterval::OnePatient);
                assert_eq!(joint.each[1].unwrap().no_interval, one, "{name}");
            }
        }
    }

    #[test]
    fn an_interval_without_ends_is_written_as_null() {
        let one = bootstrap_ci(&["a", "a"], |_| Some(0.5), 10, 0.95, 0).unwrap();
        let value = serde_json::to_value(one).unwrap();
        assert_eq!((&value["low"], &value["high"]), (&serde_json::Value::Null, &serde_json::Value::Null));
        assert_eq!(value["no_interval"], "one_patient");
        assert_eq!(serde_json::from_value::<Interval>(value).unwrap(), one);
        let two = bootstrap_ci(&["a", "b"], |_| Some(0.5), 10, 0.95, 0).unwrap();
        assert!(serde_json::to_value(two).unwrap().get("no_interval").is_none());
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
            prop_assert_eq!(single.low.is_none(), groups.last() == Some(&0));
        }
    }
}
