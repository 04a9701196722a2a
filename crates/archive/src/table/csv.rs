//! Rows as comma-separated values.
//!
//! A text that a spreadsheet would run as a formula has a `'` in front (see [`medclip_data::guard_cell`]), unless the texts are
//! wanted as they are; names of columns are such texts too. Numbers always have a decimal point or an exponent, so that readers
//! that guess a column's type from its first rows take it for one of fractions.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::PathBuf;

use medclip_data::CellText;
use medclip_scorer::{Report, Schema};

use super::columns::id_columns;
use crate::run::Settings;

/// Option of a run ([`Settings::options`]) whose value [`EXACT`] has CSV hold every text as it is.
pub const CSV_TEXTS: &str = "csv texts";

/// Value of [`CSV_TEXTS`].
pub const EXACT: &str = "exact";

/// Writes reports as rows, each as soon as it comes.
#[derive(Debug)]
pub struct CsvWriter<W: Write> {
    out: csv::Writer<W>,
    texts: CellText,
}

impl<W: Write> CsvWriter<W> {
    /// Writes the header.
    ///
    /// # Errors
    /// The error of `out`.
    pub fn new(out: W, schema: &Schema, texts: CellText) -> io::Result<Self> {
        let mut out = csv::Writer::from_writer(out);
        out.write_record(names(schema, texts))?;
        out.flush()?;
        Ok(Self { out, texts })
    }

    /// Writes a row.
    ///
    /// # Errors
    /// The error of the output.
    pub fn write(&mut self, report: &Report) -> io::Result<()> {
        self.out.write_record(cells(report, self.texts))?;
        self.out.flush()
    }
}

pub(super) fn encode(settings: &Settings, rows: &[Report]) -> io::Result<Vec<u8>> {
    let mut out = csv::Writer::from_writer(Vec::new());
    let texts = cell_text(settings);
    out.write_record(names(&settings.schema, texts))?;
    for row in rows {
        out.write_record(cells(row, texts))?;
    }
    out.into_inner().map_err(csv::IntoInnerError::into_error)
}

/// Every file has the header; the whole has it once.
pub(super) fn join(settings: &Settings, files: &[PathBuf], out: &mut (dyn Write + Send)) -> io::Result<()> {
    let header = encode(settings, &[])?;
    out.write_all(&header)?;
    for file in files {
        let mut file = File::open(file)?;
        file.seek(SeekFrom::Start(header.len() as u64))?;
        io::copy(&mut file, out)?;
    }
    Ok(())
}

pub(super) fn names(schema: &Schema, texts: CellText) -> Vec<String> {
    let mut names = vec!["path".to_owned()];
    names.extend(id_columns(schema).iter().map(|column| column.name.to_owned()));
    names.extend(["model", "model_id", "engine", "qc", "notes", "error_kind", "error"].map(str::to_owned));
    for class in &schema.classes {
        names.extend([format!("{class} logit"), format!("{class} probability")]);
    }
    names.extend(schema.embedding_dim.map(|_| "embedding".to_owned()));
    names.push("schema".to_owned());
    names.iter().map(|name| texts.cell(name).into_owned()).collect()
}

pub(super) fn cell_text(settings: &Settings) -> CellText {
    let is_exact = settings.options.get(CSV_TEXTS).is_some_and(|value| value == EXACT);
    if is_exact { CellText::Exact } else { CellText::Guarded }
}

/// A number that is always seen to be a fraction.
fn number(value: f32) -> String {
    let text = value.to_string();
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    if is_plain { text + ".0" } else { text }
}

fn cells(row: &Report, texts: CellText) -> Vec<String> {
    let schema = &row.schema;
    let text = |text: &str| texts.cell(text).into_owned();
    let optional = |value: Option<&str>| value.map_or_else(String::new, text);
    let mut cells = vec![optional(row.path.as_deref())];
    cells.extend(id_columns(schema).iter().map(|column| optional((column.get)(&row.identity))));
    cells.extend([&schema.model, &schema.model_id, &schema.engine].map(|value| text(value)));
    let codes: Vec<_> = row.qc.iter().map(|code| code.name()).collect();
    let notes: Vec<_> = row.notes.iter().map(|note| &*note.code).collect();
    cells.extend([text(&codes.join(";")), text(&notes.join(";"))]);
    let failure = row.failure();
    cells.push(optional(failure.map(|failure| &*failure.kind)));
    cells.push(optional(failure.map(|failure| failure.message.as_str())));
    let mut scores = 0;
    for finding in row.findings() {
        cells.extend([number(finding.logit), number(finding.probability)]);
        scores += 1;
    }
    cells.extend((scores..schema.classes.len()).flat_map(|_| [String::new(), String::new()]));
    if schema.embedding_dim.is_some() {
        let list = |values: &[f32]| values.iter().map(|value| number(*value)).collect::<Vec<_>>().join(",");
        cells.push(row.embedding().map_or_else(String::new, |values| format!("[{}]", list(values))));
    }
    cells.push(Schema::VERSION.to_string());
    cells
}
