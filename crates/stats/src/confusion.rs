//! Confusion counts and what follows from them.

use std::iter::Sum;
use std::ops::Add;

use serde::{Deserialize, Serialize};

/// How often a yes-or-no prediction and the truth met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Confusion {
    /// Predicted and present.
    pub true_positives: u64,
    /// Predicted and absent.
    pub false_positives: u64,
    /// Not predicted and present.
    pub false_negatives: u64,
    /// Not predicted and absent.
    pub true_negatives: u64,
}

impl Confusion {
    /// Counts of pairs of (predicted, actual).
    pub fn count(pairs: impl IntoIterator<Item = (bool, bool)>) -> Self {
        let mut counts = Self::default();
        for (predicted, actual) in pairs {
            *match (predicted, actual) {
                (true, true) => &mut counts.true_positives,
                (true, false) => &mut counts.false_positives,
                (false, true) => &mut counts.false_negatives,
                (false, false) => &mut counts.true_negatives,
            } += 1;
        }
        counts
    }

    /// Share of the predicted that are present; `None` when nothing was predicted.
    pub fn precision(self) -> Option<f64> {
        ratio(self.true_positives, self.true_positives + self.false_positives)
    }

    /// Share of the present that were predicted, the sensitivity; `None` when nothing is present.
    pub fn recall(self) -> Option<f64> {
        ratio(self.true_positives, self.true_positives + self.false_negatives)
    }

    /// Share of the absent that were not predicted; `None` when nothing is absent.
    pub fn specificity(self) -> Option<f64> {
        ratio(self.true_negatives, self.true_negatives + self.false_positives)
    }

    /// Harmonic mean of precision and recall, `2·TP / (2·TP + FP + FN)`; `None` when nothing was predicted and
    /// nothing is present.
    pub fn f1(self) -> Option<f64> {
        let twice = 2 * self.true_positives;
        ratio(twice, twice + self.false_positives + self.false_negatives)
    }

    /// Rows that are present.
    pub fn positives(self) -> u64 {
        self.true_positives + self.false_negatives
    }
}

impl Add for Confusion {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            true_positives: self.true_positives + other.true_positives,
            false_positives: self.false_positives + other.false_positives,
            false_negatives: self.false_negatives + other.false_negatives,
            true_negatives: self.true_negatives + other.true_negatives,
        }
    }
}

impl Sum for Confusion {
    fn sum<I: Iterator<Item = Self>>(counts: I) -> Self {
        counts.fold(Self::default(), Add::add)
    }
}

/// F1 of the pooled counts: every decision weighs the same.
pub fn micro_f1(classes: &[Confusion]) -> Option<f64> {
    classes.iter().copied().sum::<Confusion>().f1()
}

/// Mean F1 of the classes: every class weighs the same.
///
/// `None` without classes or when the F1 of any class is undefined; scikit-learn would count that class as 0.
pub fn macro_f1(classes: &[Confusion]) -> Option<f64> {
    let each: Option<Vec<f64>> = classes.iter().map(|class| class.f1()).collect();
    mean(&each?)
}

/// Share of rows whose predicted class is the actual one; `None` without rows or when lengths differ.
pub fn accuracy<C: PartialEq>(predicted: &[C], actual: &[C]) -> Option<f64> {
    if predicted.len() != actual.len() {
        return None;
    }
    ratio(predicted.iter().zip(actual).filter(|(p, a)| p == a).count() as u64, actual.len() as u64)
}

pub(crate) fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

pub(crate) fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn counts(predicted: &[u8], actual: &[u8]) -> Confusion {
        Confusion::count(predicted.iter().zip(actual).map(|(p, a)| (*p == 1, *a == 1)))
    }

    #[test]
    fn agrees_with_scikit_learn() {
        // y = [0,0,1,1,0,1,0,1]; p = [0,1,0,1,1,1,0,1]
        // confusion_matrix(y, p).ravel() == [2 2 1 3]; precision .6, recall .75, f1 .6666666666666666
        let one = counts(&[0, 1, 0, 1, 1, 1, 0, 1], &[0, 0, 1, 1, 0, 1, 0, 1]);
        let expected =
            Confusion { true_positives: 3, false_positives: 2, false_negatives: 1, true_negatives: 2 };
        assert_eq!(one, expected);
        assert_eq!(one.precision(), Some(0.6));
        assert_eq!(one.recall(), Some(0.75));
        assert_eq!(one.specificity(), Some(0.5));
        assert_eq!(one.f1(), Some(2.0 / 3.0));

        // Y = [[1,0,1],[0,1,0],[1,1,0],[0,0,1],[1,0,0]]; P = [[1,0,0],[0,1,1],[1,0,0],[1,0,1],[0,0,0]]
        // f1_score(Y, P, average="micro") == 0.6153846153846154, "macro" == 0.611111111111111
        let classes = [
            counts(&[1, 0, 1, 1, 0], &[1, 0, 1, 0, 1]),
            counts(&[0, 1, 0, 0, 0], &[0, 1, 1, 0, 0]),
            counts(&[0, 1, 0, 1, 0], &[1, 0, 0, 1, 0]),
        ];
        assert!(micro_f1(&classes).is_some_and(|f1| (f1 - 0.615_384_615_384_615_4).abs() < 1e-12));
        assert!(macro_f1(&classes).is_some_and(|f1| (f1 - 0.611_111_111_111_111).abs() < 1e-12));

        // accuracy_score([0,1,2,2,1], [0,2,2,2,1]) == 0.8
        assert_eq!(accuracy(&[0, 2, 2, 2, 1], &[0, 1, 2, 2, 1]), Some(0.8));
    }

    #[test]
    fn undefined_cases_have_no_value() {
        let nothing = counts(&[0, 0], &[0, 0]);
        assert_eq!((nothing.precision(), nothing.recall(), nothing.f1()), (None, None, None));
        assert_eq!(macro_f1(&[nothing, counts(&[1], &[1])]), None);
        assert_eq!(macro_f1(&[]), None);
        assert_eq!(accuracy::<usize>(&[], &[]), None);
        assert_eq!(accuracy(&[1], &[1, 2]), None);
    }

    proptest! {
        #[test]
        fn f1_is_the_harmonic_mean(pairs in prop::collection::vec(any::<(bool, bool)>(), 0..60)) {
            let confusion = Confusion::count(pairs);
            if let (Some(p), Some(r), Some(f1)) = (confusion.precision(), confusion.recall(), confusion.f1()) {
                let harmonic = if p + r == 0.0 { 0.0 } else { 2.0 * p * r / (p + r) };
                prop_assert!((f1 - harmonic).abs() < 1e-12);
            }
        }
    }
}
