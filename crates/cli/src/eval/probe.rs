//! `medclip eval probe`: how much a linear classifier finds in the embeddings of a frozen image tower.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, anyhow, bail};
use clap::Args;
use medclip_core::{Embeddings, Finding, Head};
use medclip_data::Split;
use medclip_files::replace_file;
use medclip_stats::{FitError, Logistic, cross_validate, fit_path, grouped_folds, grouped_share};
use serde::Serialize;

use super::films::{Embedded, FilmArgs, ReportArgs, Subject, parse_split};
use super::plots::PlotArgs;
use super::ranking::{Figures, Ranking};
use crate::Outcome;
use crate::ordered::for_each_ordered;
use crate::output::progress;

/// Inverse strengths of the regularisation that cross-validation chooses from.
const PATH: [f64; 6] = [1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0];
/// Folds of patients.
const FOLDS: usize = 5;

/// AUROC and average precision of logistic regressions fitted on the frozen image tower's embeddings
///
/// One classifier a finding, on the films where that finding is annotated; a blank or uncertain one is left out, never
/// read as absent. Features are standardised on the films fitted on. C is the one of 1e-5, 1e-4, …, 1 with the least
/// held-out log-loss over five folds of the fitted patients. A finding with too few patients for that has no classifier
/// and is named.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(crate) struct ProbeArgs {
    #[command(flatten)]
    films: FilmArgs,
    /// Fit on images of this split; may be repeated
    #[arg(long, value_parser = parse_split, default_value = "train")]
    fit_split: Vec<Split>,
    /// Evaluate on images of this split; may be repeated
    #[arg(long, value_parser = parse_split, default_value = "val")]
    split: Vec<Split>,
    /// Fit on this share of the patients, drawn with the seed; may be repeated for a data-efficiency curve, in which
    /// larger shares contain the smaller ones
    #[arg(long, value_parser = parse_fraction, default_value = "1")]
    fraction: Vec<f64>,
    /// Write the classifiers of the last share here, for `medclip score --head`
    #[arg(long, value_name = "HEAD.safetensors")]
    save: Option<PathBuf>,
    #[command(flatten)]
    plots: PlotArgs,
    #[command(flatten)]
    report: ReportArgs,
}

const EXAMPLE: &str = "\
Example:
  medclip eval probe films/manifest.csv --view frontal --fraction 0.1 --fraction 1 --save head.safetensors";

/// What is printed as JSON.
#[derive(Debug, Serialize)]
struct Report {
    #[serde(flatten)]
    subject: Subject,
    /// Films to fit on that could not be read.
    failed_to_fit: usize,
    shares: Vec<Share>,
}

/// What classifiers of one share of the patients do.
#[derive(Debug, Serialize)]
struct Share {
    fraction: f64,
    fitted_images: usize,
    fitted_patients: usize,
    /// C of each classifier.
    regularisation: Vec<Chosen>,
    /// Findings without a classifier.
    not_fitted: Vec<NotFitted>,
    #[serde(flatten)]
    figures: Figures,
}

#[derive(Debug, Serialize)]
struct Chosen {
    name: &'static str,
    c: f64,
}

#[derive(Debug, Serialize)]
struct NotFitted {
    name: &'static str,
    reason: String,
}

/// A classifier and the C it was fitted with.
type Fitted = Result<(f64, Logistic), FitError>;
/// The classifiers there are.
type Classifiers = Vec<(Finding, Logistic)>;

pub(crate) fn run(args: ProbeArgs) -> anyhow::Result<Outcome> {
    if let Some(file) = args.save.as_ref().filter(|file| file.exists()) {
        bail!("{} already exists", file.display());
    }
    args.plots.prepare()?;
    let films = args.films.open()?;
    let fit = films.chosen("fit", &args.fit_split)?;
    let evaluation = films.chosen("evaluation", &args.split)?;
    films.manifest.check_apart(&fit, &evaluation)?;
    let (fit, evaluation) = (films.embed(&fit)?, films.embed(&evaluation)?);

    let mut shares = Vec::new();
    let mut last = None;
    let bar = progress(args.fraction.len() * Finding::COUNT, "classifiers");
    for &fraction in &args.fraction {
        let rows = grouped_share(&fit.patients(), fraction, args.report.seed);
        let mut fitted: Vec<Fitted> = Vec::new();
        let fit_one = |finding: Finding| fit_finding(&fit, &rows, finding, args.report.seed);
        for_each_ordered(Finding::ALL, films.workers, fit_one, |result| {
            bar.inc(1);
            fitted.push(result.map_err(|_| anyhow!("a fault in medclip while fitting"))?);
            anyhow::Ok(())
        })?;
        let (share, classifiers, ranking) =
            evaluate(fraction, &fit, &rows, fitted, &evaluation, &args.report)?;
        shares.push(share);
        last = Some((classifiers, ranking));
    }
    bar.finish_and_clear();
    let (classifiers, ranking) = last.context("no share to fit on")?;
    if let Some(file) = &args.save {
        let bytes = head(films.model.bundle().id(), &classifiers)?.to_bytes()?;
        replace_file(file, &bytes).context("cannot write the head")?;
    }
    draw(&args.plots, films.model.name(), &ranking, &shares, &evaluation)?;

    let subject = evaluation.subject(&films.model, &args.report);
    let report = Report { subject, failed_to_fit: fit.failed, shares };
    args.report.print(&report, |out| report.write_markdown(out))?;
    let complete = [fit.outcome(), evaluation.outcome()] == [Outcome::Complete; 2];
    Ok(if complete { Outcome::Complete } else { Outcome::SomeFailed })
}

