//! Labels as a table, JSON lines or CSV.

use std::io::{BufWriter, Write};

use medclip_core::terminal::Escaped;
use medclip_data::{CellText, LabelCsv, LabeledReport, mentioned};
use medclip_labeler::ReportSection;

use crate::output::{Format, Stdout, csv_stdout, locked_stdout, plain_table, write_json_line, write_table};

/// Writes reports as they come.
pub(super) enum Printer {
    Table(Stdout),
    Json(Stdout),
    Csv(Box<LabelCsv<BufWriter<Box<dyn Write>>>>),
}

impl Printer {
    /// `texts` are those of CSV; it writes sentences too where they are wanted.
    pub(super) fn new(format: Format, texts: CellText, sentences: bool) -> anyhow::Result<Self> {
        Ok(match format {
            Format::Table => Self::Table(locked_stdout()),
            Format::Json => Self::Json(locked_stdout()),
            Format::Csv => Self::Csv(Box::new(LabelCsv::new(csv_stdout(), texts, sentences)?)),
        })
    }

    /// Writes a report, with its sentences as far as it has some.
    pub(super) fn write(&mut self, report: &LabeledReport) -> anyhow::Result<()> {
        match self {
            // It is on standard error.
            Self::Table(_) if report.error.is_some() => Ok(()),
            Self::Table(out) => write_block(out, report),
            Self::Json(out) => write_json_line(out, report),
            Self::Csv(out) => Ok(out.write(report)?),
        }
    }

    /// After the last report.
    pub(super) fn end(&mut self) -> anyhow::Result<()> {
        match self {
            Self::Table(out) | Self::Json(out) => Ok(out.flush()?),
            Self::Csv(out) => Ok(out.flush()?),
        }
    }
}

/// The findings that a report mentions, then those of every sentence.
fn write_block(out: &mut impl Write, report: &LabeledReport) -> anyhow::Result<()> {
    let mut table = plain_table(&["Finding", "Certainty"], &[]);
    for (finding, certainty) in mentioned(&report.labels) {
        table.add_row([finding.name(), certainty]);
    }
    writeln!(out, "{}", Escaped(report.place()))?;
    write_table(out, table)?;
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
    Ok(writeln!(out)?)
}

fn or(text: String, nothing: &str) -> String {
    if text.is_empty() { nothing.to_owned() } else { text }
}
