//! A report for people.

use std::io::{self, Write};

use medclip_core::terminal::{Escaped, TextTable};
use medclip_scorer::{Finding, Report};

/// A block of lines, most probable class first. Failed films are on standard error only.
pub(super) fn write(out: &mut impl Write, report: &Report) -> io::Result<()> {
    if report.outcome.is_err() {
        return Ok(());
    }
    let mut findings: Vec<Finding<'_>> = report.findings().collect();
    findings.sort_by(|a, b| b.probability.total_cmp(&a.probability));
    let mut table = TextTable::new(&["Finding", "Probability", "Logit"], &[1, 2]);
    for Finding { name, logit, probability } in findings {
        table.row([name.to_owned(), format!("{probability:.3}"), format!("{logit:+.2}")]);
    }
    let schema = &report.schema;
    let path = report.path.as_deref().unwrap_or_default();
    writeln!(out, "{}  ({}, {})", Escaped(path), Escaped(&schema.model), schema.engine)?;
    if !report.qc.is_empty() {
        let codes: Vec<_> = report.qc.iter().map(|code| code.name()).collect();
        writeln!(out, "intake checks: {}", codes.join(", "))?;
    }
    write!(out, "{table}")?;
    if !report.notes.is_empty() {
        let notes: Vec<_> = report.notes.iter().map(|note| note.text.as_str()).collect();
        writeln!(out, "notes: {}", Escaped(notes.join("; ")))?;
    }
    writeln!(out)
}
