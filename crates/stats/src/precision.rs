//! Area under the precision–recall curve.

use crate::rows::ranked;

/// Average precision: mean over the positives of the precision at their score.
///
/// `AP = Σ (Rᵢ − Rᵢ₋₁) · Pᵢ` over the distinct scores from the highest down, without interpolation.
///
/// # Shapes
/// - `scores`, `labels`: `[rows]`; larger scores mean "more likely positive"
/// - returns: in (0, 1]; `None` without positives, when lengths differ or a score is not a number
///
/// # Source
/// Equals `sklearn.metrics.average_precision_score`, which warns and gives 0 without positives.
pub fn average_precision<S: Into<f64> + Copy>(scores: &[S], labels: &[bool]) -> Option<f64> {
    let ranked = ranked(scores, labels)?;
    let (mut seen, mut positives) = (0_usize, 0_usize);
    let mut sum = 0.0;
    for tied in ranked.chunk_by(|a, b| a.0 == b.0) {
        let tied_positives = tied.iter().filter(|(_, label)| *label).count();
        seen += tied.len();
        positives += tied_positives;
        sum += tied_positives as f64 * (positives as f64 / seen as f64);
    }
    (positives > 0).then(|| sum / positives as f64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// For every positive, the precision among all rows that score at least as high.
    fn reference(scores: &[f64], labels: &[bool]) -> Option<f64> {
        let precisions: Vec<f64> = scores
            .iter()
            .zip(labels)
            .filter(|(_, label)| **label)
            .map(|(&threshold, _)| {
                let kept: Vec<bool> =
                    scores.iter().zip(labels).filter(|(s, _)| **s >= threshold).map(|(_, l)| *l).collect();
                kept.iter().filter(|label| **label).count() as f64 / kept.len() as f64
            })
            .collect();
        (!precisions.is_empty()).then(|| precisions.iter().sum::<f64>() / precisions.len() as f64)
    }

    #[test]
    fn agrees_with_scikit_learn() {
        // sklearn 1.9.1: average_precision_score([0,0,1,1,0,1,0,1], [.1,.4,.35,.8,.4,.4,.2,.9])
        //   == 0.8166666666666667
        let labels = [false, false, true, true, false, true, false, true];
        let value = average_precision(&[0.1, 0.4, 0.35, 0.8, 0.4, 0.4, 0.2, 0.9], &labels);
        assert!(value.is_some_and(|value| (value - 0.816_666_666_666_666_7).abs() < 1e-12));
    }

    #[test]
    fn undefined_cases_have_no_value() {
        assert_eq!(average_precision::<f32>(&[], &[]), None);
        assert_eq!(average_precision(&[1.0], &[false]), None);
        assert_eq!(average_precision(&[1.0], &[true, true]), None);
        assert_eq!(average_precision(&[f64::NAN], &[true]), None);
        assert_eq!(average_precision(&[1.0, 1.0], &[true, true]), Some(1.0));
    }

    proptest! {
        #[test]
        fn equals_the_definition(rows in prop::collection::vec((0_i32..8, any::<bool>()), 0..40)) {
            let scores: Vec<f64> = rows.iter().map(|row| f64::from(row.0)).collect();
            let labels: Vec<bool> = rows.iter().map(|row| row.1).collect();
            match (average_precision(&scores, &labels), reference(&scores, &labels)) {
                (Some(fast), Some(slow)) => prop_assert!((fast - slow).abs() < 1e-12),
                (fast, slow) => prop_assert_eq!(fast, slow),
            }
        }
    }
}
