//! Labels for people.

use std::io::{self, Write};

use medclip_core::terminal::{Escaped, TextTable};
use medclip_data::{LabeledReport, mentioned};
use medclip_labeler::ReportSection;

/// The findings that a report mentions, then those of every sentence. A report that failed is on standard error.
pub(super) fn write(out: &mut impl Write, report: &LabeledReport) -> io::Result<()> {
    if report.error.is_some() {
        return Ok(());
    }
    let mut table = TextTable::new(&["Finding", "Certainty"], &[]);
    for (finding, certainty) in mentioned(&report.labels) {
        table.row([finding.name(), certainty]);
    }
    writeln!(out, "{}", Escaped(report.place()))?;
    write!(out, "{table}")?;
    if report.sections.iter().any(|section| section.name != ReportSection::UNHEADED) {
        let [read, left_out] = [true, false].map(|read| or(report.section_names(read), "none"));
        writeln!(out, "Sections read: {}. Left out: {}.", Escaped(read), Escaped(left_out))?;
    }
    writeln!(out)?;
    let Some(sentences) = &report.sentences else { return Ok(()) };
    for sentence in sentences {
        let said = mentioned(&sentence.labels).map(|(finding, certainty)| format!("{finding} {certainty}"));
        let said = or(said.collect::<Vec<_>>().join(", "), "nothing");
        writeln!(out, "  {}\n    {said}", Escaped(&sentence.text))?;
    }
    writeln!(out)
}

fn or(text: String, nothing: &str) -> String {
    if text.is_empty() { nothing.to_owned() } else { text }
}
