//! Scores as a table, JSON lines or CSV.

use std::io::Write;

use medclip_core::terminal::Escaped;
use medclip_data::CellText;
use medclip_decode::Note;
use medclip_runtime::{FindingScore, Model};
use serde::Serialize;

use crate::one_line;
use crate::output::{Format, csv_stdout, locked_stdout, plain_table, write_json_line, write_table};

/// Printed with every table.
const RESEARCH_USE: &str = "Research use only, not for diagnosis.";

/// What is said of one image; the fields are the keys of a JSON line, in its order.
#[derive(Debug, Serialize)]
pub(crate) struct Record<'a> {
    pub(crate) path: String,
    model: &'a str,
    engine: &'a str,
    /// Codes of intake checks that have something to say.
    qc: Vec<String>,
    /// Codes of what is unusual about the file.
    notes: Vec<&'static str>,
    findings: Vec<FindingScore>,
    pub(crate) error: Option<String>,
    /// The notes in words.
    #[serde(skip)]
    told: Vec<String>,
}

impl<'a> Record<'a> {
    pub(crate) fn new(path: String, model: &'a Model, scored: anyhow::Result<Scored>) -> Self {
        let Scored { qc, notes, findings, withheld: error } = scored.unwrap_or_else(|error| Scored {
            qc: Vec::new(),
            notes: Vec::new(),
            findings: Vec::new(),
            withheld: Some(one_line(&error)),
        });
        let told = notes.iter().map(Note::to_string).collect();
        let notes = notes.iter().map(Note::code).collect();
        let (model, engine) = (model.name(), model.engine_label());
        Self { path, model, engine, qc, notes, findings, error, told }
    }
}

/// What came of one image that could be read.
pub(crate) struct Scored {
    /// Codes of intake checks.
    pub(crate) qc: Vec<String>,
    /// What is unusual about the file.
    pub(crate) notes: Vec<Note>,
    /// Nothing where scores are withheld.
    pub(crate) findings: Vec<FindingScore>,
    /// Why there are no scores.
    pub(crate) withheld: Option<String>,
}

/// Writes records as they come; every record reaches the reader before the next is written.
pub(crate) trait ScoreWriter {
    /// Before the first record; `classes` are those of every record, in order.
    fn begin(&mut self, classes: &[&str]) -> anyhow::Result<()>;
    fn record(&mut self, record: &Record<'_>) -> anyhow::Result<()>;
    fn end(&mut self) -> anyhow::Result<()>;
}

/// A writer to standard output; `texts` are those of CSV.
pub(crate) fn new(format: Format, texts: CellText) -> Box<dyn ScoreWriter> {
    match format {
        Format::Table => Box::new(TableWriter(locked_stdout())),
        Format::Json => Box::new(JsonWriter(locked_stdout())),
        Format::Csv => Box::new(CsvWriter { out: csv::Writer::from_writer(csv_stdout()), texts, classes: 0 }),
    }
}

struct JsonWriter<W>(W);

impl<W: Write> ScoreWriter for JsonWriter<W> {
    fn begin(&mut self, _classes: &[&str]) -> anyhow::Result<()> {
        Ok(())
    }

    fn record(&mut self, record: &Record<'_>) -> anyhow::Result<()> {
        write_json_line(&mut self.0, record)?;
        Ok(self.0.flush()?)
    }

    fn end(&mut self) -> anyhow::Result<()> {
        Ok(())
    }
}

/// Columns: path, model, engine, the codes of intake checks and of notes joined by `;`, error, then logit and probability of every class.
struct CsvWriter<W: Write> {
    out: csv::Writer<W>,
    texts: CellText,
    classes: usize,
}

impl<W: Write> ScoreWriter for CsvWriter<W> {
    fn begin(&mut self, classes: &[&str]) -> anyhow::Result<()> {
        self.classes = classes.len();
        let mut header: Vec<_> =
            ["path", "model", "engine", "qc", "notes", "error"].map(str::to_owned).into();
        for class in classes {
            header.extend([format!("{class} logit"), format!("{class} probability")]);
        }
        self.out.write_record(header.iter().map(|name| self.texts.cell(name).into_owned()))?;
        Ok(self.out.flush()?)
    }

    fn record(&mut self, record: &Record<'_>) -> anyhow::Result<()> {
        let error = record.error.as_deref().unwrap_or_default();
        let (qc, notes) = (record.qc.join(";"), record.notes.join(";"));
        let mut row: Vec<_> = [&record.path, record.model, record.engine, &qc, &notes, error]
            .map(|text| self.texts.cell(text).into_owned())
            .into();
        for finding in &record.findings {
            row.extend([finding.logit.to_string(), finding.probability.to_string()]);
        }
        row.resize(6 + 2 * self.classes, String::new());
        self.out.write_record(row)?;
        Ok(self.out.flush()?)
    }

    fn end(&mut self) -> anyhow::Result<()> {
        Ok(())
    }
}

/// A block per image, most probable class first. Failed images are on standard error only.
struct TableWriter<W>(W);

impl<W: Write> ScoreWriter for TableWriter<W> {
    fn begin(&mut self, _classes: &[&str]) -> anyhow::Result<()> {
        Ok(())
    }

    fn record(&mut self, record: &Record<'_>) -> anyhow::Result<()> {
        if record.error.is_some() {
            return Ok(());
        }
        let mut findings: Vec<_> = record.findings.iter().collect();
        findings.sort_by(|a, b| b.probability.total_cmp(&a.probability));
        let mut table = plain_table(&["Finding", "Probability", "Logit"], &[1, 2]);
        for finding in findings {
            table.add_row([
                finding.name.clone(),
                format!("{:.3}", finding.probability),
                format!("{:+.2}", finding.logit),
            ]);
        }
        let model = Escaped(record.model);
        writeln!(self.0, "{}  ({model}, {})", Escaped(&record.path), record.engine)?;
        if !record.qc.is_empty() {
            writeln!(self.0, "intake checks: {}", record.qc.join(", "))?;
        }
        write_table(&mut self.0, table)?;
        if !record.told.is_empty() {
            writeln!(self.0, "notes: {}", Escaped(record.told.join("; ")))?;
        }
        writeln!(self.0)?;
        Ok(self.0.flush()?)
    }

    fn end(&mut self) -> anyhow::Result<()> {
        writeln!(self.0, "{RESEARCH_USE}")?;
        Ok(self.0.flush()?)
    }
}
