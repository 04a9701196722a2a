//! Settings that are averages over members, such as seeds of one recipe or draws of prompts, and how far they are from the first.

use serde::{Deserialize, Serialize};

use super::ground::is_doubtful;
use super::{BootstrapError, Interval, MacroIntervals, NoInterval, Resampler, interval};
use crate::confusion::mean;

/// Statistics of one setting, each the mean over its members.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Setting {
    /// One per statistic; `None` where a member has none on all rows, or where no resample has one.
    pub each: Vec<Option<Averaged>>,
    /// The mean of the headline statistics.
    pub mean: Option<Averaged>,
    /// This setting less the first one, resample by resample; `None` for the first.
    pub difference: Option<MacroIntervals>,
}

/// A mean over members with its interval.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Averaged {
    /// Of the mean over members, which patients vary and members do not.
    #[serde(flatten)]
    pub interval: Interval,
    /// Each member's value on all rows.
    pub members: Vec<f64>,
}

impl Averaged {
    /// Sample standard deviation (n − 1) over the members; `None` for one.
    pub fn deviation(&self) -> Option<f64> {
        let center = mean(&self.members)?;
        let squares: f64 = self.members.iter().map(|value| (value - center).powi(2)).sum();
        (self.members.len() > 1).then(|| (squares / (self.members.len() - 1) as f64).sqrt())
    }
}

/// Intervals of several settings from the same resamples of patients, and of their paired differences from the first.
///
/// In every resample each statistic is averaged over the members of a setting, and the headline ones of these averages
/// once more. Only headline statistics that are defined on all rows in every setting take part, so that all settings
/// average the same ones; a resample in which one of them is undefined does not count. A difference is that of two
/// settings in one resample: what makes some patients hard for both cancels.
///
/// # Shapes
/// - `groups`: `[rows]`, the patient of each row
/// - `members`: `[settings]`, how many members each has
/// - `headline`: indices of statistics
/// - `statistics`: called with a setting, a member and `[rows]` how often each row was drawn; returns every statistic,
///   always in the same order
/// - returns: `[settings]`
///
/// # Errors
/// [`BootstrapError`] when nothing can be drawn or a setting has no members. An undefined statistic is `None` in the result.
///
/// # Source
/// Efron and Tibshirani 1993, chapter 13, as [`bootstrap_ci`](super::bootstrap_ci), whose resamples these are.
pub fn bootstrap_settings<G: Ord>(
    groups: &[G],
    members: &[usize],
    headline: &[usize],
    statistics: impl Fn(usize, usize, &[u32]) -> Vec<Option<f64>>,
    resamples: usize,
    level: f64,
    seed: u64,
) -> Result<Vec<Setting>, BootstrapError> {
    let mut resampler = Resampler::new(groups, resamples, level, seed)?;
    if let Some(setting) = members.iter().position(|count| *count == 0) {
        return Err(BootstrapError::NoMembers { setting });
    }
    let values = |counts: &[u32]| -> Vec<MemberValues> {
        let of = |setting: usize, count: usize| {
            (0..count).map(|member| statistics(setting, member, counts)).collect()
        };
        members.iter().enumerate().map(|(setting, &count)| MemberValues(of(setting, count))).collect()
    };
    let observed = values(&vec![1; groups.len()]);
    let columns = observed.iter().map(MemberValues::columns).min().unwrap_or(0);
    let is_defined = |column: &usize| observed.iter().all(|setting| setting.average(*column).is_some());
    let headline: Vec<usize> = headline.iter().copied().filter(is_defined).collect();

    let mut drawn: Vec<Drawn> = members.iter().map(|_| Drawn::new(columns)).collect();
    for _ in 0..resamples {
        let counts = resampler.draw_counts(groups.len());
        let mut first: Option<Vec<Option<f64>>> = None;
        for (values, drawn) in values(&counts).iter().zip(&mut drawn) {
            let row = values.row(columns, &headline);
            drawn.push(&row, first.as_deref());
            first.get_or_insert(row);
        }
    }

    let rests = resting(&resampler, groups.len(), &drawn, |counts| {
        values(counts).iter().map(|setting| setting.row(columns, &headline)).collect()
    });
    let why = |setting: usize, column: usize| match rests.as_slice() {
        [] => Some(NoInterval::OnePatient),
        rests => rests[setting][column].then_some(NoInterval::RestsOnOnePatient),
    };
    let first = observed.first().map(|values| values.row(columns, &headline)).unwrap_or_default();
    let summarize = |(setting, (values, drawn)): (usize, (&MemberValues, &Drawn))| {
        let estimates = values.row(columns, &headline);
        let averaged = |column: usize| {
            let found = interval((*estimates.get(column)?)?, drawn.values.get(column)?, level)?;
            let found = why(setting, column).map_or(found, |why| found.without_ends(why));
            let of_column = |member| {
                if column < columns { value(member, column) } else { headline_mean(member, &headline) }
            };
            let members: Option<Vec<f64>> = values.0.iter().map(|member| of_column(member)).collect();
            Some(Averaged { interval: found, members: members? })
        };
        let difference = |column: usize| {
            let estimate = (*estimates.get(column)?)? - (*first.get(column)?)?;
            let found = interval(estimate, drawn.differences.get(column)?, level)?;
            let why = why(setting, column).or_else(|| why(0, column));
            Some(why.map_or(found, |why| found.without_ends(why)))
        };
        Setting {
            each: (0..columns).map(averaged).collect(),
            mean: averaged(columns),
            difference: (setting > 0).then(|| MacroIntervals {
                each: (0..columns).map(difference).collect(),
                mean: difference(columns),
            }),
        }
    };
    Ok(observed.iter().zip(&drawn).enumerate().map(summarize).collect())
}

