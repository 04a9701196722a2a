//! Lists of labels as annotations of the 14 findings.

use medclip_core::Finding;

use super::error::{PrepareError, SourcePlace};
use super::gather::Gather;
use super::options::UnlistedAs;
use crate::manifest::Annotation;

/// A label of a data set, and the findings that it says are present; none where no finding stands for it.
pub(super) type Mapping = (&'static str, &'static [Finding]);

/// The findings of labels by a table whose names are complete. Labels without a finding are counted.
///
/// # Errors
/// [`PrepareError::UnknownLabel`] for a label that the table lacks, unless such labels are to be counted.
pub(super) fn findings_of<'a>(
    labels: impl IntoIterator<Item = &'a str>,
    table: &[Mapping],
    origin: &SourcePlace,
    gather: &mut Gather<'_>,
) -> Result<Vec<Finding>, PrepareError> {
    let mut present = Vec::new();
    for label in labels {
        match table.iter().find(|(name, _)| *name == label) {
            Some((_, [])) => gather.unmapped(label),
            Some((_, findings)) => present.extend_from_slice(findings),
            None => gather.unknown(label, origin.clone())?,
        }
    }
    Ok(present)
}

/// Annotations of a film by what a list says is present.
///
/// A listed finding below Lung Opacity sets that too. No Finding is absent where a finding other than Support Devices is
/// present, uncertain where both are listed, and blank where only devices are: CheXpert's definition allows them.
///
/// # Shapes
/// - `covered`: findings about which the data set's labels say anything
pub(super) fn annotate(
    present: &[Finding],
    covered: &[Finding],
    unlisted: UnlistedAs,
) -> [Annotation; Finding::COUNT] {
    let mut annotations = [Annotation::NotAnnotated; Finding::COUNT];
    if unlisted == UnlistedAs::Absent {
        for finding in covered {
            annotations[finding.index()] = Annotation::Absent;
        }
    }
    for finding in with_parents(present) {
        annotations[finding.index()] = Annotation::Present;
    }
    let is_abnormal =
        present.iter().any(|finding| !matches!(finding, Finding::NoFinding | Finding::SupportDevices));
    let is_normal = present.contains(&Finding::NoFinding);
    if let Some(said) = match (is_abnormal, is_normal) {
        (true, true) => Some(Annotation::Uncertain),
        (true, false) => Some(Annotation::Absent),
        (false, false) if present.contains(&Finding::SupportDevices) => Some(Annotation::NotAnnotated),
        _ => None,
    } {
        annotations[Finding::NoFinding.index()] = said;
    }
    annotations
}

/// Findings, each followed by Lung Opacity where that is its parent in CheXpert's hierarchy (Irvin et al. 2019, figure 1).
pub(super) fn with_parents(findings: &[Finding]) -> impl Iterator<Item = Finding> + '_ {
    findings.iter().flat_map(|&finding| {
        let is_opacity = matches!(
            finding,
            Finding::LungLesion
                | Finding::Edema
                | Finding::Consolidation
                | Finding::Pneumonia
                | Finding::Atelectasis
        );
        std::iter::once(finding).chain(is_opacity.then_some(Finding::LungOpacity))
    })
}
