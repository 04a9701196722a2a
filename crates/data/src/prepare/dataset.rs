//! The data sets by name.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A public data set of chest radiographs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum DataSet {
    /// CheXpert (Irvin et al. 2019), `chexpert`.
    #[serde(rename = "chexpert")]
    CheXpert,
    /// MIMIC-CXR-JPG (Johnson et al. 2019), `mimic`.
    #[serde(rename = "mimic")]
    MimicCxrJpg,
    /// NIH ChestX-ray14 (Wang et al. 2017), `nih`.
    #[serde(rename = "nih")]
    ChestXray14,
    /// PadChest (Bustos et al. 2020), `padchest`.
    #[serde(rename = "padchest")]
    PadChest,
    /// VinDr-CXR (Nguyen et al. 2022), `vindr`.
    #[serde(rename = "vindr")]
    VinDrCxr,
    /// RSNA Pneumonia Detection Challenge (Shih et al. 2019), `rsna`.
    #[serde(rename = "rsna")]
    RsnaPneumonia,
    /// Open-I, the Indiana University collection (Demner-Fushman et al. 2016), `openi`.
    #[serde(rename = "openi")]
    OpenI,
    /// COVID-19 Radiography Database (Chowdhury et al. 2020, Rahman et al. 2021), `covid`.
    #[serde(rename = "covid")]
    CovidRadiography,
}

/// A name that no data set has.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("no data set is called `{name}`; there are {}", DataSet::ALL.map(DataSet::name).join(", "))]
pub struct UnknownDataSet {
    /// The name.
    pub name: String,
}

impl DataSet {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::CheXpert,
        Self::MimicCxrJpg,
        Self::ChestXray14,
        Self::PadChest,
        Self::VinDrCxr,
        Self::RsnaPneumonia,
        Self::OpenI,
        Self::CovidRadiography,
    ];

    /// Short name, which is also the manifest's `source`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CheXpert => "chexpert",
            Self::MimicCxrJpg => "mimic",
            Self::ChestXray14 => "nih",
            Self::PadChest => "padchest",
            Self::VinDrCxr => "vindr",
            Self::RsnaPneumonia => "rsna",
            Self::OpenI => "openi",
            Self::CovidRadiography => "covid",
        }
    }

    /// Name as its authors write it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::CheXpert => "CheXpert",
            Self::MimicCxrJpg => "MIMIC-CXR-JPG",
            Self::ChestXray14 => "NIH ChestX-ray14",
            Self::PadChest => "PadChest",
            Self::VinDrCxr => "VinDr-CXR",
            Self::RsnaPneumonia => "RSNA Pneumonia",
            Self::OpenI => "Open-I",
            Self::CovidRadiography => "COVID-19 Radiography",
        }
    }
}

impl FromStr for DataSet {
    type Err = UnknownDataSet;

    fn from_str(name: &str) -> Result<Self, UnknownDataSet> {
        let found = Self::ALL.into_iter().find(|data_set| data_set.name() == name);
        found.ok_or_else(|| UnknownDataSet { name: name.to_owned() })
    }
}

impl fmt::Display for DataSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.title())
    }
}