/// Which statistics one patient decides, `[settings][statistics and the headline mean]`; empty where there is one patient.
fn resting(
    resampler: &Resampler,
    rows: usize,
    drawn: &[Drawn],
    row_of: impl Fn(&[u32]) -> Vec<Vec<Option<f64>>>,
) -> Vec<Vec<bool>> {
    if resampler.groups.len() == 1 {
        return Vec::new();
    }
    let doubtful: Vec<Vec<bool>> =
        drawn.iter().map(|drawn| drawn.values.iter().map(|values| is_doubtful(values)).collect()).collect();
    let mut rests: Vec<Vec<bool>> = doubtful.iter().map(|columns| vec![false; columns.len()]).collect();
    for group in 0..resampler.groups.len() {
        // Enough is known once every doubt is confirmed.
        if rests == doubtful {
            break;
        }
        let mut counts = vec![0; rows];
        for row in resampler.rows_without(group) {
            if let Some(count) = counts.get_mut(row) {
                *count = 1;
            }
        }
        for ((rests, doubtful), values) in rests.iter_mut().zip(&doubtful).zip(row_of(&counts)) {
            for ((rests, doubtful), value) in rests.iter_mut().zip(doubtful).zip(values) {
                *rests |= *doubtful && value.is_none();
            }
        }
    }
    rests
}

/// Statistics of one setting, `[members][statistics]`.
struct MemberValues(Vec<Vec<Option<f64>>>);

impl MemberValues {
    fn columns(&self) -> usize {
        self.0.iter().map(Vec::len).min().unwrap_or(0)
    }

    /// Mean over the members; `None` when one of them has no value.
    fn average(&self, column: usize) -> Option<f64> {
        let values: Option<Vec<f64>> = self.0.iter().map(|member| value(member, column)).collect();
        mean(&values?)
    }

    /// Every average, and last the mean of the headline ones.
    fn row(&self, columns: usize, headline: &[usize]) -> Vec<Option<f64>> {
        let averages: Vec<Option<f64>> = (0..columns).map(|column| self.average(column)).collect();
        let last = headline_mean(&averages, headline);
        averages.into_iter().chain([last]).collect()
    }
}

/// What resamples gave of one setting, `[statistics and the headline mean][resamples]`.
struct Drawn {
    values: Vec<Vec<Option<f64>>>,
    differences: Vec<Vec<Option<f64>>>,
}

impl Drawn {
    fn new(columns: usize) -> Self {
        Self { values: vec![Vec::new(); columns + 1], differences: vec![Vec::new(); columns + 1] }
    }

    fn push(&mut self, row: &[Option<f64>], first: Option<&[Option<f64>]>) {
        for (drawn, value) in self.values.iter_mut().zip(row) {
            drawn.push(*value);
        }
        for (drawn, (value, first)) in
            self.differences.iter_mut().zip(row.iter().zip(first.unwrap_or_default()))
        {
            drawn.push(value.zip(*first).map(|(value, first)| value - first));
        }
    }
}

fn value(statistics: &[Option<f64>], column: usize) -> Option<f64> {
    statistics.get(column).copied().flatten()
}

