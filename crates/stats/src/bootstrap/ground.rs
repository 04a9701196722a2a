//! What a statistic rests on: one that a single patient decides has no interval.

use serde::{Deserialize, Serialize};

/// Fewest resamples of which at least one misses any given patient, all but certainly: with two patients a resample misses a
/// given one with probability ¼, with more the chance grows to e⁻¹.
const ENOUGH: usize = 100;

/// Why a statistic has a value but no interval.
///
/// Resampling patients says how a figure varies with who was examined. It says nothing where there is one patient, or where
/// one patient alone makes the figure possible: that patient is then in every resample that counts, and the ends would be
/// those of the others' variation, or the estimate itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum NoInterval {
    /// All rows are of one patient.
    OnePatient,
    /// Without one patient the statistic has no value: the patient has the only positives, or the only negatives.
    RestsOnOnePatient,
}

/// Whether resamples may have hidden that one patient decides: only then is it worth leaving out each in turn.
pub(super) fn is_doubtful(drawn: &[Option<f64>]) -> bool {
    drawn.len() < ENOUGH || drawn.iter().any(Option::is_none)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn undefined_resamples_and_few_of_them_are_doubtful() {
        assert!(!is_doubtful(&[Some(1.0); 100]));
        assert!(is_doubtful(&[Some(1.0); 99]));
        let mut drawn = vec![Some(1.0); 2000];
        drawn[7] = None;
        assert!(is_doubtful(&drawn));
    }
}
