//! From annotations to the label vector that the loss compares.

use medclip_core::{Certainty, Finding, Labels};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::manifest::Annotation;

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
    /// Give up certainty as the published code does: −1 becomes 0 in images and sentences, and a sentence without a positive
    /// finding counts as "No Finding", whatever it denies or doubts.
    ///
    /// Which sentences deny a finding is still known when sentences are drawn; only the vectors that the loss compares are
    /// folded.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub fold_certainty: bool,
}

/// Why a label policy was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LabelPolicyError {
    /// −1 taken from reports and given up again.
    #[error("labels.report_negatives adds the −1 that labels.fold_certainty takes away: choose one of them")]
    NegativesFolded,
}

impl LabelPolicy {
    /// Refuses settings that contradict each other.
    ///
    /// # Errors
    /// [`LabelPolicyError`].
    pub const fn validate(&self) -> Result<(), LabelPolicyError> {
        if self.report_negatives && self.fold_certainty {
            return Err(LabelPolicyError::NegativesFolded);
        }
        Ok(())
    }

    /// Whether an absence is told from a finding that nobody mentions.
    pub const fn is_signed(&self) -> bool {
        matches!(self.absent_as, AbsentAs::Negative) && !self.fold_certainty
    }

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
        self.folded(vector)
    }

    /// Label vector of one sentence.
    pub fn sentence(&self, labels: &Labels) -> LabelVector {
        let mut vector = self.folded(labels.vector());
        if self.fold_certainty && vector == LabelVector::default() {
            vector[Finding::NoFinding.index()] = 1.0;
        }
        vector
    }

    fn folded(self, vector: LabelVector) -> LabelVector {
        if self.fold_certainty { vector.map(|entry| entry.max(0.0)) } else { vector }
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
            // absent_as, report_negatives, fold_certainty, edema, fracture, pneumonia, effusion, lesion
            (Negative, false, false, [1.0, -1.0, 0.0, 0.0, 0.0]),
            (Unmentioned, false, false, [1.0, 0.0, 0.0, 0.0, 0.0]),
            (Unmentioned, true, false, [1.0, 0.0, 0.0, -1.0, 0.0]),
            (Negative, false, true, [1.0, 0.0, 0.0, 0.0, 0.0]),
        ];
        for (absent_as, report_negatives, fold_certainty, expected) in cases {
            let policy = LabelPolicy { absent_as, report_negatives, fold_certainty };
            let vector = policy.vector(&annotations, Some(&report));
            let found = [
                Finding::Edema,
                Finding::Fracture,
                Finding::Pneumonia,
                Finding::PleuralEffusion,
                Finding::LungLesion,
            ]
            .map(|finding| vector[finding.index()]);
            assert_eq!(found, expected, "{policy:?}");
        }
    }

    #[test]
    fn folding_calls_a_sentence_without_findings_normal() {
        type Case<'a> = (&'a [(Finding, Certainty)], &'a [(Finding, f32)], &'a [Finding]);
        let said = |entries: &[(Finding, Certainty)]| {
            let mut labels = Labels::default();
            for (finding, certainty) in entries {
                labels[*finding] = *certainty;
            }
            labels
        };
        let cases: [Case; 4] = [
            (&[], &[], &[Finding::NoFinding]),
            (&[(Finding::Edema, Certainty::Negative)], &[(Finding::Edema, -1.0)], &[Finding::NoFinding]),
            (&[(Finding::Edema, Certainty::Uncertain)], &[], &[Finding::NoFinding]),
            (
                &[
                    (Finding::Edema, Certainty::Negative),
                    (Finding::Fracture, Certainty::Positive),
                    (Finding::NoFinding, Certainty::Negative),
                ],
                &[(Finding::Edema, -1.0), (Finding::Fracture, 1.0), (Finding::NoFinding, -1.0)],
                &[Finding::Fracture],
            ),
        ];
        let folding = LabelPolicy { fold_certainty: true, ..LabelPolicy::default() };
        for (entries, kept, folded) in cases {
            let labels = said(entries);
            let mut expected = LabelVector::default();
            for (finding, value) in kept {
                expected[finding.index()] = *value;
            }
            assert_eq!(LabelPolicy::default().sentence(&labels), expected);
            let mut expected = LabelVector::default();
            for finding in folded {
                expected[finding.index()] = 1.0;
            }
            assert_eq!(folding.sentence(&labels), expected);
        }
    }

    #[test]
    fn negatives_from_reports_cannot_be_folded() {
        let policy = LabelPolicy { report_negatives: true, fold_certainty: true, ..LabelPolicy::default() };
        assert_eq!(policy.validate(), Err(LabelPolicyError::NegativesFolded));
        assert_eq!(LabelPolicy { fold_certainty: false, ..policy }.validate(), Ok(()));
    }
}
