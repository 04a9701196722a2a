//! What became of a data set.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use medclip_core::Finding;

use super::dataset::DataSet;
use crate::manifest::{Annotation, Split};

/// A data set as rows of a manifest.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct PreparedData {
    /// The data set.
    pub data_set: DataSet,
    /// Whether the data set's own division decides the parts.
    pub is_divided: bool,
    /// One row a film.
    pub rows: Vec<PreparedRow>,
    /// Rows and files that became no film, by reason.
    pub left_out: BTreeMap<LeftOutReason, u64>,
    /// Labels that no finding stands for, and how often each was read.
    pub unmapped_labels: BTreeMap<String, u64>,
}

/// One film.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PreparedRow {
    /// Image file, from the data set's directory, with `/` on every system.
    pub path: String,
    /// Part of the data.
    pub split: Split,
    /// Patient, as `source:patient`; also the patient group.
    pub patient: String,
    /// `PA`, `AP`, `Frontal`, `Lateral`, another projection as the source names it, or blank.
    pub view: String,
    /// One entry a finding, in [`Finding::ALL`] order.
    pub annotations: [Annotation; Finding::COUNT],
    /// The source's own labels, joined by `|`, where it has a list of them.
    pub labels: String,
    /// Findings and impression of the report, in one line, where the source has an English one.
    pub text: Option<String>,
}

/// Why a row or file became no film.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum LeftOutReason {
    /// Its image is not there.
    ImageMissing,
    /// The official division does not name it.
    NotInDivision,
    /// The official division names it, but no row describes it.
    NotInTable,
    /// Its authors exclude it.
    Excluded,
    /// A network labeled it, and only labels of physicians were asked for.
    LabeledByNetwork,
    /// A report without images.
    NoImages,
    /// A file that is no image, in a folder of images.
    OtherFile,
}

impl fmt::Display for LeftOutReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::ImageMissing => "the image is missing",
            Self::NotInDivision => "not in the official division",
            Self::NotInTable => "in the official division, but in no table",
            Self::Excluded => "excluded by the authors",
            Self::LabeledByNetwork => "labeled by a network",
            Self::NoImages => "a report without images",
            Self::OtherFile => "not an image",
        })
    }
}

/// How much of what a prepared data set has.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PreparedCounts {
    /// Films.
    pub films: usize,
    /// Patients.
    pub patients: usize,
    /// Films with a report text.
    pub texts: usize,
    /// Films of every part: train, val, test.
    pub splits: [(Split, usize); 3],
    /// Annotations of every finding, in [`Finding::ALL`] order.
    pub findings: [FindingCounts; Finding::COUNT],
}

/// Films by what is annotated of one finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct FindingCounts {
    /// 1.
    pub present: usize,
    /// 0.
    pub absent: usize,
    /// −1.
    pub uncertain: usize,
    /// Blank.
    pub blank: usize,
}

impl PreparedData {
    /// Counts of the rows.
    pub fn counts(&self) -> PreparedCounts {
        let patients: BTreeSet<&str> = self.rows.iter().map(|row| row.patient.as_str()).collect();
        let mut findings = [FindingCounts::default(); Finding::COUNT];
        for row in &self.rows {
            for (counts, annotation) in findings.iter_mut().zip(row.annotations) {
                match annotation {
                    Annotation::Present => counts.present += 1,
                    Annotation::Absent => counts.absent += 1,
                    Annotation::Uncertain => counts.uncertain += 1,
                    Annotation::NotAnnotated => counts.blank += 1,
                }
            }
        }
        let of = |split| (split, self.rows.iter().filter(|row| row.split == split).count());
        PreparedCounts {
            films: self.rows.len(),
            patients: patients.len(),
            texts: self.rows.iter().filter(|row| row.text.is_some()).count(),
            splits: [Split::Train, Split::Val, Split::Test].map(of),
            findings,
        }
    }
}
