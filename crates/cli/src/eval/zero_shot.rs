//! `medclip eval zero-shot`: how well a bundle does on annotated images by prompts alone.

mod balanced;
mod draws;
mod prompts;

use std::io::Write;

use anyhow::bail;
use clap::Args;
use medclip_data::Split;
use serde::Serialize;

use super::films::{Embedded, FilmArgs, Films, ReportArgs, Subject, parse_split};
use super::logits::{findings, logits};
use super::plots::PlotArgs;
use super::ranking::{Figures, Ranking};
use crate::Outcome;
use balanced::{BalancedAccuracy, BalancedArgs};
use draws::DrawnFigures;
use prompts::{Note, PromptArgs, Prompts};

/// AUROC and average precision of every finding from prompts alone, with bootstrap intervals by patient
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ZeroShotArgs {
    #[command(flatten)]
    films: FilmArgs,
    /// Only images of this split; may be repeated
    #[arg(long, value_parser = parse_split)]
    split: Vec<Split>,
    #[command(flatten)]
    prompts: PromptArgs,
    #[command(flatten)]
    balanced: BalancedArgs,
    #[command(flatten)]
    plots: PlotArgs,
    #[command(flatten)]
    report: ReportArgs,
}

const EXAMPLES: &str = "\
Examples:
  medclip eval zero-shot films/manifest.csv --split val --view frontal
  medclip eval zero-shot films/manifest.csv --prompts models/prompts/chest-xray-templates.toml --draws 5 --per-class 10
  medclip eval zero-shot films/manifest.csv --balanced 200";

/// What is printed as JSON.
#[derive(Debug, Serialize)]
struct Report {
    #[serde(flatten)]
    subject: Subject,
    /// None where the bundle's own prompts are evaluated as they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    prompts: Option<Note>,
    #[serde(flatten)]
    ranked: Ranked,
    /// None where no choice was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    balanced: Option<BalancedAccuracy>,
}

/// Figures of one ensemble of prompts, or of several draws.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Ranked {
    Once(Figures),
    Drawn(DrawnFigures),
}

pub(crate) fn run(args: ZeroShotArgs) -> anyhow::Result<Outcome> {
    if args.prompts.are_drawn() && args.plots.are_wanted() {
        bail!("--plots shows one ensemble of prompts; leave out --draws");
    }
    args.plots.prepare()?;
    let wanted = args.balanced.wanted()?;
    let set = args.prompts.read()?;
    let films = args.films.open()?;
    let chosen = films.chosen("command line", &args.split)?;
    let prompts = args.prompts.embed(set, &films, args.report.seed)?;
    // Known before minutes of embedding.
    if let (Some((_, classes)), Some(bank)) = (&wanted, prompts.banks.first()) {
        balanced::columns(bank, classes)?;
    }
    let embedded = films.embed(&chosen)?;
    let subject = embedded.subject(&films.model, &args.report);
    let ranked = if args.prompts.are_drawn() {
        Ranked::Drawn(DrawnFigures::of(&prompts, &films, &embedded, &args.report)?)
    } else {
        let ranking = rank(&films, &prompts, &embedded);
        let figures = ranking.figures(&args.report)?;
        let title = format!("{}, zero-shot by prompts", subject.model);
        args.plots.write(&title, &ranking, &figures, &embedded.embeddings)?;
        Ranked::Once(figures)
    };
    let balance = |(count, classes): &(usize, Vec<_>)| {
        BalancedAccuracy::of((*count, classes), &prompts, &films, &embedded, &args.report)
    };
    let balanced = wanted.as_ref().map(balance).transpose()?;
    let report = Report { subject, prompts: prompts.note, ranked, balanced };
    args.report.print(&report, |out| report.write_markdown(out))?;
    Ok(embedded.outcome())
}

/// What the first bank's prompts make of every film, for the classes that are findings.
fn rank<'a>(films: &Films, prompts: &Prompts, embedded: &Embedded<'a>) -> Ranking<'a> {
    let scale = films.model.bundle().logit_scale();
    let bank = prompts.banks.first();
    let scores = bank.map(|bank| logits(bank, scale, prompts.pooling, &embedded.embeddings));
    Ranking::new(bank.map(findings).unwrap_or_default(), scores.unwrap_or_default(), &embedded.records)
}

impl Report {
    fn write_markdown(&self, out: &mut impl Write) -> std::io::Result<()> {
        let Subject { model, images, patients, resamples, seed, .. } = &self.subject;
        writeln!(
            out,
            "{model}: {images} images of {patients} patients, zero-shot by prompts; 95 % intervals from"
        )?;
        writeln!(out, "{resamples} resamples of patients (seed {seed}).\n")?;
        if let Some(note) = &self.prompts {
            note.write_markdown(out)?;
        }
        match &self.ranked {
            Ranked::Once(figures) => figures.write_markdown(out)?,
            Ranked::Drawn(figures) => figures.write_markdown(out)?,
        }
        self.balanced.as_ref().map_or(Ok(()), |balanced| balanced.write_markdown(out))
    }
}
