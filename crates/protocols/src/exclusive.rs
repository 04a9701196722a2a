//! Films that show exactly one of several findings, and draws of them.

use medclip_core::Finding;
use medclip_data::Record;
use medclip_stats::grouped_order;

use crate::error::EvaluationError;

/// The classes of CheXpert-5x200, on which the paper's figures are.
pub(crate) const CHEXPERT_5X200: [Finding; 5] = [
    Finding::Atelectasis,
    Finding::Cardiomegaly,
    Finding::Consolidation,
    Finding::Edema,
    Finding::PleuralEffusion,
];

/// The classes given, each once and in order, or else those of CheXpert-5x200.
///
/// # Errors
/// [`EvaluationError::TooFewClasses`] for fewer than two.
pub(crate) fn classes(given: &[Finding]) -> Result<Vec<Finding>, EvaluationError> {
    if given.is_empty() {
        return Ok(CHEXPERT_5X200.to_vec());
    }
    let mut kept = Vec::new();
    for finding in given {
        if !kept.contains(finding) {
            kept.push(*finding);
        }
    }
    if kept.len() < 2 {
        let got = kept.iter().map(|finding| finding.name()).collect::<Vec<_>>().join(", ");
        return Err(EvaluationError::TooFewClasses { got });
    }
    Ok(kept)
}

/// The one class that is present while every other is annotated absent.
pub(crate) fn only_class(record: &Record, classes: &[Finding]) -> Option<Finding> {
    let mut only = None;
    for finding in classes {
        match record.annotations[finding.index()].known()? {
            true if only.is_some() => return None,
            true => only = Some(*finding),
            false => {}
        }
    }
    only
}

/// `count` of `films`, which are rows of `records`, whatever the order of the manifest.
pub(crate) fn draw(films: &[usize], count: usize, records: &[&Record], seed: u64) -> Vec<usize> {
    let named: Vec<_> = films.iter().map(|row| (&records[*row].path, *row)).collect();
    let mut rows: Vec<usize> =
        grouped_order(&named, seed).into_iter().take(count).map(|(_, row)| row).collect();
    rows.sort_unstable();
    rows
}
