//! The values an activation takes, and the part of them worth 256 levels.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

const BINS: usize = 2048;
/// Levels of an unsigned 8-bit number.
const LEVELS: usize = 256;
/// Bins between two ends that are tried.
const STEP: usize = LEVELS / 16;

/// How the range of an activation is chosen.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum RangeMethod {
    /// From the smallest to the largest value.
    Extremes,
    /// So that this share of the values, in per cent, is inside.
    Percentile(f64),
    /// Where the 8-bit distribution says least else than the true one (Kullback–Leibler divergence).
    Entropy,
}

impl Default for RangeMethod {
    fn default() -> Self {
        Self::Percentile(99.99)
    }
}

impl fmt::Display for RangeMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Extremes => f.write_str("extremes"),
            Self::Percentile(share) => write!(f, "percentile {share}"),
            Self::Entropy => f.write_str("entropy"),
        }
    }
}

/// Words that are no method.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "{0:?} is no way to choose ranges; there are extremes, entropy, percentile, and percentile with a share such as percentile=99.99"
)]
pub struct UnknownRangeMethod(String);

impl FromStr for RangeMethod {
    type Err = UnknownRangeMethod;

    fn from_str(text: &str) -> Result<Self, UnknownRangeMethod> {
        let share = |share: &str| share.parse().ok().filter(|share| (50.0..=100.0).contains(share));
        match text.split_once(['=', ' ']) {
            None if text == "extremes" => Some(Self::Extremes),
            None if text == "entropy" => Some(Self::Entropy),
            None if text == "percentile" => Some(Self::default()),
            Some(("percentile", number)) => share(number).map(Self::Percentile),
            _ => None,
        }
        .ok_or_else(|| UnknownRangeMethod(text.to_owned()))
    }
}

/// Extremes first, then counts between them.
#[derive(Debug, Clone)]
pub(super) struct Histogram {
    low: f32,
    high: f32,
    counts: Vec<u64>,
}

impl Histogram {
    pub(super) fn new() -> Self {
        Self { low: 0.0, high: 0.0, counts: Vec::new() }
    }

    /// Widens the extremes, which always hold 0.
    pub(super) fn widen(&mut self, values: &[f32]) {
        for &value in values {
            self.low = self.low.min(value);
            self.high = self.high.max(value);
        }
    }

    /// Counts values, which lie within the extremes.
    pub(super) fn count(&mut self, values: &[f32]) {
        self.counts.resize(BINS, 0);
        let per_unit = BINS as f32 / (self.high - self.low).max(f32::MIN_POSITIVE);
        for &value in values {
            let bin = ((value - self.low) * per_unit) as usize;
            self.counts[bin.min(BINS - 1)] += 1;
        }
    }

    /// The range to give 256 levels to; `None` where nothing was counted.
    pub(super) fn range(&self, method: RangeMethod) -> Option<[f32; 2]> {
        let total: u64 = self.counts.iter().sum();
        let range = match method {
            RangeMethod::Extremes => [self.low, self.high],
            RangeMethod::Percentile(share) => self.percentile(share, total),
            RangeMethod::Entropy => self.entropy(),
        };
        (total > 0).then_some(range)
    }

    fn edge(&self, bin: usize) -> f32 {
        self.low + (self.high - self.low) * bin as f32 / BINS as f32
    }

    /// As many values are left out above as below, none where nothing is below 0.
    fn percentile(&self, share: f64, total: u64) -> [f32; 2] {
        let outside = (1.0 - share / 100.0) * total as f64;
        let mut beyond = 0;
        let upper = self.counts.iter().rev().take_while(|&&count| {
            beyond += count;
            beyond as f64 <= outside
        });
        let high = self.edge(BINS - upper.count()).max(0.0);
        let mut beyond = 0;
        let lower = self.counts.iter().take_while(|&&count| {
            beyond += count;
            beyond as f64 <= outside
        });
        let low = if self.low < 0.0 { self.edge(lower.count()).min(0.0) } else { self.low };
        [low, high]
    }

    /// First the upper end is drawn in, then the lower one, each until the divergence of the 8-bit distribution is least.
    ///
    /// # Source
    /// Migacz, "8-bit inference with TensorRT", GTC 2017, for ranges on one side of 0.
    fn entropy(&self) -> [f32; 2] {
        if self.counts.is_empty() {
            return [self.low, self.high];
        }
        let best = |windows: &mut dyn Iterator<Item = (usize, usize)>| {
            let divergences = windows.map(|(first, end)| (self.divergence(first, end - first), first, end));
            divergences.min_by(|a, b| a.0.total_cmp(&b.0)).map_or((0, BINS), |(_, first, end)| (first, end))
        };
        let (_, end) = best(&mut (LEVELS..=BINS).step_by(STEP).map(|end| (0, end)));
        let (first, end) = best(&mut (0..=end - LEVELS).step_by(STEP).map(|first| (first, end)));
        let low = if self.low < 0.0 { self.edge(first).min(0.0) } else { self.low };
        [low, self.edge(end).max(0.0)]
    }

