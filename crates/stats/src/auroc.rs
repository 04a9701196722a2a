//! Area under the receiver operating characteristic.

use crate::rows::ranked;

/// Probability that a random positive scores above a random negative, ties counting half.
///
/// `AUROC = (#{s⁺ > s⁻} + ½ · #{s⁺ = s⁻}) / (P · N)`, the Mann–Whitney statistic over its maximum.
///
/// # Shapes
/// - `scores`, `labels`: `[rows]`; larger scores mean "more likely positive"
/// - returns: in [0, 1]; `None` when either class is empty, lengths differ or a score is not a number
///
/// # Source
/// Hanley and `McNeil` 1982; equals `sklearn.metrics.roc_auc_score`.
pub fn auroc<S: Into<f64> + Copy>(scores: &[S], labels: &[bool]) -> Option<f64> {
    let ranked = ranked(scores, labels)?;
    let (mut positives, mut negatives) = (0_u64, 0_u64);
    let mut twice_wins = 0_u64;
    for tied in ranked.chunk_by(|a, b| a.0 == b.0) {
        let tied_positives = tied.iter().filter(|(_, label)| *label).count() as u64;
        let tied_negatives = tied.len() as u64 - tied_positives;
        twice_wins += tied_negatives * (2 * positives + tied_positives);
        positives += tied_positives;
        negatives += tied_negatives;
    }
    let pairs = positives * negatives;
    (pairs > 0).then(|| twice_wins as f64 / (2 * pairs) as f64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn reference(scores: &[f64], labels: &[bool]) -> Option<f64> {
        let class = |wanted: bool| {
            scores.iter().zip(labels).filter(move |(_, label)| **label == wanted).map(|(score, _)| *score)
        };
        let wins: Vec<f64> = class(true)
            .flat_map(|p| {
                class(false).map(move |n| {
                    if p > n {
                        1.0
                    } else if p == n {
                        0.5
                    } else {
                        0.0
                    }
                })
            })
            .collect();
        (!wins.is_empty()).then(|| wins.iter().sum::<f64>() / wins.len() as f64)
    }

    #[test]
    fn agrees_with_scikit_learn() {
        // sklearn 1.9.1: roc_auc_score([0,0,1,1,0,1,0,1], [.1,.4,.35,.8,.4,.4,.2,.9]) == 0.8125
        let labels = [false, false, true, true, false, true, false, true];
        assert_eq!(auroc(&[0.1, 0.4, 0.35, 0.8, 0.4, 0.4, 0.2, 0.9], &labels), Some(0.8125));
    }

    #[test]
    fn undefined_cases_have_no_value() {
        assert_eq!(auroc::<f64>(&[], &[]), None);
        assert_eq!(auroc(&[1.0, 2.0], &[true, true]), None);
        assert_eq!(auroc(&[1.0, 2.0], &[true]), None);
        assert_eq!(auroc(&[1.0, f64::NAN], &[true, false]), None);
        assert_eq!(auroc(&[0.0_f32, -0.0], &[true, false]), Some(0.5), "signed zeros tie");
        assert_eq!(auroc(&[f32::INFINITY, f32::NEG_INFINITY], &[true, false]), Some(1.0));
    }

    proptest! {
        #[test]
        fn equals_counting_pairs(rows in prop::collection::vec((0_i32..6, any::<bool>()), 0..40)) {
            let scores: Vec<f64> = rows.iter().map(|row| f64::from(row.0)).collect();
            let labels: Vec<bool> = rows.iter().map(|row| row.1).collect();
            match (auroc(&scores, &labels), reference(&scores, &labels)) {
                (Some(fast), Some(slow)) => prop_assert!((fast - slow).abs() < 1e-12),
                (fast, slow) => prop_assert_eq!(fast, slow),
            }
        }

        #[test]
        fn negating_scores_mirrors_it(rows in prop::collection::vec((0_i32..6, any::<bool>()), 0..40)) {
            let scores: Vec<f64> = rows.iter().map(|row| f64::from(row.0)).collect();
            let negated: Vec<f64> = scores.iter().map(|score| -score).collect();
            let labels: Vec<bool> = rows.iter().map(|row| row.1).collect();
            if let (Some(area), Some(mirrored)) = (auroc(&scores, &labels), auroc(&negated, &labels)) {
                prop_assert!((area + mirrored - 1.0).abs() < 1e-12);
            }
        }
    }
}
