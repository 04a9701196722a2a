//! Rows sorted by score once, for figures of many resamples of them.

/// The annotated rows of one score, highest first.
///
/// A resample is how often each row was drawn, so neither sorting nor copying is repeated. The values are those of
/// [`auroc`](crate::auroc()) and [`average_precision`](crate::average_precision()) on the rows written out as often as
/// they were drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranks {
    rows: Vec<Ranked>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Ranked {
    row: usize,
    positive: bool,
    /// Last of the rows with its score.
    ends_tie: bool,
}

/// What the drawn rows of one score are.
#[derive(Debug, Clone, Copy, Default)]
struct Tie {
    positives: u64,
    negatives: u64,
}

impl Ranks {
    /// Sorts the rows that are annotated.
    ///
    /// # Shapes
    /// - `scores`, `labels`: `[rows]`; larger scores mean "more likely positive", a row without a label is left out
    /// - returns: `None` when the lengths differ or the score of an annotated row is not a number
    pub fn new<S: Into<f64> + Copy>(scores: &[S], labels: &[Option<bool>]) -> Option<Self> {
        if scores.len() != labels.len() {
            return None;
        }
        let mut known: Vec<(f64, usize, bool)> = scores
            .iter()
            .zip(labels)
            .enumerate()
            .filter_map(|(row, (&score, label))| Some((score.into(), row, (*label)?)))
            .collect();
        if known.iter().any(|(score, ..)| score.is_nan()) {
            return None;
        }
        known.sort_by(|a, b| b.0.total_cmp(&a.0));
        let following = known.iter().skip(1).map(|(score, ..)| Some(*score)).chain([None]);
        let rows = known.iter().zip(following).map(|(&(score, row, positive), next)| Ranked {
            row,
            positive,
            ends_tie: next != Some(score),
        });
        Some(Self { rows: rows.collect() })
    }

    /// Area under the ROC curve of a resample.
    ///
    /// # Shapes
    /// - `counts`: `[rows]`, how often each row was drawn; one beyond its end was not
    /// - returns: as [`auroc`](crate::auroc()), in time linear in the rows
    pub fn auroc(&self, counts: &[u32]) -> Option<f64> {
        let (mut positives, mut negatives) = (0, 0);
        let mut twice_wins = 0;
        self.for_each_tie(counts, |tie| {
            twice_wins += tie.negatives * (2 * positives + tie.positives);
            positives += tie.positives;
            negatives += tie.negatives;
        });
        let pairs = positives * negatives;
        (pairs > 0).then(|| twice_wins as f64 / (2 * pairs) as f64)
    }

    /// Average precision of a resample.
    ///
    /// # Shapes
    /// As [`Ranks::auroc`]; returns as [`average_precision`](crate::average_precision()), but `None` as well where every row drawn
    /// is positive, so that both figures are of the same resamples.
    pub fn average_precision(&self, counts: &[u32]) -> Option<f64> {
        let (mut positives, mut negatives) = (0, 0);
        let mut sum = 0.0;
        self.for_each_tie(counts, |tie| {
            positives += tie.positives;
            negatives += tie.negatives;
            let seen = positives + negatives;
            if seen > 0 {
                sum += tie.positives as f64 * (positives as f64 / seen as f64);
            }
        });
        (positives > 0 && negatives > 0).then(|| sum / positives as f64)
    }

    /// Positive and negative rows, each once.
    pub fn class_counts(&self) -> (usize, usize) {
        let positives = self.rows.iter().filter(|ranked| ranked.positive).count();
        (positives, self.rows.len() - positives)
    }

    fn for_each_tie(&self, counts: &[u32], mut visit: impl FnMut(Tie)) {
        let mut tie = Tie::default();
        for ranked in &self.rows {
            let count = u64::from(counts.get(ranked.row).copied().unwrap_or(0));
            if ranked.positive {
                tie.positives += count;
            } else {
                tie.negatives += count;
            }
            if ranked.ends_tie {
                visit(std::mem::take(&mut tie));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{annotated, auroc, average_precision};

    #[test]
    fn counts_stand_for_repeated_rows() {
        // Rows drawn: .9 positive twice, .5 negative once, .5 positive once; .1 is not annotated.
        let ranks = Ranks::new(&[0.5, 0.9, 0.1, 0.5], &[Some(false), Some(true), None, Some(true)]).unwrap();
        assert_eq!(ranks.class_counts(), (2, 1));
        // Three pairs: two wins and a tie.
        assert_eq!(ranks.auroc(&[1, 2, 5, 1]), Some(2.5 / 3.0));
        // Precision 1 at the two upper positives, 3/4 at the tied one.
        assert_eq!(ranks.average_precision(&[1, 2, 5, 1]), Some((2.0 + 0.75) / 3.0));
    }

    #[test]
    fn undefined_cases_have_no_value() {
        assert_eq!(Ranks::new(&[1.0], &[]), None);
        assert_eq!(Ranks::new(&[f64::NAN, 1.0], &[Some(true), Some(false)]), None);
        let ranks = Ranks::new(&[f64::NAN, 1.0, 0.0], &[None, Some(true), Some(false)]).unwrap();
        assert_eq!(ranks.auroc(&[1, 1, 1]), Some(1.0), "only annotated rows need a score");
        for counts in [&[1, 0, 2][..], &[1, 3, 0], &[0, 0, 0], &[]] {
            assert_eq!((ranks.auroc(counts), ranks.average_precision(counts)), (None, None), "{counts:?}");
        }
        let zeros = Ranks::new(&[0.0_f32, -0.0], &[Some(true), Some(false)]).unwrap();
        assert_eq!(zeros.auroc(&[1, 1]), Some(0.5), "signed zeros tie");
    }

    proptest! {
        #[test]
        fn equals_the_figures_of_the_rows_written_out(
            rows in prop::collection::vec((0_i32..6, any::<Option<bool>>(), 0_u32..4), 0..40),
        ) {
            let scores: Vec<f64> = rows.iter().map(|row| f64::from(row.0)).collect();
            let labels: Vec<Option<bool>> = rows.iter().map(|row| row.1).collect();
            let counts: Vec<u32> = rows.iter().map(|row| row.2).collect();
            let drawn: Vec<usize> =
                (0..rows.len()).flat_map(|row| std::iter::repeat_n(row, rows[row].2 as usize)).collect();
            let (drawn_scores, drawn_labels) = annotated(&scores, &labels, &drawn);
            let ranks = Ranks::new(&scores, &labels).unwrap();
            prop_assert_eq!(ranks.auroc(&counts), auroc(&drawn_scores, &drawn_labels));
            let slow = average_precision(&drawn_scores, &drawn_labels).filter(|_| drawn_labels.contains(&false));
            prop_assert_eq!(ranks.average_precision(&counts), slow);
        }
    }
}