fn headline_mean(statistics: &[Option<f64>], headline: &[usize]) -> Option<f64> {
    let values: Option<Vec<f64>> = headline.iter().map(|column| value(statistics, *column)).collect();
    mean(&values?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::bootstrap::bootstrap_macro;

    /// Mean of the rows drawn; `None` when none was.
    fn weighted(values: &[f64], counts: &[u32]) -> Option<f64> {
        let total: u32 = counts.iter().sum();
        let sum: f64 = values.iter().zip(counts).map(|(value, count)| value * f64::from(*count)).sum();
        (total > 0).then(|| sum / f64::from(total))
    }

    #[test]
    fn members_are_averaged_and_settings_paired() {
        // Both settings vary by ±10 over patients, and the second is 1 above the first with every patient.
        let patients: Vec<usize> = (0..40).collect();
        let base: Vec<f64> = patients.iter().map(|row| if row % 2 == 0 { 10.0 } else { -10.0 }).collect();
        let statistics = |setting: usize, member: usize, counts: &[u32]| {
            let shift = setting as f64 + [-0.5, 0.5][member];
            vec![weighted(&base, counts).map(|mean| mean + shift)]
        };
        let found = bootstrap_settings(&patients, &[2, 2], &[0], statistics, 500, 0.95, 3).unwrap();
        let [first, second] = &found[..] else { panic!("{found:?}") };
        let average = second.each[0].as_ref().unwrap();
        assert_eq!((average.interval.estimate, &average.members[..]), (1.0, &[0.5, 1.5][..]));
        assert!((average.deviation().unwrap() - 0.5_f64.sqrt()).abs() < 1e-12);
        assert!(average.interval.ends().is_some_and(|(low, high)| high - low > 4.0), "{average:?}");
        assert!(first.difference.is_none());
        let difference = second.difference.as_ref().unwrap();
        let paired = difference.each[0].unwrap();
        let (low, high) = paired.ends().unwrap();
        assert!((low - 1.0).abs() < 1e-9 && (high - 1.0).abs() < 1e-9, "{paired:?}");
        assert_eq!(difference.mean, Some(paired));
        assert_eq!((paired.excludes(0.0), average.interval.excludes(0.0)), (Some(true), Some(false)));
    }

    #[test]
    fn a_headline_is_of_what_every_setting_defines() {
        // The second setting lacks statistic 1; statistic 2 needs row 0.
        let statistics = |setting: usize, _: usize, counts: &[u32]| {
            vec![Some(2.0), (setting == 0).then_some(100.0), (counts[0] > 0).then_some(4.0), Some(50.0)]
        };
        let found = bootstrap_settings(&[0, 1, 2], &[1, 1], &[0, 1, 2], statistics, 200, 0.95, 1).unwrap();
        for setting in &found {
            let mean = setting.mean.as_ref().unwrap();
            assert_eq!((mean.interval.estimate, &mean.members[..]), (3.0, &[3.0][..]));
            // Chance of missing row 0: (2/3)³ = .296.
            assert!((40..80).contains(&mean.interval.undefined), "{mean:?}");
            let third = setting.each[2].as_ref().unwrap();
            assert_eq!(third.interval.undefined, mean.interval.undefined);
            // Without patient 0 it has no value, and so the mean has none.
            for figure in [third, mean] {
                assert_eq!(figure.interval.no_interval, Some(NoInterval::RestsOnOnePatient), "{figure:?}");
            }
            assert!(setting.each[0].as_ref().unwrap().interval.ends().is_some());
        }
        assert!(found[0].each[1].is_some() && found[1].each[1].is_none());
        let difference = found[1].difference.as_ref().unwrap();
        assert_eq!((difference.each[1], difference.mean.map(|mean| mean.estimate)), (None, Some(0.0)));
    }

    #[test]
    fn impossible_requests_are_errors() {
        let one = |_: usize, _: usize, _: &[u32]| vec![Some(1.0)];
        let tried = |groups: &[u8], members: &[usize], resamples| {
            bootstrap_settings(groups, members, &[0], one, resamples, 0.95, 0)
        };
        assert_eq!(tried(&[], &[1], 5), Err(BootstrapError::NoRows));
        assert_eq!(tried(&[1], &[1], 0), Err(BootstrapError::NoResamples));
        assert_eq!(tried(&[1], &[1, 0], 5), Err(BootstrapError::NoMembers { setting: 1 }));
        assert_eq!(tried(&[1], &[], 5), Ok(Vec::new()));
    }

    proptest! {
        #[test]
        fn one_member_has_the_intervals_of_the_macro_bootstrap(
            values in prop::collection::vec(-5_i32..5, 2..20),
            seed in any::<u64>(),
        ) {
            let groups: Vec<usize> = (0..values.len()).map(|row| row / 2).collect();
            let values: Vec<f64> = values.into_iter().map(f64::from).collect();
            let by_rows = |column: usize, rows: &[usize]| {
                let sum: f64 = rows.iter().map(|row| values[*row]).sum();
                (column == 0 || rows.contains(&0)).then(|| sum / rows.len() as f64)
            };
            let by_counts = |_: usize, _: usize, counts: &[u32]| {
                vec![weighted(&values, counts), weighted(&values, counts).filter(|_| counts[0] > 0)]
            };
            let slow = bootstrap_macro(&groups, 2, by_rows, 30, 0.8, seed).unwrap();
            let fast = bootstrap_settings(&groups, &[1], &[0, 1], by_counts, 30, 0.8, seed).unwrap().remove(0);
            let intervals: Vec<Option<Interval>> = fast.each.iter().map(|each| each.as_ref().map(|a| a.interval)).collect();
            prop_assert_eq!(intervals, slow.each);
            prop_assert_eq!(fast.mean.map(|mean| mean.interval), slow.mean);
        }
    }
}
