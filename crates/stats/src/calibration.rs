//! Whether probabilities are frequencies.

use serde::{Deserialize, Serialize};

/// Quantile of the normal distribution that a two-sided 95 % interval takes.
const Z95: f64 = 1.959_963_984_540_054;

/// Predicted probability against observed frequency in bins of equally many rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// Ascending in the probability.
    pub bins: Vec<Bin>,
    /// Mean distance of predicted and observed, weighted by the rows of each bin; 0–1, smaller is better.
    pub expected_calibration_error: f64,
}

/// Rows of neighboring probability.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Bin {
    /// Rows.
    pub count: usize,
    /// Positive rows.
    pub positives: usize,
    /// Mean predicted probability.
    pub predicted: f64,
    /// Share of positive rows.
    pub observed: f64,
    /// Lower end of the 95 % interval of the share.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// Calibration over at most `bins` bins.
///
/// `ECE = Σ_b n_b / n · |mean p_b − positives_b / n_b|`
///
/// Bins hold equally many rows as nearly as equal probabilities allow: those stay together, so the result does not depend
/// on the order of rows, and there may be fewer bins.
///
/// # Shapes
/// - `probabilities`, `labels`: `[rows]`; probabilities in [0, 1]
/// - returns: `None` without rows or bins, when lengths differ or a probability is not in [0, 1]
///
/// # Source
/// Naeini et al. 2015 for the error, there with bins of equal width; Nixon et al. 2019 for bins of equal counts, which
/// rare findings need. Intervals: [`wilson`].
pub fn calibration<P: Into<f64> + Copy>(
    probabilities: &[P],
    labels: &[bool],
    bins: usize,
) -> Option<Calibration> {
    let mut rows: Vec<(f64, bool)> =
        probabilities.iter().zip(labels).map(|(&probability, &label)| (probability.into(), label)).collect();
    let is_usable = probabilities.len() == labels.len() && !rows.is_empty() && bins > 0;
    if !is_usable || !rows.iter().all(|(probability, _)| (0.0..=1.0).contains(probability)) {
        return None;
    }
    // Labels too, so that the sums do not depend on the order of rows in their last bits.
    rows.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let mut found: Vec<Bin> = Vec::new();
    let mut start = 0;
    for bin in 1..=bins {
        let mut end = rows.len() * bin / bins;
        while end > start && rows.get(end).is_some_and(|next| next.0 == rows[end - 1].0) {
            end += 1;
        }
        if end > start {
            found.push(Bin::of(&rows[start..end]));
            start = end;
        }
    }
    let total = rows.len() as f64;
    let error = found.iter().map(|bin| bin.count as f64 / total * (bin.predicted - bin.observed).abs()).sum();
    Some(Calibration { bins: found, expected_calibration_error: error })
}

impl Bin {
    fn of(rows: &[(f64, bool)]) -> Self {
        let count = rows.len();
        let positives = rows.iter().filter(|(_, label)| *label).count();
        let (low, high) = wilson(positives, count);
        Self {
            count,
            positives,
            predicted: (rows.iter().map(|row| row.0).sum::<f64>() / count as f64).min(1.0),
            observed: positives as f64 / count as f64,
            low,
            high,
        }
    }
}

