//! From annotations to the label vector that the loss compares.

use medclip_core::{Certainty, Finding, Labels};
use serde::{Deserialize, Serialize};

use crate::data::manifest::Annotation;

/// A label vector: 1 present, −1 explicitly absent, 0 neither; in [`Finding::ALL`] order.
pub type LabelVector = [f32; Finding::COUNT];

/// What an annotated absence becomes in the label vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AbsentAs {
    /// −1, so that "no effusion" attracts images without effusion.
    #[default]
    Negative,
    /// 0, as when annotations only list what was found.
    Unmentioned,
}

/// How images get their label vectors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LabelPolicy {
    /// What an annotated absence becomes. A blank is 0 in any case.
    pub absent_as: AbsentAs,
    /// Take −1 from the image's own report for findings that are not annotated as present.
    ///
    /// With [`AbsentAs::Unmentioned`] this tells "explicitly absent" from "not spoken of", as MedCLIP's labels do.
    pub report_negatives: bool,
}

impl LabelPolicy {
    /// Label vector of one image, with what the labeler found in its report, if it has one.
    pub fn vector(&self, annotations: &[Annotation; Finding::COUNT], report: Option<&Labels>) -> LabelVector {
        let mut vector = annotations.map(|annotation| match annotation {
            Annotation::Present => 1.0,
            Annotation::Absent if self.absent_as == AbsentAs::Negative => -1.0,
            Annotation::Absent | Annotation::Uncertain | Annotation::NotAnnotated => 0.0,
        });
        if let Some(report) = report.filter(|_| self.report_negatives) {
            for (entry, (_, certainty)) in vector.iter_mut().zip(report.iter()) {
                if certainty == Certainty::Negative && *entry == 0.0 {
                    *entry = -1.0;
                }
            }
        }
        vector
    }
}

#[cfg(test)]
mod tests {
    use super::AbsentAs::{Negative, Unmentioned};
    use super::*;

    #[test]
    fn policies_differ_only_in_absences() {
        let mut annotations = [Annotation::NotAnnotated; Finding::COUNT];
        annotations[Finding::Edema.index()] = Annotation::Present;
        annotations[Finding::Fracture.index()] = Annotation::Absent;
        annotations[Finding::Pneumonia.index()] = Annotation::Uncertain;
        let mut report = Labels::default();
        report[Finding::Edema] = Certainty::Negative;
        report[Finding::PleuralEffusion] = Certainty::Negative;
        report[Finding::LungLesion] = Certainty::Positive;

        let cases = [
            // absent_as, report_negatives, edema, fracture, pneumonia, effusion, lesion
            (Negative, false, [1.0, -1.0, 0.0, 0.0, 0.0]),
            (Unmentioned, false, [1.0, 0.0, 0.0, 0.0, 0.0]),
            (Unmentioned, true, [1.0, 0.0, 0.0, -1.0, 0.0]),
        ];
        for (absent_as, report_negatives, expected) in cases {
            let vector = LabelPolicy { absent_as, report_negatives }.vector(&annotations, Some(&report));
            let found = [
                Finding::Edema,
                Finding::Fracture,
                Finding::Pneumonia,
                Finding::PleuralEffusion,
                Finding::LungLesion,
            ]
            .map(|finding| vector[finding.index()]);
            assert_eq!(found, expected, "{absent_as:?} {report_negatives}");
        }
    }
}
