//! Films that checks stop.

use std::collections::BTreeSet;

use medclip_data::Record;
use medclip_qc::{Code, LearnedChecks};
use serde::Serialize;

use super::suite::{Checked, Group};

/// What checks do to clean and to spoilt films.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckFigures {
    /// Name of the model.
    pub model: String,
    /// Id of its bundle.
    pub bundle: String,
    /// Engine that ran it.
    pub engine: &'static str,
    /// Films and pictures that could not be read or embedded.
    pub failed: usize,
    /// Clean frontal films.
    pub clean: CleanFigures,
    /// One for every way to spoil films.
    pub groups: Vec<SpoiltFigures>,
}

/// What checks do to clean films.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CleanFigures {
    /// Films.
    pub images: usize,
    /// Patients they are of.
    pub patients: usize,
    /// Films with any code.
    pub stopped: usize,
    /// Codes that stopped any.
    pub by_code: Vec<Alarm>,
}

/// Clean films that have a code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Alarm {
    /// The code.
    pub code: &'static str,
    /// Films.
    pub stopped: usize,
}

/// What checks do to films that are spoilt in one way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SpoiltFigures {
    /// The way, in words.
    pub name: String,
    /// The code that says what is wrong.
    pub code: &'static str,
    /// Images.
    pub images: usize,
    /// Images with any code.
    pub found: usize,
    /// Images with the code that says what is wrong.
    pub named: usize,
}

/// Codes of each image: what its pixels say, then what its embedding says.
fn codes<'a>(checks: &'a LearnedChecks, checked: &'a Checked<'_>) -> impl Iterator<Item = Vec<Code>> + 'a {
    checked.pixel_codes.iter().zip(&checked.embeddings).map(|(pixels, embedding)| {
        let mut codes = pixels.clone();
        codes.extend(checks.check(embedding));
        codes
    })
}

impl CleanFigures {
    pub(super) fn of(checks: &LearnedChecks, clean: &Checked<'_>) -> Self {
        let found: Vec<Vec<Code>> = codes(checks, clean).collect();
        let alarms = Code::ALL.into_iter().map(|code| {
            let stopped = found.iter().filter(|codes| codes.contains(&code)).count();
            Alarm { code: code.name(), stopped }
        });
        let patients: BTreeSet<&str> =
            clean.records.iter().map(|record: &&Record| record.patient_group.as_str()).collect();
        Self {
            images: found.len(),
            patients: patients.len(),
            stopped: found.iter().filter(|codes| !codes.is_empty()).count(),
            by_code: alarms.filter(|alarm| alarm.stopped > 0).collect(),
        }
    }
}

impl SpoiltFigures {
    pub(super) fn of(checks: &LearnedChecks, group: &Group<'_>) -> Self {
        let found: Vec<Vec<Code>> = codes(checks, &group.checked).collect();
        Self {
            name: group.name.clone(),
            code: group.code.name(),
            images: found.len(),
            found: found.iter().filter(|codes| !codes.is_empty()).count(),
            named: found.iter().filter(|codes| codes.contains(&group.code)).count(),
        }
    }
}
