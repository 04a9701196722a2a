//! Rows of a table that carry a score and an annotation.

/// Scores and labels of the given `rows` that are annotated, in the order of `rows`, repeats kept.
///
/// A row whose label is `None` (not annotated, which is not the same as absent) or that lies outside either slice
/// is left out.
pub fn annotated<S: Into<f64> + Copy>(
    scores: &[S],
    labels: &[Option<bool>],
    rows: &[usize],
) -> (Vec<f64>, Vec<bool>) {
    rows.iter().filter_map(|&row| Some(((*scores.get(row)?).into(), (*labels.get(row)?)?))).unzip()
}

/// Pairs of score and label, highest score first; `None` when lengths differ or a score is not a number.
pub(crate) fn ranked<S: Into<f64> + Copy>(scores: &[S], labels: &[bool]) -> Option<Vec<(f64, bool)>> {
    if scores.len() != labels.len() {
        return None;
    }
    let mut pairs: Vec<(f64, bool)> =
        scores.iter().zip(labels).map(|(&score, &label)| (score.into(), label)).collect();
    if pairs.iter().any(|(score, _)| score.is_nan()) {
        return None;
    }
    pairs.sort_by(|a, b| b.0.total_cmp(&a.0));
    Some(pairs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blank_annotations_are_left_out_and_repeats_stay() {
        let (scores, labels) =
            annotated(&[1.0_f32, 2.0, 3.0], &[Some(true), None, Some(false)], &[2, 1, 0, 2, 9]);
        assert_eq!(scores, [3.0, 1.0, 3.0]);
        assert_eq!(labels, [false, true, false]);
    }
}
