//! Labels as a table, JSON lines or CSV.

use std::io::Write;
use std::path::Path;

use medclip_core::terminal::Escaped;
use medclip_core::{Certainty, Finding, Labels};
use medclip_data::CellText;
use medclip_labeler::{ReportLabels, ReportSection};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::one_line;
use crate::output::{Format, csv_stdout, locked_stdout, plain_table, write_json_line, write_table};

/// What is said of one report; the fields are the keys of a JSON line, in its order.
#[derive(Debug, Serialize)]
pub(crate) struct Record {
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    row: Option<u64>,
    #[serde(serialize_with = "serialize_mentioned")]
    labels: Labels,
    #[serde(skip_serializing_if = "Option::is_none")]
    sentences: Option<Vec<SentenceRecord>>,
    /// The sections that the report has, in order.
    sections: Vec<SectionRecord>,
    pub(crate) error: Option<String>,
}

#[derive(Debug, Serialize)]
struct SectionRecord {
    name: String,
    read: bool,
}

#[derive(Debug, Serialize)]
struct SentenceRecord {
    text: String,
    #[serde(serialize_with = "serialize_mentioned")]
    labels: Labels,
}

impl Record {
    pub(crate) fn new(path: &Path, row: Option<u64>, read: ReportLabels) -> Self {
        let sentences =
            read.sentences.into_iter().map(|(text, labels)| SentenceRecord { text, labels }).collect();
        let path = path.display().to_string();
        let section = |section: ReportSection| SectionRecord { name: section.name, read: section.read };
        let sections = read.sections.into_iter().map(section).collect();
        Self { path, row, labels: read.labels, sentences: Some(sentences), sections, error: None }
    }

    pub(crate) fn failed(path: &Path, row: Option<u64>, error: &anyhow::Error) -> Self {
        let path = path.display().to_string();
        let error = Some(one_line(error));
        Self { path, row, labels: Labels::default(), sentences: None, sections: Vec::new(), error }
    }

    /// Names of the sections that were read, or that were left out.
    fn sections(&self, read: bool) -> String {
        let names = self.sections.iter().filter(|section| section.read == read);
        names.map(|section| section.name.as_str()).collect::<Vec<_>>().join("; ")
    }

    /// The file, and the row where there is one.
    pub(crate) fn place(&self) -> String {
        match self.row {
            Some(row) => format!("{}, row {row}", self.path),
            None => self.path.clone(),
        }
    }
}

/// Writes records as they come.
pub(crate) trait LabelWriter {
    fn begin(&mut self) -> anyhow::Result<()>;
    fn record(&mut self, record: Record) -> anyhow::Result<()>;
    fn end(&mut self) -> anyhow::Result<()>;
}

/// A writer of whole reports, and of their sentences too when `sentences` is set.
/// `texts` are those of CSV.
pub(crate) fn new(format: Format, texts: CellText, sentences: bool) -> Box<dyn LabelWriter> {
    match format {
        Format::Table => Box::new(TableWriter { out: locked_stdout(), sentences }),
        Format::Json => Box::new(JsonWriter { out: locked_stdout(), sentences }),
        Format::Csv => Box::new(CsvWriter { out: csv::Writer::from_writer(csv_stdout()), texts, sentences }),
    }
}

struct JsonWriter<W> {
    out: W,
    sentences: bool,
}

impl<W: Write> LabelWriter for JsonWriter<W> {
    fn begin(&mut self) -> anyhow::Result<()> {
        Ok(())
    }

    fn record(&mut self, mut record: Record) -> anyhow::Result<()> {
        if !self.sentences {
            record.sentences = None;
        }
        write_json_line(&mut self.out, &record)
    }

    fn end(&mut self) -> anyhow::Result<()> {
        Ok(self.out.flush()?)
    }
}

/// Columns: path, row, error, sentence (the text; empty for the whole report) when asked for, every finding, and the names of the
/// sections that were read and left out, separated by `;` (empty for a sentence).
struct CsvWriter<W: Write> {
    out: csv::Writer<W>,
    texts: CellText,
    sentences: bool,
}

