//! The sections of a report that are read.

use std::collections::BTreeSet;

use medclip_labeler::{Labeler, ReportLabels};

/// Reads chosen sections of reports, and keeps in mind which of them no report had.
#[derive(Debug)]
pub struct SectionReader<'a> {
    labeler: Labeler,
    names: &'a [String],
    /// Names that no report had so far.
    missing: Vec<&'a str>,
    /// Names that reports have.
    found: BTreeSet<String>,
}

impl<'a> SectionReader<'a> {
    /// Reads sections of these `names`; what was seen when there are none.
    pub fn new(labeler: Labeler, names: &'a [String]) -> Self {
        let missing = names.iter().map(String::as_str).collect();
        Self { labeler, names, missing, found: BTreeSet::new() }
    }

    /// The labels of one report.
    pub fn read(&mut self, text: &str) -> ReportLabels {
        if self.names.is_empty() {
            return self.labeler.report(text);
        }
        let labels = self.labeler.report_sections(text, self.names);
        self.missing.retain(|name| !labels.sections.iter().any(|section| section.is_called(name)));
        if !self.missing.is_empty() {
            self.found.extend(labels.sections.iter().map(|section| section.name.clone()));
        }
        labels
    }

    /// What to say of names that no report has had.
    pub fn missing(&self) -> Option<String> {
        if self.missing.is_empty() {
            return None;
        }
        let found = if self.found.is_empty() {
            "no report has a section".to_owned()
        } else {
            format!("the reports have {}", self.found.iter().cloned().collect::<Vec<_>>().join(", "))
        };
        Some(format!("no report has the section {}: {found}", self.missing.join(", ")))
    }
}
