//! The sections of a report that `--section` chooses.

use std::collections::BTreeSet;

use medclip_labeler::{Labeler, ReportLabels};

/// The names asked for, and what the reports had.
pub(crate) struct Wanted<'a> {
    names: &'a [String],
    /// Names that no report had so far.
    missing: Vec<&'a str>,
    /// Names that reports have.
    found: BTreeSet<String>,
}

impl<'a> Wanted<'a> {
    /// Sections of these `names`; what was seen when there are none.
    pub(crate) fn new(names: &'a [String]) -> Self {
        Self { names, missing: names.iter().map(String::as_str).collect(), found: BTreeSet::new() }
    }

    /// The labels of one report.
    pub(crate) fn read(&mut self, labeler: &Labeler, text: &str) -> ReportLabels {
        if self.names.is_empty() {
            return labeler.report(text);
        }
        let labels = labeler.report_sections(text, self.names);
        self.missing.retain(|name| !labels.sections.iter().any(|section| section.is_called(name)));
        if !self.missing.is_empty() {
            self.found.extend(labels.sections.iter().map(|section| section.name.clone()));
        }
        labels
    }

    /// What to say of names that no report has.
    pub(crate) fn missing(&self) -> Option<String> {
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
