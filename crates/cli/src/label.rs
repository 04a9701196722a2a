//! `medclip label`: reports to findings.

mod table;

use std::io::stdin;
use std::path::PathBuf;

use clap::Args;
use medclip_data::{LabelCsv, LabeledReport, SectionReader, for_each_report};
use medclip_labeler::Labeler;

use crate::output::{CsvArgs, Format};
use crate::printer::Printer;
use crate::{Outcome, report_error};

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
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
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
    let texts = args.csv_texts.cell_text();
    let mut printer = Printer::new(args.format, |out| LabelCsv::new(out, texts, args.sentences))?;
    let mut reader = SectionReader::new(Labeler::new(), &args.sections);
    let mut outcome = Outcome::Complete;
    let standard = [PathBuf::from("-")];
    let files = if args.files.is_empty() { &standard[..] } else { &args.files };
    for path in files {
        for_each_report(path, &mut stdin().lock(), args.csv.as_deref(), |row, text| {
            let mut report = match text {
                Ok(text) => LabeledReport::new(path, row, reader.read(&text)),
                Err(error) => LabeledReport::failed(path, row, &error),
            };
            if let Some(error) = &report.error {
                outcome = Outcome::SomeFailed;
                report_error(&format!("{}: {error}", report.place()));
            }
            if !args.sentences {
                report.sentences = None;
            }
            printer.write(
                &report,
                |out| table::write(out, &report),
                |csv| {
                    csv.write(&report)?;
                    csv.flush()
                },
            )
        })?;
    }
    printer.end(|_| Ok(()))?;
    if let Some(message) = reader.missing() {
        outcome = Outcome::SomeFailed;
        report_error(&message);
    }
    Ok(outcome)
}