impl<W: Write> CsvWriter<W> {
    fn row(&mut self, record: &Record, sentence: &str, labels: &Labels) -> anyhow::Result<()> {
        let number = record.row.map(|row| row.to_string()).unwrap_or_default();
        let error = record.error.as_deref().unwrap_or_default();
        let mut row = vec![record.path.as_str(), &number, error];
        if self.sentences {
            row.push(sentence);
        }
        row.extend(labels.iter().map(|(_, certainty)| word(certainty)));
        let whole = sentence.is_empty();
        let sections = [true, false].map(|read| if whole { record.sections(read) } else { String::new() });
        row.extend(sections.iter().map(String::as_str));
        Ok(self.out.write_record(row.into_iter().map(|text| self.texts.cell(text).into_owned()))?)
    }
}

impl<W: Write> LabelWriter for CsvWriter<W> {
    fn begin(&mut self) -> anyhow::Result<()> {
        let sentence = self.sentences.then_some("sentence");
        let header = ["path", "row", "error"].into_iter().chain(sentence);
        let sections = ["sections_read", "sections_left_out"];
        Ok(self.out.write_record(header.chain(Finding::ALL.map(Finding::name)).chain(sections))?)
    }

    fn record(&mut self, record: Record) -> anyhow::Result<()> {
        self.row(&record, "", &record.labels)?;
        if self.sentences {
            for sentence in record.sentences.iter().flatten() {
                self.row(&record, &sentence.text, &sentence.labels)?;
            }
        }
        Ok(())
    }

    fn end(&mut self) -> anyhow::Result<()> {
        Ok(self.out.flush()?)
    }
}

/// A block per report: the findings it mentions, then those of every sentence when asked for.
struct TableWriter<W> {
    out: W,
    sentences: bool,
}

impl<W: Write> LabelWriter for TableWriter<W> {
    fn begin(&mut self) -> anyhow::Result<()> {
        Ok(())
    }

    fn record(&mut self, record: Record) -> anyhow::Result<()> {
        if record.error.is_some() {
            return Ok(());
        }
        let mut table = plain_table(&["Finding", "Certainty"], &[]);
        for (finding, certainty) in mentioned(&record.labels) {
            table.add_row([finding.name(), word(certainty)]);
        }
        writeln!(self.out, "{}", Escaped(record.place()))?;
        write_table(&mut self.out, table)?;
        if record.sections.iter().any(|section| section.name != ReportSection::UNHEADED) {
            let list = |read| {
                let names = record.sections(read);
                if names.is_empty() { "none".to_owned() } else { names }
            };
            writeln!(
                self.out,
                "Sections read: {}. Left out: {}.",
                Escaped(list(true)),
                Escaped(list(false))
            )?;
        }
        writeln!(self.out)?;
        if self.sentences {
            for sentence in record.sentences.iter().flatten() {
                let said = mentioned(&sentence.labels);
                let said: Vec<_> =
                    said.map(|(finding, certainty)| format!("{finding} {}", word(certainty))).collect();
                let said = if said.is_empty() { "nothing".to_owned() } else { said.join(", ") };
                writeln!(self.out, "  {}\n    {said}", Escaped(&sentence.text))?;
            }
            writeln!(self.out)?;
        }
        Ok(())
    }

    fn end(&mut self) -> anyhow::Result<()> {
        Ok(self.out.flush()?)
    }
}

fn mentioned(labels: &Labels) -> impl Iterator<Item = (Finding, Certainty)> {
    labels.iter().filter(|(_, certainty)| *certainty != Certainty::Unmentioned)
}

fn word(certainty: Certainty) -> &'static str {
    match certainty {
        Certainty::Positive => "positive",
        Certainty::Uncertain => "uncertain",
        Certainty::Negative => "negative",
        Certainty::Unmentioned => "",
    }
}

/// `{"Cardiomegaly": "positive", …}`, findings that are not mentioned left out.
fn serialize_mentioned<S: serde::Serializer>(labels: &Labels, serializer: S) -> Result<S::Ok, S::Error> {
    let entries = mentioned(labels);
    let map: Map<String, Value> =
        entries.map(|(finding, certainty)| (finding.name().to_owned(), word(certainty).into())).collect();
    map.serialize(serializer)
}
