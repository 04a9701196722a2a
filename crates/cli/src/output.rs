//! What the commands share about output.

use std::fmt::Display;
use std::io::{BufWriter, IsTerminal, StdoutLock, Write, stdout};
use std::time::Duration;

use anyhow::ensure;
use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use medclip_core::terminal::{EscapingWriter, escape_json};
use medclip_data::CellText;
use serde::Serialize;

use crate::log::draws_bars;

/// How results are written to standard output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    #[default]
    Table,
    /// One JSON object a line.
    Json,
    /// Comma-separated values with a header.
    Csv,
}

/// How a report is written to standard output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum ReportFormat {
    /// For people.
    #[default]
    Table,
    /// One JSON object.
    Json,
}

/// How texts are written to CSV.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct CsvArgs {
    /// Write texts to CSV exactly, also those that a spreadsheet would run as a formula
    ///
    /// Without it, a text that begins with =, +, -, @, a tab or a line break, also after spaces or quotation marks, or with
    /// an apostrophe has one apostrophe more in front. medclip takes it away where it reads a table.
    #[arg(long)]
    csv_exact: bool,
}

impl CsvArgs {
    pub(crate) const fn cell_text(self) -> CellText {
        if self.csv_exact { CellText::Exact } else { CellText::Guarded }
    }

    /// # Errors
    /// When the option was given and what is written is no CSV.
    pub(crate) fn check(self, is_csv: bool) -> anyhow::Result<()> {
        ensure!(
            is_csv || !self.csv_exact,
            "--csv-exact is of CSV alone; other formats have the exact text always"
        );
        Ok(())
    }
}

/// Said with scores and ranks for people.
pub(crate) const RESEARCH_USE: &str = "Research use only, not for diagnosis.";

/// Standard output without characters that control a terminal.
pub(crate) type Stdout = BufWriter<EscapingWriter<StdoutLock<'static>>>;

/// Standard output for tables, reports and JSON, locked and buffered. No character of it controls a terminal.
pub(crate) fn locked_stdout() -> Stdout {
    BufWriter::new(EscapingWriter::new(stdout().lock()))
}

/// Standard output for CSV: exact bytes for files and programs, escaped on a terminal.
pub(crate) fn csv_stdout() -> BufWriter<Box<dyn Write>> {
    let out = stdout().lock();
    BufWriter::new(if out.is_terminal() { Box::new(EscapingWriter::new(out)) } else { Box::new(out) })
}

/// A progress bar on standard error when that is a terminal and there is more than one thing to do; hidden otherwise.
pub(crate) fn progress(len: usize, unit: &'static str) -> ProgressBar {
    let template = format!("{{bar:32}} {{pos}}/{{len}} {unit}, {{per_sec}}, {{eta}} left{{msg}}");
    if len < 2 { ProgressBar::hidden() } else { bar(len as u64, &template) }
}

/// A progress bar of this form on standard error when that is a terminal; hidden otherwise.
pub(crate) fn bar(len: u64, template: &str) -> ProgressBar {
    if !draws_bars() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(len);
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(250));
    bar
}

/// Prints a report as JSON, or as it describes itself to people.
pub(crate) fn print_report(format: ReportFormat, report: &(impl Serialize + Display)) -> anyhow::Result<()> {
    let mut out = locked_stdout();
    match format {
        ReportFormat::Table => write!(out, "{report}")?,
        ReportFormat::Json => writeln!(out, "{}", escape_json(&serde_json::to_string_pretty(report)?))?,
    }
    Ok(out.flush()?)
}

/// One JSON object and a line end.
pub(crate) fn write_json_line(out: &mut impl Write, value: &impl Serialize) -> anyhow::Result<()> {
    Ok(writeln!(out, "{}", escape_json(&serde_json::to_string(value)?))?)
}
