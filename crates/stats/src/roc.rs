//! The receiver operating characteristic itself.

use crate::rows::ranked;

/// Corners of the ROC curve: false positive rate and true positive rate as the threshold falls, from (0, 0) to (1, 1).
///
/// Rows of equal score pass the threshold together. Points on the line between their neighbors are left out, so that
/// the area under the polygon is [`auroc`](fn@crate::auroc).
///
/// # Shapes
/// - `scores`, `labels`: `[rows]`; larger scores mean "more likely positive"
/// - returns: `[corners]`, ascending in both; `None` when either class is empty, lengths differ or a score is not a
///   number
///
/// # Source
/// Fawcett 2006, algorithm 1; the polygon of `sklearn.metrics.roc_curve`.
pub fn roc_curve<S: Into<f64> + Copy>(scores: &[S], labels: &[bool]) -> Option<Vec<(f64, f64)>> {
    let ranked = ranked(scores, labels)?;
    let total_positives = ranked.iter().filter(|(_, label)| *label).count() as u64;
    let total_negatives = ranked.len() as u64 - total_positives;
    if total_positives == 0 || total_negatives == 0 {
        return None;
    }
    // Counts, because whether three points lie on a line has an exact answer for whole numbers.
    let mut corners: Vec<(u64, u64)> = vec![(0, 0)];
    let (mut positives, mut negatives) = (0, 0);
    for tied in ranked.chunk_by(|a, b| a.0 == b.0) {
        let tied_positives = tied.iter().filter(|(_, label)| *label).count() as u64;
        positives += tied_positives;
        negatives += tied.len() as u64 - tied_positives;
        let point = (negatives, positives);
        if let [.., before, last] = corners[..]
            && on_a_line(before, last, point)
        {
            corners.pop();
        }
        corners.push(point);
    }
    let rate = |(x, y): (u64, u64)| (x as f64 / total_negatives as f64, y as f64 / total_positives as f64);
    Some(corners.into_iter().map(rate).collect())
}

/// Whether the second of three points, ascending in both coordinates, lies between the others.
fn on_a_line(a: (u64, u64), b: (u64, u64), c: (u64, u64)) -> bool {
    u128::from(b.0 - a.0) * u128::from(c.1 - b.1) == u128::from(c.0 - b.0) * u128::from(b.1 - a.1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::auroc;

    #[test]
    fn agrees_with_scikit_learn() {
        // sklearn 1.9.1: roc_curve([0,0,1,1,0,1,0,1], [.1,.4,.35,.8,.4,.4,.2,.9])
        //   == ([0, 0, 0, .5, .5, 1], [0, .25, .5, .75, 1, 1], …), with a point on a line
        let labels = [false, false, true, true, false, true, false, true];
        let curve = roc_curve(&[0.1, 0.4, 0.35, 0.8, 0.4, 0.4, 0.2, 0.9], &labels).unwrap();
        assert_eq!(curve, [(0.0, 0.0), (0.0, 0.5), (0.5, 0.75), (0.5, 1.0), (1.0, 1.0)]);
    }

    #[test]
    fn perfect_reversed_and_constant_scores() {
        let labels = [true, true, false, false];
        assert_eq!(roc_curve(&[4.0, 3.0, 2.0, 1.0], &labels).unwrap(), [(0.0, 0.0), (0.0, 1.0), (1.0, 1.0)]);
        assert_eq!(roc_curve(&[1.0, 2.0, 3.0, 4.0], &labels).unwrap(), [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0)]);
        assert_eq!(roc_curve(&[5.0; 4], &labels).unwrap(), [(0.0, 0.0), (1.0, 1.0)]);
    }

    #[test]
    fn undefined_cases_have_no_curve() {
        assert_eq!(roc_curve::<f64>(&[], &[]), None);
        assert_eq!(roc_curve(&[1.0, 2.0], &[false, false]), None);
        assert_eq!(roc_curve(&[1.0, 2.0], &[true]), None);
        assert_eq!(roc_curve(&[1.0, f64::NAN], &[true, false]), None);
    }

    proptest! {
        #[test]
        fn the_area_under_it_is_the_auroc(rows in prop::collection::vec((0_i32..9, any::<bool>()), 0..60)) {
            let scores: Vec<f64> = rows.iter().map(|row| f64::from(row.0)).collect();
            let labels: Vec<bool> = rows.iter().map(|row| row.1).collect();
            let area = roc_curve(&scores, &labels).map(|curve| {
                curve.windows(2).map(|pair| (pair[1].0 - pair[0].0) * (pair[1].1 + pair[0].1) / 2.0).sum::<f64>()
            });
            match (area, auroc(&scores, &labels)) {
                (Some(area), Some(expected)) => prop_assert!((area - expected).abs() < 1e-12),
                (area, expected) => prop_assert_eq!(area, expected),
            }
        }
    }
}
