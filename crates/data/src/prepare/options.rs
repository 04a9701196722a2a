//! What is left to choose when a data set is prepared.

use serde::{Deserialize, Serialize};

use super::error::PrepareError;
use crate::manifest::{Annotation, Split};

/// Choices that a data set leaves open.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PrepareOptions {
    /// What an uncertain label becomes: −1 of CheXpert and MIMIC-CXR, or a finding that a minority of VinDr-CXR's readers saw.
    pub uncertain: UncertainAs,
    /// What a finding becomes that a list of labels does not name. None: what the data set's annotation allows (absent for
    /// NIH ChestX-ray14 and Open-I, blank for PadChest).
    pub unlisted: Option<UnlistedAs>,
    /// What happens to a row whose image is not there.
    pub missing: MissingImages,
    /// What happens to a label that no published list has.
    pub unknown_labels: UnknownLabels,
    /// Division of a data set that has no official one.
    pub undivided: Undivided,
    /// Share of the training patients, from 0 and below 1, who become the validation part of an official division that has
    /// none. 0 draws nobody.
    pub validation: f64,
    /// Seed of what is drawn.
    pub seed: u64,
    /// Labeler of MIMIC-CXR whose labels are read.
    pub mimic_labels: MimicLabels,
    /// Of PadChest, only films whose report a physician labeled; a network labeled the others.
    pub physicians_only: bool,
}

/// What an uncertain label becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UncertainAs {
    /// Blank: not annotated.
    #[default]
    Blank,
    /// 1, the "U-Ones" of CheXpert's authors.
    Present,
    /// 0, their "U-Zeros".
    Absent,
    /// −1, as it is; training takes it for neither.
    Uncertain,
}

impl UncertainAs {
    /// The annotation under this policy.
    pub(super) const fn apply(self, annotation: Annotation) -> Annotation {
        match (annotation, self) {
            (Annotation::Uncertain, Self::Blank) => Annotation::NotAnnotated,
            (Annotation::Uncertain, Self::Present) => Annotation::Present,
            (Annotation::Uncertain, Self::Absent) => Annotation::Absent,
            (annotation, _) => annotation,
        }
    }
}

/// What a finding becomes that a list of labels does not name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnlistedAs {
    /// Blank: the list names what was found, and nothing follows for the rest.
    Blank,
    /// 0: the list is complete. Holds only for findings that the data set's labels cover.
    Absent,
}

/// What happens to a row whose image is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MissingImages {
    /// It is left out and counted.
    #[default]
    LeaveOut,
    /// The data set is refused.
    Refuse,
}

/// What happens to a label that no published list has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnknownLabels {
    /// The data set is refused: most likely the table was edited.
    #[default]
    Refuse,
    /// It is counted among the labels that are not mapped.
    Count,
}

/// Division of a data set that has no official one.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Undivided {
    /// Every film belongs to one part.
    All(Split),
    /// Patients are drawn with the seed; those who are not drawn are trained on.
    Drawn {
        /// Share of the patients for validation, from 0 and below 1.
        val: f64,
        /// Share of the patients for the test, from 0 and below 1.
        test: f64,
    },
}

impl Default for Undivided {
    fn default() -> Self {
        Self::All(Split::Train)
    }
}

/// Labeler of MIMIC-CXR whose labels are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MimicLabels {
    /// `mimic-cxr-2.0.0-chexpert.csv`.
    #[default]
    Chexpert,
    /// `mimic-cxr-2.0.0-negbio.csv`.
    Negbio,
}

impl PrepareOptions {
    /// # Errors
    /// [`PrepareError::Share`] for a share that is below 0, or that leaves nobody to train on.
    pub(super) fn validate(&self) -> Result<(), PrepareError> {
        let (val, test) = match self.undivided {
            Undivided::All(_) => (0.0, 0.0),
            Undivided::Drawn { val, test } => (val, test),
        };
        // A share that is no number is in no range.
        let wrong =
            [val, test, val + test, self.validation].into_iter().find(|share| !(0.0..1.0).contains(share));
        if let Some(share) = wrong {
            return Err(PrepareError::Share { share });
        }
        Ok(())
    }
}