    /// Of the values, those outside taken for the nearest inside, from what 256 levels over the same bins say of them.
    fn divergence(&self, first: usize, width: usize) -> f64 {
        let inside = &self.counts[first..first + width];
        let below: u64 = self.counts[..first].iter().sum();
        let above: u64 = self.counts[first + width..].iter().sum();
        let mut true_counts: Vec<f64> = inside.iter().map(|&count| count as f64).collect();
        true_counts[0] += below as f64;
        true_counts[width - 1] += above as f64;
        let level = |bin: usize| bin * LEVELS / width;
        let (mut sums, mut filled) = ([0.0_f64; LEVELS], [0_u32; LEVELS]);
        for (bin, &count) in inside.iter().enumerate() {
            sums[level(bin)] += count as f64;
            filled[level(bin)] += u32::from(count > 0);
        }
        let total: f64 = true_counts.iter().sum();
        let kept: f64 = inside.iter().map(|&count| count as f64).sum();
        if kept == 0.0 {
            return f64::INFINITY;
        }
        let term = |(bin, &count): (usize, &f64)| {
            if count == 0.0 {
                return 0.0;
            }
            let shared = if inside[bin] > 0 { sums[level(bin)] / f64::from(filled[level(bin)]) } else { 0.0 };
            let (p, q) = (count / total, (shared / kept).max(1e-9));
            p * (p / q).ln()
        };
        true_counts.iter().enumerate().map(term).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[f32]) -> Histogram {
        let mut histogram = Histogram::new();
        histogram.widen(values);
        histogram.count(values);
        histogram
    }

    /// A bell around 0 with one value far out.
    fn with_outlier() -> Vec<f32> {
        let bell = (1..20_000).map(|k| ((f64::from(k) / 20_000.0 - 0.5) * 6.0).tan().clamp(-3.0, 3.0) as f32);
        bell.chain([100.0]).collect()
    }

    #[test]
    fn outliers_are_left_out_as_far_as_the_method_says() {
        let histogram = of(&with_outlier());
        assert_eq!(histogram.range(RangeMethod::Extremes), Some([-3.0, 100.0]));
        assert_eq!(histogram.range(RangeMethod::Percentile(100.0)).unwrap()[1], 100.0);
        assert!(histogram.range(RangeMethod::Percentile(99.9)).unwrap()[1] < 4.0);
        let [low, high] = histogram.range(RangeMethod::Entropy).unwrap();
        assert!(low < 0.0 && high < 60.0, "{low} to {high}");
    }

    #[test]
    fn what_is_evenly_spread_keeps_its_range() {
        let even: Vec<f32> = (0..=6000).map(|k| k as f32 / 1000.0).collect();
        for method in [RangeMethod::Percentile(99.99), RangeMethod::Entropy, RangeMethod::Extremes] {
            let [low, high] = of(&even).range(method).unwrap();
            assert!(low == 0.0 && high > 5.9, "{method}: {low} to {high}");
        }
    }

    #[test]
    fn nothing_and_constants_are_ranges_too() {
        assert_eq!(Histogram::new().range(RangeMethod::Entropy), None);
        for values in [[0.0; 9], [2.0; 9], [-2.0; 9]] {
            for method in [RangeMethod::default(), RangeMethod::Entropy, RangeMethod::Extremes] {
                let [low, high] = of(&values).range(method).unwrap();
                assert!(low <= 0.0 && high >= 0.0 && low.is_finite() && high.is_finite(), "{method}");
            }
        }
    }

    #[test]
    fn methods_parse_back() {
        for method in [RangeMethod::Extremes, RangeMethod::Percentile(99.9), RangeMethod::Entropy] {
            assert_eq!(method.to_string().parse(), Ok(method));
        }
        assert_eq!("percentile=99.5".parse(), Ok(RangeMethod::Percentile(99.5)));
        for wrong in ["", "median", "percentile=", "percentile=12", "percentile=nan"] {
            assert!(wrong.parse::<RangeMethod>().is_err(), "{wrong}");
        }
    }
}
