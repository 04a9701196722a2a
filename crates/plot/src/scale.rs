//! From values to positions on an axis, and the values that are marked on it.

mod tick;

pub(crate) use self::tick::Tick;
use self::tick::{decades, steps};

/// Ratio of a range to its values below which the range counts as a point.
const SMALLEST_SPAN: f64 = 1e-9;

/// The values an axis shows, and how it spaces them.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Scale {
    low: f64,
    high: f64,
    is_logarithmic: bool,
    ticks: Vec<Tick>,
}

impl Scale {
    /// 0 to 1, marked in `parts`.
    pub(crate) fn unit(parts: u32) -> Self {
        let ticks = (0..=parts).map(|part| Tick::plain(f64::from(part) / f64::from(parts))).collect();
        Self { low: 0.0, high: 1.0, is_logarithmic: false, ticks }
    }

    /// Evenly spaced, from a marked value to a marked value that enclose all `values`, which are finite.
    pub(crate) fn covering(values: impl IntoIterator<Item = f64>) -> Self {
        let (low, high) = range(values);
        let ticks = steps(low, high);
        let (first, last) = (ticks.first().map_or(low, |t| t.value), ticks.last().map_or(high, |t| t.value));
        Self { low: first.min(low), high: last.max(high), is_logarithmic: false, ticks }
    }

    /// Evenly spaced, with nothing between the outermost of `values` and the ends of the axis.
    pub(crate) fn spanning(values: impl IntoIterator<Item = f64>) -> Self {
        let (low, high) = range(values);
        Self { low, high, is_logarithmic: false, ticks: within(steps(low, high), low, high) }
    }

    /// Logarithmic, over all `values`, which are positive.
    pub(crate) fn logarithmic(values: impl IntoIterator<Item = f64>) -> Self {
        let (low, high) = log_range(values);
        let mut ticks = decades(low, high);
        if ticks.len() < 2 {
            ticks = within(steps(low, high), low, high);
        }
        Self { low, high, is_logarithmic: true, ticks }
    }

    /// Logarithmic, marked at the `values` themselves, which are positive, as `label` writes them.
    pub(crate) fn logarithmic_at(
        values: impl IntoIterator<Item = f64>,
        label: impl Fn(f64) -> String,
    ) -> Self {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        values.dedup();
        let (low, high) = log_range(values.iter().copied());
        let ticks = values.into_iter().map(|value| Tick { value, label: label(value) }).collect();
        // Room for the outermost points beside the frame.
        let margin = ((high.ln() - low.ln()) * 0.06).exp();
        Self { low: low / margin, high: high * margin, is_logarithmic: true, ticks }
    }

    /// What is marked, ascending.
    pub(crate) fn ticks(&self) -> &[Tick] {
        &self.ticks
    }

    /// Where a value lies: 0 at the low end, 1 at the high end.
    pub(crate) fn position(&self, value: f64) -> f64 {
        if self.is_logarithmic {
            (value.ln() - self.low.ln()) / (self.high.ln() - self.low.ln())
        } else {
            // Halves, so that the width of the widest range there is does not overflow.
            (value / 2.0 - self.low / 2.0) / (self.high / 2.0 - self.low / 2.0)
        }
    }
}

fn within(ticks: Vec<Tick>, low: f64, high: f64) -> Vec<Tick> {
    ticks.into_iter().filter(|tick| (low..=high).contains(&tick.value)).collect()
}

/// Least and largest value; a range around them where they are one.
fn range(values: impl IntoIterator<Item = f64>) -> (f64, f64) {
    let (low, high) = ends(values);
    let magnitude = low.abs().max(high.abs());
    if magnitude < f64::MIN_POSITIVE / SMALLEST_SPAN {
        return (-1.0, 1.0);
    }
    if high / 2.0 - low / 2.0 > magnitude * SMALLEST_SPAN {
        return (low, high);
    }
    let margin = magnitude * 0.1;
    ((low - margin).max(f64::MIN), (high + margin).min(f64::MAX))
}

fn log_range(values: impl IntoIterator<Item = f64>) -> (f64, f64) {
    let (low, high) = ends(values);
    let (low, high) = (low.clamp(1e-300, 1e300), high.clamp(1e-300, 1e300));
    if high.ln() - low.ln() > SMALLEST_SPAN { (low, high) } else { (low / 2.0, high * 2.0) }
}

fn ends(values: impl IntoIterator<Item = f64>) -> (f64, f64) {
    let ends = values.into_iter().fold(None, |ends: Option<(f64, f64)>, value| {
        Some(ends.map_or((value, value), |(low, high)| (low.min(value), high.max(value))))
    });
    ends.unwrap_or((0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn labels(scale: &Scale) -> Vec<&str> {
        scale.ticks().iter().map(|tick| tick.label.as_str()).collect()
    }

    #[test]
    fn axes_end_at_round_values() {
        let cases: [(&[f64], &[&str]); 6] = [
            (&[0.13, 0.87], &["0", "0.2", "0.4", "0.6", "0.8", "1"]),
            (&[-3.0, 12.0], &["-5", "0", "5", "10", "15"]),
            (&[0.0, 2e-5], &["0", "5e-6", "1e-5", "1.5e-5", "2e-5"]),
            (&[0.0, 40_000.0], &["0", "10000", "20000", "30000", "40000"]),
            (&[5.0], &["4.4", "4.6", "4.8", "5", "5.2", "5.4", "5.6"]),
            (&[0.0], &["-1", "-0.5", "0", "0.5", "1"]),
        ];
        for (values, expected) in cases {
            assert_eq!(labels(&Scale::covering(values.iter().copied())), expected, "{values:?}");
        }
        assert_eq!(labels(&Scale::spanning([0.0, 0.03, 2.9])), ["0", "0.5", "1", "1.5", "2", "2.5"]);
    }

    #[test]
    fn logarithmic_axes_mark_decades_or_the_values_themselves() {
        assert_eq!(labels(&Scale::logarithmic([0.3, 40.0])), ["0.5", "1", "2", "5", "10", "20"]);
        assert_eq!(
            labels(&Scale::logarithmic([1e-6, 1.0])),
            ["1e-6", "1e-5", "1e-4", "0.001", "0.01", "0.1", "1"]
        );
        assert_eq!(labels(&Scale::logarithmic([1.1, 1.9])), ["1.2", "1.4", "1.6", "1.8"]);
        let shares = Scale::logarithmic_at([1.0, 0.1, 0.1], |value| format!("{} %", value * 100.0));
        assert_eq!(labels(&shares), ["10 %", "100 %"]);
        assert!((shares.position(0.1f64.sqrt()) - 0.5).abs() < 1e-9);
    }

    proptest! {
        #[test]
        fn any_finite_values_have_a_place(values in prop::collection::vec(any::<f64>(), 1..6)) {
            let finite: Vec<f64> = values.into_iter().filter(|value| value.is_finite()).collect();
            let positive: Vec<f64> = finite.iter().map(|value| value.abs()).filter(|value| *value > 0.0).collect();
            for (scale, values) in [
                (Scale::covering(finite.iter().copied()), &finite),
                (Scale::spanning(finite.iter().copied()), &finite),
                (Scale::logarithmic(positive.iter().copied()), &positive),
            ] {
                prop_assert!(scale.ticks().len() <= 20, "{:?}", scale);
                for value in values {
                    let clamped = if scale.is_logarithmic { value.clamp(1e-300, 1e300) } else { *value };
                    let place = scale.position(clamped);
                    prop_assert!((-1e-6..=1.0 + 1e-6).contains(&place), "{} at {}", value, place);
                }
            }
        }
    }
}
