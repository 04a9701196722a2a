//! `medclip label`: reports to findings.

mod sections;
mod source;
mod writer;

use std::path::PathBuf;

use clap::Args;
use medclip_labeler::Labeler;

use crate::output::{CsvArgs, Format};
use crate::{Outcome, report_error};
use sections::Wanted;
use writer::Record;

/// Label radiology reports with the 14 CheXpert findings
///
/// Rules read English chest-radiograph reports and say of each finding whether it is positive, uncertain, negative or
/// not mentioned. Findings that are not mentioned are left out of tables and JSON, and empty in CSV.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct LabelArgs {
    /// Text files, one report each; `-` or nothing reads standard input
    #[arg(value_name = "FILES")]
    files: Vec<PathBuf>,
    /// The files are CSV with a header, a report in this column of every row
    #[arg(long, value_name = "COLUMN")]
    csv: Option<String>,
    /// Read the section under this heading, such as "impression", and no other; repeat it for several
    ///
    /// Case does not matter. "unheaded" is text without a heading. Without this option, everything is read but
    /// indication, history, technique, comparison and sections under unknown headings. JSON lists the sections of every
    /// report and which were read, CSV has them in its last two columns.
    #[arg(long = "section", value_name = "NAME")]
    sections: Vec<String>,
    /// Say of every sentence what it says, too
    #[arg(long)]
    sentences: bool,
    /// Output format: a table for people, one JSON object a report, or CSV
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    csv_texts: CsvArgs,
}

const EXAMPLES: &str = "\
Examples:
  echo 'Mild cardiomegaly. No effusion.' | medclip label
  medclip label --sentences report1.txt report2.txt
  medclip label --csv findings --format csv reports.csv > labels.csv
  medclip label --section findings --section impression report.txt

Exit status: 0 all labelled, 1 some files could not be read or no report has a section of that name, 2 could not run.";

pub(crate) fn run(args: &LabelArgs) -> anyhow::Result<Outcome> {
    args.csv_texts.check(args.format == Format::Csv)?;
    let labeler = Labeler::new();
    let mut writer = writer::new(args.format, args.csv_texts.cell_text(), args.sentences);
    writer.begin()?;
    let mut wanted = Wanted::new(&args.sections);
    let mut outcome = Outcome::Complete;
    let stdin = [PathBuf::from("-")];
    let files = if args.files.is_empty() { &stdin[..] } else { &args.files };
    for path in files {
        source::for_each_report(path, args.csv.as_deref(), |report| {
            let record = match report.text {
                Ok(text) => Record::new(path, report.row, wanted.read(&labeler, &text)),
                Err(error) => Record::failed(path, report.row, &error),
            };
            if let Some(error) = &record.error {
                outcome = Outcome::SomeFailed;
                report_error(&format!("{}: {error}", record.place()));
            }
            writer.record(record)
        })?;
    }
    writer.end()?;
    if let Some(message) = wanted.missing() {
        outcome = Outcome::SomeFailed;
        report_error(&message);
    }
    Ok(outcome)
}
