//! `medclip eval retrieval`: which sentences and reports an image finds.

use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use medclip_core::Finding;
use medclip_data::Split;
use medclip_protocols::{
    ClassPrecision, ClassRetrieval, OwnReports, Pool, PrecisionAt, RecallAt, Retrieval, RetrievalOptions,
    Subject, retrieval,
};
use medclip_stats::Interval;

use super::args::{FilmArgs, ReportArgs, outcome, parse_finding, parse_split};
use super::bar::Bar;
use super::cells;
use crate::Outcome;
use crate::markdown::MarkdownTable;

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
    pool: Option<PoolArg>,
    /// A class; may be repeated [default: the five of CheXpert-5x200]
    #[arg(long, value_name = "FINDING", value_parser = parse_finding)]
    class: Vec<Finding>,
    /// Sentences of each class, drawn with the seed; a class that has fewer is left out [default: as many as the class
    /// with the fewest has]
    #[arg(long, value_name = "N")]
    sentences_per_class: Option<NonZeroUsize>,
    #[command(flatten)]
    report: ReportArgs,
}

const EXAMPLE: &str = "\
Example:
  medclip eval retrieval films/manifest.csv --split val --view frontal --reports films/reports.csv";

/// Where candidate sentences come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum PoolArg {
    /// Sentences of the chosen images' reports that affirm one of the classes and neither affirm nor suspect another
    Reports,
    /// The bundle's positive prompts
    Prompts,
}

pub(crate) fn run(args: RetrievalArgs) -> anyhow::Result<Outcome> {
    let pool = args.pool.map(|pool| match pool {
        PoolArg::Reports => Pool::Reports,
        PoolArg::Prompts => Pool::Prompts,
    });
    let options = RetrievalOptions {
        splits: args.split,
        reports: args.reports,
        pool,
        classes: args.class,
        sentences_per_class: args.sentences_per_class,
        resampling: args.report.resampling(),
    };
    let found = retrieval(&args.films.open()?, &options, &mut Bar::new())?;
    args.report.print(&found, |out| write_markdown(&found, out))?;
    Ok(outcome(found.subject.failed))
}

fn write_markdown(found: &Retrieval, out: &mut impl Write) -> io::Result<()> {
    let Subject { model, images, patients, resamples, seed, .. } = &found.subject;
    writeln!(out, "{model}: retrieval over {images} images of {patients} patients; 95 % intervals from")?;
    writeln!(out, "{resamples} resamples of patients (seed {seed}).\n")?;
    write_classes(&found.sentences, out)?;
    match &found.own_report {
        Some(own) => write_own(own, out),
        None => writeln!(out, "\nNo image has a report, so there is no own report to find."),
    }
}

/// A row a class, and the mean.
fn write_classes(found: &ClassRetrieval, out: &mut impl Write) -> io::Result<()> {
    let ClassRetrieval { pool, queries, sentences_per_class, chance, classes, left_out, mean } = found;
    let origin = match pool {
        Pool::Reports => "sentences of the chosen images' reports",
        Pool::Prompts => "positive prompts of the bundle",
    };
    writeln!(
        out,
        "Image → sentence of its class: {queries} images with exactly one of the classes;\n{} candidates, \
         {sentences_per_class} a class, {origin}; chance {chance:.3}.\n",
        sentences_per_class * classes.len()
    )?;
    let depths = mean.iter().map(|at| format!("P@{}", at.k));
    let header = ["class", "images", "sentences found"].map(str::to_owned).into_iter().chain(depths);
    let mut table = MarkdownTable::new(&header.collect::<Vec<_>>(), 1);
    let cells = |precision: &[PrecisionAt]| {
        precision.iter().map(|at| cells::interval(at.precision.as_ref())).collect::<Vec<_>>()
    };
    for ClassPrecision { name, queries, sentences_found, precision } in classes {
        let counts = [(*name).to_owned(), queries.to_string(), sentences_found.to_string()];
        table.row(&counts.into_iter().chain(cells(precision)).collect::<Vec<_>>());
    }
    let name = ["mean of classes".to_owned(), String::new(), String::new()];
    table.bold_row(&name.into_iter().chain(cells(mean)).collect::<Vec<_>>());
    table.write(out)?;
    if !left_out.is_empty() {
        let texts: Vec<String> = left_out.iter().map(ToString::to_string).collect();
        writeln!(out, "\nLeft out, for want of images or sentences: {}.", texts.join("; "))?;
    }
    let of = |name, precision: &'_ [PrecisionAt]| -> Vec<_> {
        precision.iter().map(|at| (name, at.precision)).collect()
    };
    let mut figures: Vec<(&str, Option<Interval>)> =
        classes.iter().flat_map(|class| of(class.name, &class.precision)).collect();
    figures.extend(of("the mean", mean));
    let note = cells::no_interval_note(figures.iter().map(|(name, found)| (*name, found.as_ref())));
    note.map_or(Ok(()), |note| writeln!(out, "\n{note}"))
}

/// Recall at every depth, and the median rank.
fn write_own(found: &OwnReports, out: &mut impl Write) -> io::Result<()> {
    let OwnReports { queries, candidates, illegible, recall, median_rank } = found;
    writeln!(out, "\nImage → its own report: {queries} images, {candidates} distinct reports of theirs,")?;
    writeln!(out, "{illegible} images left out whose report has no legible sentence.\n")?;
    let mut table = MarkdownTable::new(&["", "value (95 % CI)", "chance"], 1);
    for RecallAt { k, chance, recall } in recall {
        table.row(&[format!("R@{k}"), cells::interval(Some(recall)), format!("{chance:.3}")]);
    }
    let (estimate, ends) = (median_rank.estimate, cells::ends(median_rank, 1));
    let chance = f64::midpoint(*candidates as f64, 1.0);
    table.row(&["median rank".to_owned(), format!("{estimate:.1} ({ends})"), format!("{chance:.1}")]);
    table.write(out)?;
    let note = cells::no_interval_note([("the median rank", Some(median_rank))]);
    note.map_or(Ok(()), |note| writeln!(out, "\n{note}"))
}
