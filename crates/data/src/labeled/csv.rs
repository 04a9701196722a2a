//! Labels as CSV.

use std::io::Write;

use ::csv::{Error, Writer};
use medclip_core::{Finding, Labels};

use super::{LabeledReport, word};
use crate::spreadsheet::CellText;

/// Writes reports as rows of path, row, error, sentence (the text; empty for the whole report) where they are wanted, every
/// finding, and the names of the sections that were read and left out, separated by `;` (empty for a sentence).
pub struct LabelCsv<W: Write> {
    out: Writer<W>,
    texts: CellText,
    sentences: bool,
}

impl<W: Write> LabelCsv<W> {
    /// Writes the header. `sentences` says whether each sentence has a row too.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn new(out: W, texts: CellText, sentences: bool) -> Result<Self, Error> {
        let mut out = Writer::from_writer(out);
        let sentence = sentences.then_some("sentence");
        let header = ["path", "row", "error"].into_iter().chain(sentence);
        let sections = ["sections_read", "sections_left_out"];
        out.write_record(header.chain(Finding::ALL.map(Finding::name)).chain(sections))?;
        Ok(Self { out, texts, sentences })
    }

    /// Writes a report.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write(&mut self, report: &LabeledReport) -> Result<(), Error> {
        self.row(report, "", &report.labels)?;
        if self.sentences {
            for sentence in report.sentences.iter().flatten() {
                self.row(report, &sentence.text, &sentence.labels)?;
            }
        }
        Ok(())
    }

    fn row(&mut self, report: &LabeledReport, sentence: &str, labels: &Labels) -> Result<(), Error> {
        let number = report.row.map(|row| row.to_string()).unwrap_or_default();
        let mut row = vec![report.path.as_str(), &number, report.error.as_deref().unwrap_or_default()];
        if self.sentences {
            row.push(sentence);
        }
        row.extend(labels.iter().map(|(_, certainty)| word(certainty)));
        let whole = sentence.is_empty();
        let sections =
            [true, false].map(|read| if whole { report.section_names(read) } else { String::new() });
        row.extend(sections.iter().map(String::as_str));
        self.out.write_record(row.into_iter().map(|text| self.texts.cell(text).into_owned()))
    }

    /// Hands on what is held back.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn flush(&mut self) -> Result<(), Error> {
        Ok(self.out.flush()?)
    }

    /// The writer, with everything written.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn into_inner(self) -> Result<W, Error> {
        self.out.into_inner().map_err(|error| error.into_error().into())
    }
}
