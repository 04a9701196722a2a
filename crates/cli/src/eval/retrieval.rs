//! `medclip eval retrieval`: which sentences and reports an image finds.

mod classes;
mod reports;

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use medclip_core::Finding;
use medclip_data::{Split, read_reports};
use serde::Serialize;

use super::cells::parse_finding;
use super::exclusive;
use super::films::{FilmArgs, ReportArgs, Subject, parse_split};
use crate::Outcome;
use classes::ClassRetrieval;
use reports::{OwnReports, Reports};

/// Precision of the sentences an image retrieves, and the rank of its own report
///
/// Sentences: queries are the images with exactly one of the classes present and every other annotated absent; a blank
/// or uncertain one leaves the image out. Candidates are equally many sentences of each class, so that chance is 1 in the
/// number of classes. A sentence is right when its class is the image's. The mean is over classes, each weighing the
/// same.
///
/// Own report: where the manifest or `--reports` has texts, every image with one is a query and the distinct
/// reports of the chosen images are the candidates, each by the mean embedding of its sentences.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(crate) struct RetrievalArgs {
    #[command(flatten)]
    films: FilmArgs,
    /// Only images of this split, and their reports; may be repeated
    #[arg(long, value_parser = parse_split)]
    split: Vec<Split>,
    /// Reports (CSV): `id`, which is the manifest's `patient_id`, and `text`; for images whose row has no text
    #[arg(long, value_name = "FILE")]
    reports: Option<PathBuf>,
    /// Where the sentences come from [default: reports where any image has one, else prompts]
    #[arg(long, value_enum)]
    pool: Option<Pool>,
    /// A class; may be repeated [default: the five of CheXpert-5x200]
    #[arg(long, value_name = "FINDING", value_parser = parse_finding)]
    class: Vec<Finding>,
    /// Sentences of each class, drawn with the seed; a class that has fewer is left out [default: as many as the class
    /// with the fewest has]
    #[arg(long, value_name = "N")]
    sentences_per_class: Option<usize>,
    #[command(flatten)]
    report: ReportArgs,
}

const EXAMPLE: &str = "\
Example:
  medclip eval retrieval films/manifest.csv --split val --view frontal --reports films/reports.csv";

/// Where candidate sentences come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
enum Pool {
    /// Sentences of the chosen images' reports that affirm one of the classes and neither affirm nor suspect another
    Reports,
    /// The bundle's positive prompts
    Prompts,
}

/// What is printed as JSON.
#[derive(Debug, Serialize)]
struct Retrieved {
    #[serde(flatten)]
    subject: Subject,
    sentences: ClassRetrieval,
    /// None where no image has a report.
    own_report: Option<OwnReports>,
}

pub(crate) fn run(args: RetrievalArgs) -> anyhow::Result<Outcome> {
    let wanted = exclusive::classes("retrieval", &args.class)?;
    if args.sentences_per_class == Some(0) {
        bail!("--sentences-per-class must be at least 1");
    }
    let rows = match &args.reports {
        Some(file) => read_reports(file).with_context(|| file.display().to_string())?,
        None => Vec::new(),
    };
    let films = args.films.open()?;
    let chosen = films.chosen("command line", &args.split)?;
    let embedded = films.embed(&chosen)?;
    let reports = Reports::of(&embedded.records, &rows);
    let pool = match args.pool {
        Some(Pool::Reports) | None if !reports.is_empty() => Pool::Reports,
        Some(Pool::Reports) => bail!(
            "{}: none of the images chosen has a report, in its row or in a file of --reports",
            films.manifest.display()
        ),
        _ => Pool::Prompts,
    };
    let sentences = match pool {
        Pool::Reports => reports.sentences_by_class(&wanted),
        Pool::Prompts => classes::prompts_by_class(&films.model, &wanted),
    };
    let sentences =
        classes::retrieve(&films, &embedded, pool, sentences, args.sentences_per_class, &args.report)?;
    let own_report =
        if reports.is_empty() { None } else { Some(reports.retrieve(&films, &embedded, &args.report)?) };
    let subject = embedded.subject(&films.model, &args.report);
    let report = Retrieved { subject, sentences, own_report };
    args.report.print(&report, |out| report.write_markdown(out))?;
    Ok(embedded.outcome())
}

impl Retrieved {
    fn write_markdown(&self, out: &mut impl Write) -> std::io::Result<()> {
        let Subject { model, images, patients, resamples, seed, .. } = &self.subject;
        writeln!(out, "{model}: retrieval over {images} images of {patients} patients; 95 % intervals from")?;
        writeln!(out, "{resamples} resamples of patients (seed {seed}).\n")?;
        self.sentences.write_markdown(out)?;
        match &self.own_report {
            Some(own) => own.write_markdown(out),
            None => writeln!(out, "\nNo image has a report, so there is no own report to find."),
        }
    }
}