/// Wilson's 95 % interval of the share `positives / count`; (0, 1) without a count, of which nothing is known.
///
/// `(p + z²/2n ± z·√(p(1−p)/n + z²/4n²)) / (1 + z²/n)`
///
/// # Source
/// Wilson 1927; equals `statsmodels.stats.proportion.proportion_confint(…, method="wilson")`. It stays within [0, 1]
/// and has a width where no row, or every row, is positive, as the normal interval has not.
pub fn wilson(positives: usize, count: usize) -> (f64, f64) {
    if count == 0 {
        return (0.0, 1.0);
    }
    let (n, z2) = (count as f64, Z95 * Z95);
    let p = positives.min(count) as f64 / n;
    let center = p + z2 / (2.0 * n);
    let half = Z95 * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt();
    let scale = 1.0 + z2 / n;
    (((center - half) / scale).max(0.0), ((center + half) / scale).min(1.0))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn close(found: f64, expected: f64) -> bool {
        (found - expected).abs() < 1e-9
    }

    #[test]
    fn intervals_agree_with_statsmodels() {
        // statsmodels 0.15: proportion_confint(k, n, method="wilson")
        let cases = [
            (0, 10, 0.0, 0.277_532_799_862_889_3),
            (3, 10, 0.107_791_267_406_301_4, 0.603_221_852_538_854_6),
            (10, 10, 0.722_467_200_137_110_7, 1.0),
            (50, 100, 0.403_831_530_365_995_6, 0.596_168_469_634_004_4),
        ];
        for (positives, count, low, high) in cases {
            let found = wilson(positives, count);
            assert!(close(found.0, low) && close(found.1, high), "{positives} of {count}: {found:?}");
        }
        assert_eq!(wilson(0, 0), (0.0, 1.0));
    }

    #[test]
    fn bins_and_error_are_those_counted_by_hand() {
        let probabilities = [0.9, 0.1, 0.2, 0.7, 0.3, 0.8];
        let labels = [true, false, false, true, true, false];
        let found = calibration(&probabilities, &labels, 2).unwrap();
        let [low, high] = found.bins[..] else { panic!("{found:?}") };
        // 0.1, 0.2 and 0.3 with one positive; 0.7, 0.8 and 0.9 with two.
        assert_eq!((low.count, low.positives, high.count, high.positives), (3, 1, 3, 2));
        assert!(close(low.predicted, 0.2) && close(high.predicted, 0.8));
        assert!(close(low.observed, 1.0 / 3.0) && close(high.observed, 2.0 / 3.0));
        // ½ · |0.2 − 1/3| + ½ · |0.8 − 2/3|
        assert!(close(found.expected_calibration_error, 2.0 / 15.0), "{found:?}");
    }

    #[test]
    fn equal_probabilities_stay_together() {
        let labels = [true, false, true, false, true];
        let found = calibration(&[0.5, 0.5, 0.5, 0.5, 0.9], &labels, 5).unwrap();
        assert_eq!(found.bins.iter().map(|bin| bin.count).collect::<Vec<_>>(), [4, 1]);
        let constant = calibration(&[0.6_f32; 5], &labels, 10).unwrap();
        assert_eq!(constant.bins.len(), 1);
        assert!(constant.expected_calibration_error < 1e-6);
    }

    #[test]
    fn undefined_cases_have_no_value() {
        assert_eq!(calibration::<f64>(&[], &[], 3), None);
        assert_eq!(calibration(&[0.5], &[true], 0), None);
        assert_eq!(calibration(&[0.5], &[true, false], 1), None);
        for probability in [-0.1, 1.1, f64::NAN] {
            assert_eq!(calibration(&[0.5, probability], &[true, false], 1), None);
        }
    }

    proptest! {
        #[test]
        fn no_row_is_lost_and_order_does_not_matter(
            rows in prop::collection::vec((0_u8..=10, any::<bool>()), 1..60),
            bins in 1_usize..12,
        ) {
            let of = |rows: &[(u8, bool)]| {
                let probabilities: Vec<f64> = rows.iter().map(|row| f64::from(row.0) / 10.0).collect();
                let labels: Vec<bool> = rows.iter().map(|row| row.1).collect();
                calibration(&probabilities, &labels, bins).unwrap()
            };
            let found = of(&rows);
            prop_assert!(found.bins.len() <= bins);
            prop_assert_eq!(found.bins.iter().map(|bin| bin.count).sum::<usize>(), rows.len());
            prop_assert!(found.bins.is_sorted_by(|a, b| a.predicted < b.predicted));
            for bin in &found.bins {
                prop_assert!(bin.low <= bin.observed + 1e-12 && bin.observed <= bin.high + 1e-12);
            }
            let reversed: Vec<_> = rows.into_iter().rev().collect();
            prop_assert_eq!(found, of(&reversed));
        }
    }
}