/// The classifier of one finding on the annotated films among `rows`.
fn fit_finding(fit: &Embedded<'_>, rows: &[usize], finding: Finding, seed: u64) -> Fitted {
    let known = |row: &usize| Some((*row, fit.records[*row].annotations[finding.index()].known()?));
    let (rows, labels): (Vec<usize>, Vec<bool>) = rows.iter().filter_map(known).unzip();
    let embeddings: Vec<&[f32]> = rows.iter().map(|row| fit.embeddings[*row].as_slice()).collect();
    let patients: Vec<&str> = rows.iter().map(|row| fit.records[*row].patient_group.as_str()).collect();
    let folds = grouped_folds(&patients, FOLDS, seed);
    let losses = cross_validate(&embeddings, &labels, &folds, &PATH)?;
    // The first of equals is the most regularised.
    let c = PATH.into_iter().zip(losses).min_by(|a, b| a.1.total_cmp(&b.1)).map_or(PATH[0], |(c, _)| c);
    let mut fitted = fit_path(&embeddings, &labels, &[c])?;
    fitted.pop().map(|classifier| (c, classifier)).ok_or(FitError::Folds)
}

/// Charts of the last share's scores, and of all shares.
fn draw(
    plots: &PlotArgs,
    model: &str,
    ranking: &Ranking<'_>,
    shares: &[Share],
    evaluation: &Embedded<'_>,
) -> anyhow::Result<()> {
    let Some(Share { fraction, figures, .. }) = shares.last() else { return Ok(()) };
    let title = format!("{model}, linear probe");
    let of_share = if *fraction < 1.0 { format!("{title} (share {fraction})") } else { title.clone() };
    plots.write(&of_share, ranking, figures, &evaluation.embeddings)?;
    let figures: Vec<(f64, &Figures)> = shares.iter().map(|share| (share.fraction, &share.figures)).collect();
    plots.write_efficiency(&title, &figures)
}

/// Figures of one share's classifiers, the classifiers there are, and their scores.
fn evaluate<'a>(
    fraction: f64,
    fit: &Embedded<'_>,
    rows: &[usize],
    fitted: Vec<Fitted>,
    evaluation: &Embedded<'a>,
    args: &ReportArgs,
) -> anyhow::Result<(Share, Classifiers, Ranking<'a>)> {
    let (mut regularisation, mut not_fitted, mut classifiers) = (Vec::new(), Vec::new(), Vec::new());
    for (finding, fitted) in Finding::ALL.into_iter().zip(fitted) {
        let name = finding.name();
        match fitted {
            Ok((c, classifier)) => {
                regularisation.push(Chosen { name, c });
                classifiers.push((finding, classifier));
            }
            // A finding that is too rare here; anything else is a fault of the embeddings or of the fit.
            Err(error @ (FitError::OneClass { .. } | FitError::Folds | FitError::Shape { .. })) => {
                not_fitted.push(NotFitted { name, reason: error.to_string() });
            }
            Err(error) => return Err(error).context(name),
        }
    }
    if classifiers.is_empty() {
        bail!("with {fraction} of the patients no finding has enough of both outcomes to fit a classifier");
    }
    let findings = classifiers.iter().map(|(finding, _)| *finding).collect();
    let scores = classifiers.iter().map(|(_, classifier)| {
        evaluation.embeddings.iter().map(|image| classifier.logit(image) as f32).collect()
    });
    let ranking = Ranking::new(findings, scores.collect(), &evaluation.records);
    let patients: BTreeSet<&str> = rows.iter().map(|row| fit.records[*row].patient_group.as_str()).collect();
    let share = Share {
        fraction,
        fitted_images: rows.len(),
        fitted_patients: patients.len(),
        regularisation,
        not_fitted,
        figures: ranking.figures(args)?,
    };
    Ok((share, classifiers, ranking))
}

fn head(bundle_id: &str, classifiers: &[(Finding, Logistic)]) -> anyhow::Result<Head> {
    let dim = classifiers.first().map_or(0, |(_, classifier)| classifier.weights.len());
    let weights: Vec<f32> =
        classifiers.iter().flat_map(|(_, c)| c.weights.iter().map(|weight| *weight as f32)).collect();
    let biases: Vec<f32> = classifiers.iter().map(|(_, classifier)| classifier.bias as f32).collect();
    let names = classifiers.iter().map(|(finding, _)| finding.name().to_owned()).collect();
    Ok(Head::new(bundle_id.to_owned(), names, Embeddings::new(weights, dim)?, Embeddings::new(biases, 1)?)?)
}

pub(super) fn parse_fraction(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(fraction) if fraction > 0.0 && fraction <= 1.0 => Ok(fraction),
        _ => Err(format!("`{text}` is not a number above 0 and at most 1")),
    }
}

impl Report {
    fn write_markdown(&self, out: &mut impl Write) -> std::io::Result<()> {
        let Subject { model, images, patients, resamples, seed, .. } = &self.subject;
        writeln!(
            out,
            "{model}: {images} images of {patients} patients, linear probe; 95 % intervals from {resamples}"
        )?;
        writeln!(out, "resamples of patients (seed {seed}).")?;
        for share in &self.shares {
            let Share { fraction, fitted_images, fitted_patients, regularisation, not_fitted, figures } =
                share;
            writeln!(
                out,
                "\nFitted on {fitted_images} images of {fitted_patients} patients (share {fraction}):\n"
            )?;
            figures.write_markdown(out)?;
            let chosen: Vec<String> =
                regularisation.iter().map(|Chosen { name, c }| format!("{name} {c:e}")).collect();
            writeln!(out, "\nC: {}.", chosen.join(", "))?;
            for NotFitted { name, reason } in not_fitted {
                writeln!(out, "No classifier of {name}: {reason}.")?;
            }
        }
        Ok(())
    }
}
