//! The four benchmarks: their data set, their classes, and which class a film is of.

use std::fmt;
use std::str::FromStr;

use medclip_core::Finding;
use medclip_data::{Annotation, DataSet, Record};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::exclusive::CHEXPERT_5X200;

/// A benchmark of the MedCLIP paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Benchmark {
    /// CheXpert-5x200: frontal films that show one of five findings and nothing else.
    #[serde(rename = "chexpert-5x200")]
    Chexpert5x200,
    /// The same of MIMIC-CXR-JPG.
    #[serde(rename = "mimic-5x200")]
    Mimic5x200,
    /// RSNA Pneumonia: films that are targets, and films that are none. As in the reference, the second are called normal, though
    /// more than half of them show something else.
    #[serde(rename = "rsna")]
    Rsna,
    /// COVID-19 Radiography: films of COVID-19, and normal ones, as in the reference.
    #[serde(rename = "covid")]
    Covid,
}

/// A name that no benchmark has.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("no benchmark is called `{name}`; there are {}", Benchmark::ALL.map(Benchmark::name).join(", "))]
pub struct UnknownBenchmark {
    /// The name.
    pub name: String,
}

/// Names of the five classes, in the order of [`CHEXPERT_5X200`].
const FIVE: [&str; 5] = ["Atelectasis", "Cardiomegaly", "Consolidation", "Edema", "Pleural Effusion"];

impl Benchmark {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Chexpert5x200, Self::Mimic5x200, Self::Rsna, Self::Covid];

    /// Short name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Chexpert5x200 => "chexpert-5x200",
            Self::Mimic5x200 => "mimic-5x200",
            Self::Rsna => "rsna",
            Self::Covid => "covid",
        }
    }

    /// Name as the paper has it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Chexpert5x200 => "CheXpert-5x200",
            Self::Mimic5x200 => "MIMIC-5x200",
            Self::Rsna => "RSNA",
            Self::Covid => "COVID",
        }
    }

    /// The data set that films are drawn from.
    pub const fn data_set(self) -> DataSet {
        match self {
            Self::Chexpert5x200 => DataSet::CheXpert,
            Self::Mimic5x200 => DataSet::MimicCxrJpg,
            Self::Rsna => DataSet::RsnaPneumonia,
            Self::Covid => DataSet::CovidRadiography,
        }
    }

    /// Films of each class: 200 of five, and half of the paper's test films of two (3,538 of RSNA, 3,000 of COVID).
    pub const fn per_class(self) -> usize {
        match self {
            Self::Chexpert5x200 | Self::Mimic5x200 => 200,
            Self::Rsna => 1769,
            Self::Covid => 1500,
        }
    }

    /// The classes.
    pub const fn classes(self) -> &'static [&'static str] {
        match self {
            Self::Chexpert5x200 | Self::Mimic5x200 => &FIVE,
            Self::Rsna => &["Pneumonia", "Normal"],
            Self::Covid => &["COVID-19", "Normal"],
        }
    }

    /// Names of the classes in a prompt file, in the order of [`Self::classes`].
    pub(super) const fn prompt_classes(self) -> &'static [&'static str] {
        match self {
            Self::Chexpert5x200 | Self::Mimic5x200 => &FIVE,
            Self::Rsna => &["Pneumonia", "No Finding"],
            Self::Covid => &["COVID-19", "No Finding"],
        }
    }

    /// Views that films are drawn from; all where there are none. Tables of the other two data sets name no lateral films.
    pub(super) const fn views(self) -> &'static [&'static str] {
        match self {
            Self::Chexpert5x200 | Self::Mimic5x200 => &["frontal"],
            Self::Rsna | Self::Covid => &[],
        }
    }

    /// What to know of its classes, for people.
    pub(super) const fn note(self) -> Option<&'static str> {
        match self {
            Self::Chexpert5x200 | Self::Mimic5x200 => None,
            Self::Rsna => Some(
                "Normal is every film without an opacity that looks like pneumonia, as in the paper's code; more than half of them show \
                 something else.",
            ),
            Self::Covid => Some(
                "The classes come from different hospitals and ages, so a model can tell them by their looks alone.",
            ),
        }
    }

    /// Place of a film's class in [`Self::classes`]; `None` where it is of none.
    pub(super) fn class_of(self, record: &Record) -> Option<usize> {
        match self {
            Self::Chexpert5x200 | Self::Mimic5x200 => shows_alone(record),
            Self::Rsna => match record.annotations[Finding::Pneumonia.index()] {
                Annotation::Present => Some(0),
                Annotation::Absent => Some(1),
                Annotation::Uncertain | Annotation::NotAnnotated => None,
            },
            // No finding stands for the disease: the data set's own label does.
            Self::Covid => match record.labels.as_deref() {
                Some("COVID") => Some(0),
                Some("Normal") => Some(1),
                _ => None,
            },
        }
    }
}

/// Place of the one of [`CHEXPERT_5X200`] that is present, while every other finding is absent or blank. "No Finding" says nothing.
fn shows_alone(record: &Record) -> Option<usize> {
    let mut only = None;
    for finding in Finding::ALL.into_iter().filter(|finding| *finding != Finding::NoFinding) {
        match record.annotations[finding.index()] {
            Annotation::Absent | Annotation::NotAnnotated => {}
            Annotation::Present if only.is_none() => {
                only = Some(CHEXPERT_5X200.iter().position(|other| *other == finding)?);
            }
            Annotation::Present | Annotation::Uncertain => return None,
        }
    }
    only
}

impl FromStr for Benchmark {
    type Err = UnknownBenchmark;

    fn from_str(name: &str) -> Result<Self, UnknownBenchmark> {
        let found = Self::ALL.into_iter().find(|benchmark| benchmark.name() == name);
        found.ok_or_else(|| UnknownBenchmark { name: name.to_owned() })
    }
}

impl fmt::Display for Benchmark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.title())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_options_and_findings() {
        for benchmark in Benchmark::ALL {
            assert_eq!(benchmark.name().parse(), Ok(benchmark));
            assert_eq!(benchmark.classes().len(), benchmark.prompt_classes().len());
        }
        assert_eq!(FIVE, CHEXPERT_5X200.map(Finding::name));
        let error = "nih".parse::<Benchmark>().unwrap_err().to_string();
        assert_eq!(error, "no benchmark is called `nih`; there are chexpert-5x200, mimic-5x200, rsna, covid");
    }
}
