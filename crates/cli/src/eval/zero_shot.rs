//! `medclip eval zero-shot`: how well a bundle does on annotated images by prompts alone.

mod args;
mod balanced;
mod draws;

use std::io::{self, Write};

use anyhow::{Context, bail};
use clap::Args;
use medclip_core::PromptPooling;
use medclip_data::Split;
use medclip_protocols::{
    DrawNote, PromptNote, Ranked, Subject, ZeroShot, ZeroShotError, ZeroShotOptions, zero_shot,
};

use super::args::{FilmArgs, PlotArgs, ReportArgs, outcome, parse_split};
use super::bar::Bar;
use super::figures;
use crate::Outcome;
use args::{BalancedArgs, PromptArgs};

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

pub(crate) fn run(args: ZeroShotArgs) -> anyhow::Result<Outcome> {
    let ZeroShotArgs { films, split, prompts, balanced, plots, report } = args;
    if prompts.are_drawn() && plots.are_wanted() {
        bail!("--plots shows one ensemble of prompts; leave out --draws");
    }
    plots.prepare()?;
    let options = ZeroShotOptions {
        splits: split,
        prompts: prompts.options(),
        balanced: balanced.options(),
        charts: plots.are_wanted(),
        resampling: report.resampling(),
    };
    let found = zero_shot(&films.open()?, &options, &mut Bar::new());
    let found = match found {
        Err(error @ ZeroShotError::Balance(_)) => Err(error).context("--balanced"),
        other => Ok(other?),
    }?;
    plots.write(&found.charts)?;
    report.print(&found, |out| write_markdown(&found, out))?;
    Ok(outcome(found.subject.failed))
}

fn write_markdown(found: &ZeroShot, out: &mut impl Write) -> io::Result<()> {
    let Subject { model, images, patients, resamples, seed, .. } = &found.subject;
    writeln!(
        out,
        "{model}: {images} images of {patients} patients, zero-shot by prompts; 95 % intervals from"
    )?;
    writeln!(out, "{resamples} resamples of patients (seed {seed}).\n")?;
    if let Some(note) = &found.prompts {
        write_note(note, out)?;
    }
    match &found.ranked {
        Ranked::Once(once) => figures::write(once, out)?,
        Ranked::Drawn(drawn) => draws::write(drawn, out)?,
    }
    found.balanced.as_ref().map_or(Ok(()), |balanced| balanced::write(balanced, out))
}

/// What was evaluated in place of the bundle's own prompts.
fn write_note(note: &PromptNote, out: &mut impl Write) -> io::Result<()> {
    let origin = note.file.as_ref().map_or_else(|| "the bundle".to_owned(), |f| f.display().to_string());
    let pooling = match note.pooling {
        PromptPooling::Mean => "mean",
        PromptPooling::Max => "max",
    };
    let Some(DrawNote { per_class, seeds, unvaried }) = &note.draws else {
        return writeln!(out, "Prompts of {origin}, pooled by {pooling}.\n");
    };
    let list: Vec<String> = seeds.iter().map(u64::to_string).collect();
    writeln!(
        out,
        "Prompts of {origin}, pooled by {pooling}: {} draws of {per_class} sentences a class side (seeds {}).",
        seeds.len(),
        list.join(", ")
    )?;
    if !unvaried.is_empty() {
        writeln!(out, "With no more than {per_class}, the same in every draw: {}.", unvaried.join(", "))?;
    }
    writeln!(out)
}
