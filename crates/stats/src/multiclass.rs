//! One class among several: which was predicted, and which it was.

use std::iter::Sum;

use serde::{Deserialize, Serialize};

use crate::confusion::ratio;

/// How often each class was taken for each.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ConfusionMatrix {
    /// `[actual][predicted]`.
    rows: Vec<Vec<u64>>,
}

impl ConfusionMatrix {
    /// Counts rows by their actual and their predicted class.
    ///
    /// # Shapes
    /// - `actual`, `predicted`: `[rows]`, below `classes`; a row with a class beyond is left out
    /// - `counts`: `[rows]`, how often each row counts; one beyond its end counts once
    pub fn count(classes: usize, actual: &[usize], predicted: &[usize], counts: &[u32]) -> Self {
        let mut rows = vec![vec![0; classes]; classes];
        let counts = counts.iter().copied().chain(std::iter::repeat(1));
        for ((&actual, &predicted), count) in actual.iter().zip(predicted).zip(counts) {
            if let Some(cell) = rows.get_mut(actual).and_then(|row: &mut Vec<u64>| row.get_mut(predicted)) {
                *cell += u64::from(count);
            }
        }
        Self { rows }
    }

    /// `[actual][predicted]`.
    pub fn rows(&self) -> &[Vec<u64>] {
        &self.rows
    }

    /// Share of the rows whose class was predicted; `None` without rows.
    pub fn accuracy(&self) -> Option<f64> {
        let right = self.rows.iter().enumerate().filter_map(|(class, row)| row.get(class)).sum();
        ratio(right, self.rows.iter().flatten().sum())
    }

    /// Share of the rows of `class` that were predicted so; `None` when there are none.
    pub fn recall(&self, class: usize) -> Option<f64> {
        let row = self.rows.get(class)?;
        ratio(*row.get(class)?, row.iter().sum())
    }
}

impl Sum for ConfusionMatrix {
    /// Cell by cell; matrices are of the same classes.
    fn sum<I: Iterator<Item = Self>>(matrices: I) -> Self {
        matrices.fold(Self::default(), |mut total, matrix| {
            if total.rows.is_empty() {
                return matrix;
            }
            for (total, row) in total.rows.iter_mut().zip(matrix.rows) {
                for (total, count) in total.iter_mut().zip(row) {
                    *total += count;
                }
            }
            total
        })
    }
}

/// Place of the largest value, the first of equals; `None` without values or when one is not a number.
pub fn argmax(values: &[f32]) -> Option<usize> {
    let mut best: Option<(usize, f32)> = None;
    for (place, &value) in values.iter().enumerate() {
        if value.is_nan() {
            return None;
        }
        if best.is_none_or(|(_, largest)| value > largest) {
            best = Some((place, value));
        }
    }
    best.map(|(place, _)| place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_classes_counted_by_hand() {
        let matrix = ConfusionMatrix::count(3, &[0, 0, 1, 1, 2, 2, 2], &[0, 1, 1, 1, 2, 0, 2], &[]);
        assert_eq!(matrix.rows(), [[1, 1, 0], [0, 2, 0], [1, 0, 2]]);
        assert_eq!(matrix.accuracy(), Some(5.0 / 7.0));
        assert_eq!([0, 1, 2].map(|class| matrix.recall(class)), [Some(0.5), Some(1.0), Some(2.0 / 3.0)]);
        assert_eq!(matrix.recall(3), None);
    }

    #[test]
    fn counts_stand_for_repeated_rows() {
        let (actual, predicted) = ([0, 1, 1], [0, 0, 1]);
        let drawn = ConfusionMatrix::count(2, &actual, &predicted, &[2, 0, 3]);
        assert_eq!(drawn, ConfusionMatrix::count(2, &[0, 0, 1, 1, 1], &[0, 0, 1, 1, 1], &[]));
        let missing = ConfusionMatrix::count(2, &actual, &predicted, &[2, 0, 0]);
        assert_eq!((missing.recall(1), missing.accuracy()), (None, Some(1.0)));
        assert_eq!(ConfusionMatrix::count(2, &[], &[], &[]).accuracy(), None);
        let sum: ConfusionMatrix = [drawn.clone(), missing].into_iter().sum();
        assert_eq!(sum.rows(), [[4, 0], [0, 3]]);
        assert_eq!([drawn.clone()].into_iter().sum::<ConfusionMatrix>(), drawn);
    }

    #[test]
    fn the_first_of_equals_is_the_largest() {
        for (values, expected) in [
            (&[0.5, 2.0, 2.0][..], Some(1)),
            (&[f32::NEG_INFINITY], Some(0)),
            (&[], None),
            (&[1.0, f32::NAN], None),
        ] {
            assert_eq!(argmax(values), expected, "{values:?}");
        }
    }
}
