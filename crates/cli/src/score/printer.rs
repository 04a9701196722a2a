//! Reports on standard output, each as soon as it comes.

use std::io::{BufWriter, Write};

use medclip_archive::CsvWriter;
use medclip_data::CellText;
use medclip_scorer::{Report, Schema};

use super::table;
use crate::output::{Format, Stdout, csv_stdout, locked_stdout, write_json_line};

/// Writes to standard output.
pub(super) enum Printer {
    Table(Stdout),
    Json(Stdout),
    Csv(Box<CsvWriter<BufWriter<Box<dyn Write>>>>),
}

impl Printer {
    /// `texts` are those of CSV.
    pub(super) fn new(format: Format, schema: &Schema, texts: CellText) -> anyhow::Result<Self> {
        Ok(match format {
            Format::Table => Self::Table(locked_stdout()),
            Format::Json => Self::Json(locked_stdout()),
            Format::Csv => Self::Csv(Box::new(CsvWriter::new(csv_stdout(), schema, texts)?)),
        })
    }

    /// Every report reaches the reader before the next is written.
    pub(super) fn write(&mut self, report: &Report) -> anyhow::Result<()> {
        match self {
            Self::Table(out) => table::write(out, report),
            Self::Json(out) => {
                write_json_line(out, report)?;
                Ok(out.flush()?)
            }
            Self::Csv(out) => Ok(out.write(report)?),
        }
    }

    /// After the last report.
    pub(super) fn end(&mut self) -> anyhow::Result<()> {
        if let Self::Table(out) = self {
            writeln!(out, "{}", table::RESEARCH_USE)?;
            out.flush()?;
        }
        Ok(())
    }
}
