//! The 14 findings of CheXpert, how sure a text is of each, and label vectors over them.

use std::fmt;
use std::ops::{Index, IndexMut};
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// One of the 14 findings of CheXpert (Irvin et al. 2019), in the order MedCLIP's label vectors use.
///
/// The order is part of every checkpoint and never changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Finding {
    /// Nothing abnormal apart from support devices.
    #[serde(rename = "No Finding")]
    NoFinding,
    /// Widened mediastinum or cardiomediastinal silhouette.
    #[serde(rename = "Enlarged Cardiomediastinum")]
    EnlargedCardiomediastinum,
    /// Enlarged heart.
    Cardiomegaly,
    /// Nodule, mass or other focal lesion of the lung.
    #[serde(rename = "Lung Lesion")]
    LungLesion,
    /// Any opacity of the lung; the parent of oedema, consolidation, pneumonia, lesion and atelectasis.
    #[serde(rename = "Lung Opacity")]
    LungOpacity,
    /// Pulmonary oedema.
    Edema,
    /// Airspace consolidation.
    Consolidation,
    /// Pneumonia or another infectious process.
    Pneumonia,
    /// Collapse or volume loss.
    Atelectasis,
    /// Air in the pleural space.
    Pneumothorax,
    /// Fluid in the pleural space.
    #[serde(rename = "Pleural Effusion")]
    PleuralEffusion,
    /// Pleural thickening, plaque or scar.
    #[serde(rename = "Pleural Other")]
    PleuralOther,
    /// Fracture of rib, clavicle, spine or another bone in view.
    Fracture,
    /// Tubes, lines, pacemakers, clips and other hardware.
    #[serde(rename = "Support Devices")]
    SupportDevices,
}

impl Finding {
    /// Number of findings.
    pub const COUNT: usize = 14;

    /// All findings in label-vector order.
    pub const ALL: [Self; Self::COUNT] = [
        Self::NoFinding,
        Self::EnlargedCardiomediastinum,
        Self::Cardiomegaly,
        Self::LungLesion,
        Self::LungOpacity,
        Self::Edema,
        Self::Consolidation,
        Self::Pneumonia,
        Self::Atelectasis,
        Self::Pneumothorax,
        Self::PleuralEffusion,
        Self::PleuralOther,
        Self::Fracture,
        Self::SupportDevices,
    ];

    /// Name as CheXpert writes it, such as `"Pleural Effusion"`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoFinding => "No Finding",
            Self::EnlargedCardiomediastinum => "Enlarged Cardiomediastinum",
            Self::Cardiomegaly => "Cardiomegaly",
            Self::LungLesion => "Lung Lesion",
            Self::LungOpacity => "Lung Opacity",
            Self::Edema => "Edema",
            Self::Consolidation => "Consolidation",
            Self::Pneumonia => "Pneumonia",
            Self::Atelectasis => "Atelectasis",
            Self::Pneumothorax => "Pneumothorax",
            Self::PleuralEffusion => "Pleural Effusion",
            Self::PleuralOther => "Pleural Other",
            Self::Fracture => "Fracture",
            Self::SupportDevices => "Support Devices",
        }
    }

    /// The finding of that exact name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|finding| finding.name() == name)
    }

    /// Position in a label vector, 0–13.
    pub const fn index(self) -> usize {
        self as usize
    }
}

/// No finding has this name.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is none of the findings {names}", names = Finding::ALL.map(Finding::name).join(", "))]
pub struct UnknownFinding(pub String);

impl FromStr for Finding {
    type Err = UnknownFinding;

    fn from_str(name: &str) -> Result<Self, UnknownFinding> {
        Self::from_name(name).ok_or_else(|| UnknownFinding(name.to_owned()))
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What a text or an annotation says about one finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Certainty {
    /// Said to be present.
    Positive,
    /// Mentioned with doubt ("may represent", "cannot exclude").
    Uncertain,
    /// Said to be absent.
    Negative,
    /// Not spoken of.
    #[default]
    Unmentioned,
}

impl Certainty {
    /// Entry of MedCLIP's label vector: 1 present, −1 explicitly absent, 0 uncertain or unmentioned.
    pub const fn label(self) -> f32 {
        match self {
            Self::Positive => 1.0,
            Self::Negative => -1.0,
            Self::Uncertain | Self::Unmentioned => 0.0,
        }
    }
}

/// A certainty for each of the 14 findings; indexed by [`Finding`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Labels([Certainty; Finding::COUNT]);

impl Labels {
    /// Labels from certainties in [`Finding::ALL`] order.
    pub const fn new(certainties: [Certainty; Finding::COUNT]) -> Self {
        Self(certainties)
    }

    /// Each finding with its certainty, in order.
    pub fn iter(&self) -> impl Iterator<Item = (Finding, Certainty)> + '_ {
        Finding::ALL.into_iter().zip(self.0)
    }

    /// The label vector of the loss, entries in {−1, 0, 1}.
    pub fn vector(&self) -> [f32; Finding::COUNT] {
        self.0.map(Certainty::label)
    }

    /// True when any finding is [`Certainty::Positive`].
    pub fn any_positive(&self) -> bool {
        self.0.contains(&Certainty::Positive)
    }
}

impl Index<Finding> for Labels {
    type Output = Certainty;

    fn index(&self, finding: Finding) -> &Certainty {
        &self.0[finding.index()]
    }
}

impl IndexMut<Finding> for Labels {
    fn index_mut(&mut self, finding: Finding) -> &mut Certainty {
        &mut self.0[finding.index()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_names_and_serde_agree() {
        for (index, finding) in Finding::ALL.into_iter().enumerate() {
            assert_eq!(finding.index(), index);
            assert_eq!(Finding::from_name(finding.name()), Some(finding));
            assert_eq!(serde_json::to_value(finding).unwrap(), finding.name());
        }
        assert_eq!(Finding::from_name("cardiomegaly"), None, "names are exact");
        let error = "cardiomegaly".parse::<Finding>().unwrap_err().to_string();
        assert!(error.starts_with("`cardiomegaly` is none of the findings No Finding, "), "{error}");
    }

    #[test]
    fn label_vector_folds_uncertain_to_zero() {
        let mut labels = Labels::default();
        labels[Finding::Edema] = Certainty::Positive;
        labels[Finding::Pneumothorax] = Certainty::Negative;
        labels[Finding::Pneumonia] = Certainty::Uncertain;
        let vector = labels.vector();
        assert_eq!(vector[Finding::Edema.index()], 1.0);
        assert_eq!(vector[Finding::Pneumothorax.index()], -1.0);
        assert_eq!(vector.iter().map(|v| v.abs()).sum::<f32>(), 2.0);
    }
}
