//! What the codes of Open-I say of the 14 findings.

use medclip_core::Finding;

use crate::prepare::listed::Mapping;

/// Headings that stand for a finding whatever their details are, in small letters.
const HEADINGS: [Mapping; 31] = [
    ("airspace disease", &[Finding::LungOpacity]),
    ("atelectasis", &[Finding::Atelectasis]),
    ("cardiomegaly", &[Finding::Cardiomegaly]),
    ("catheters, indwelling", &[Finding::SupportDevices]),
    // CheXpert's labeler counts cavitary lesions as lesions.
    ("cavitation", &[Finding::LungLesion]),
    ("consolidation", &[Finding::Consolidation]),
    ("fractures, bone", &[Finding::Fracture]),
    ("hemopneumothorax", &[Finding::Pneumothorax, Finding::PleuralEffusion]),
    ("hemothorax", &[Finding::PleuralEffusion]),
    ("hydropneumothorax", &[Finding::Pneumothorax, Finding::PleuralEffusion]),
    ("implanted medical device", &[Finding::SupportDevices]),
    ("infiltrate", &[Finding::LungOpacity]),
    ("lung neoplasms", &[Finding::LungLesion]),
    ("mass", &[Finding::LungLesion]),
    ("medical device", &[Finding::SupportDevices]),
    ("nodule", &[Finding::LungLesion]),
    ("normal", &[Finding::NoFinding]),
    ("pacemaker, artificial", &[Finding::SupportDevices]),
    ("pleural effusion", &[Finding::PleuralEffusion]),
    ("pleural thickening", &[Finding::PleuralOther]),
    ("pneumonia", &[Finding::Pneumonia]),
    ("pneumothorax", &[Finding::Pneumothorax]),
    ("pulmonary atelectasis", &[Finding::Atelectasis]),
    ("pulmonary consolidation", &[Finding::Consolidation]),
    ("pulmonary edema", &[Finding::Edema]),
    ("rib fractures", &[Finding::Fracture]),
    ("solitary pulmonary nodule", &[Finding::LungLesion]),
    ("stents", &[Finding::SupportDevices]),
    ("surgical instruments", &[Finding::SupportDevices]),
    ("tube, inserted", &[Finding::SupportDevices]),
    ("widened mediastinum", &[Finding::EnlargedCardiomediastinum]),
];

/// Headings that stand for a finding only with one of these words among their details.
const DETAILED: [(&str, &[&str], &[Finding]); 7] = [
    ("cardiac shadow", &["enlarged"], &[Finding::Cardiomegaly]),
    // Fluid or scar: CheXpert's labeler has blunting under neither effusion nor normal.
    ("costophrenic angle", &["blunted"], &[Finding::PleuralOther]),
    ("density", &["lung"], &[Finding::LungOpacity]),
    ("mediastinum", &["enlarged", "prominent", "widened"], &[Finding::EnlargedCardiomediastinum]),
    // Others are of the mediastinum, the chest wall, or of a place that the code leaves open.
    ("opacity", &["lung"], &[Finding::LungOpacity]),
    ("pleura", &["thickening", "plaque", "plaques"], &[Finding::PleuralOther]),
    ("thickening", &["pleura"], &[Finding::PleuralOther]),
];

/// The findings that a code such as `Opacity/lung/base/left` says are present.
pub(super) fn findings(code: &str) -> &'static [Finding] {
    let code = code.to_lowercase();
    let mut words = code.split('/').map(str::trim);
    let heading = words.next().unwrap_or_default();
    if let Some((_, findings)) = HEADINGS.iter().find(|(name, _)| *name == heading) {
        return findings;
    }
    let details: Vec<&str> = words.collect();
    let found = DETAILED
        .iter()
        .find(|(name, wanted, _)| *name == heading && wanted.iter().any(|word| details.contains(word)));
    found.map_or(&[], |(_, _, findings)| findings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn details_matter_where_the_heading_alone_says_nothing() {
        let cases: [(&str, &[Finding]); 8] = [
            ("normal", &[Finding::NoFinding]),
            ("Opacity/lung/base/left", &[Finding::LungOpacity]),
            ("Opacity/retrocardiac", &[]),
            ("Cardiac Shadow/enlarged/mild", &[Finding::Cardiomegaly]),
            ("Cardiac Shadow/irregular", &[]),
            ("Thickening/pleura/apex/bilateral", &[Finding::PleuralOther]),
            ("Thickening/bronchi", &[]),
            ("Scoliosis/thoracic vertebrae", &[]),
        ];
        for (code, expected) in cases {
            assert_eq!(findings(code), expected, "{code}");
        }
    }
}
