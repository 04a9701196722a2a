//! `medclip eval zero-shot`: how well a bundle does on annotated images by prompts alone.

use std::io::Write;

use anyhow::bail;
use clap::Args;
use medclip_core::{Finding, PromptBank};
use medclip_runtime::Model;
use medclip_train::data::Split;
use serde::Serialize;

use super::films::{Embedded, FilmArgs, ReportArgs, Subject, parse_split};
use super::plots::PlotArgs;
use super::ranking::{Figures, Ranking};
use crate::Outcome;

/// AUROC and average precision of every finding from prompts alone, with bootstrap intervals by patient
#[derive(Debug, Args)]
pub(crate) struct ZeroShotArgs {
    #[command(flatten)]
    films: FilmArgs,
    /// Only images of this split; may be repeated
    #[arg(long, value_parser = parse_split)]
    split: Vec<Split>,
    #[command(flatten)]
    plots: PlotArgs,
    #[command(flatten)]
    report: ReportArgs,
}

/// What is printed as JSON.
#[derive(Debug, Serialize)]
struct Report {
    #[serde(flatten)]
    subject: Subject,
    #[serde(flatten)]
    figures: Figures,
}

pub(crate) fn run(args: ZeroShotArgs) -> anyhow::Result<Outcome> {
    args.plots.prepare()?;
    let films = args.films.open()?;
    let chosen = films.chosen("command line", &args.split)?;
    let embedded = films.embed(&chosen)?;
    let subject = embedded.subject(&films.model, &args.report);
    let ranking = rank(&films.model, films.model.bundle().bank(), &embedded)?;
    let report = Report { subject, figures: ranking.figures(&args.report)? };
    let title = format!("{}, zero-shot by prompts", report.subject.model);
    args.plots.write(&title, &ranking, &report.figures, &embedded.embeddings)?;
    args.report.print(&report, |out| report.write_markdown(out))?;
    Ok(embedded.outcome())
}

/// What the prompts of `bank` make of every film, for the classes that are findings.
fn rank<'a>(model: &Model, bank: &PromptBank, embedded: &Embedded<'a>) -> anyhow::Result<Ranking<'a>> {
    let names = bank.classes().iter().map(|class| Finding::from_name(&class.name));
    let columns: Vec<(usize, Finding)> =
        names.enumerate().filter_map(|(column, finding)| Some((column, finding?))).collect();
    if columns.is_empty() {
        bail!("none of the model's classes is a finding");
    }
    let bundle = model.bundle();
    let (scale, pooling) = (bundle.logit_scale(), bundle.config().prompt_pooling);
    let rows: Vec<_> = embedded.embeddings.iter().map(|image| bank.scores(image, scale, pooling)).collect();
    let scores = columns.iter().map(|(column, _)| rows.iter().map(|row| row[*column].logit).collect());
    let scores = scores.collect();
    Ok(Ranking::new(columns.into_iter().map(|(_, finding)| finding).collect(), scores, &embedded.records))
}

impl Report {
    fn write_markdown(&self, out: &mut impl Write) -> std::io::Result<()> {
        let Subject { model, images, patients, resamples, seed, .. } = &self.subject;
        writeln!(
            out,
            "{model}: {images} images of {patients} patients, zero-shot by prompts; 95 % intervals from"
        )?;
        writeln!(out, "{resamples} resamples of patients (seed {seed}).\n")?;
        self.figures.write_markdown(out)
    }
}
