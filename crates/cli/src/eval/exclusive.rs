//! Films that show exactly one of several findings.

use anyhow::bail;
use medclip_core::Finding;
use medclip_data::Record;

use super::cells::names;

/// The classes of CheXpert-5x200, on which the paper's figures are.
const CHEXPERT_5X200: [Finding; 5] = [
    Finding::Atelectasis,
    Finding::Cardiomegaly,
    Finding::Consolidation,
    Finding::Edema,
    Finding::PleuralEffusion,
];

/// The classes given, each once and in order, or else those of CheXpert-5x200; `protocol` needs two at least.
pub(super) fn classes(protocol: &str, given: &[Finding]) -> anyhow::Result<Vec<Finding>> {
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
        bail!("{protocol} needs at least two classes, got {}", names(&kept));
    }
    Ok(kept)
}

/// The one class that is present while every other is annotated absent.
pub(super) fn only_class(record: &Record, classes: &[Finding]) -> Option<Finding> {
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
