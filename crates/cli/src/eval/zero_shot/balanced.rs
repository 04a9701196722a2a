//! One finding among several: accuracy on equally many films of each, as on the paper's CheXpert-5x200.

use std::io::{self, Write};
use std::num::NonZeroUsize;

use anyhow::{Context, bail};
use clap::Args;
use medclip_core::{Finding, PromptBank};
use medclip_stats::{ConfusionMatrix, Setting, argmax, bootstrap_settings, grouped_order};
use serde::Serialize;

use super::prompts::Prompts;
use crate::eval::cells::{self, parse_finding};
use crate::eval::exclusive::{self, only_class};
use crate::eval::films::{Embedded, Films, ReportArgs};
use crate::eval::members::Figure;

/// A choice among findings on a balanced set.
#[derive(Debug, Args)]
pub(super) struct BalancedArgs {
    /// Accuracy of choosing one of several findings, too, on this many films of each, drawn with the seed
    ///
    /// A film counts as a finding's where that one is annotated present and every other one of the classes absent. Where
    /// one of them has fewer films, all have as many as it has. The choice is the class with the largest logit of its
    /// positive prompts, the first named of equals.
    #[arg(long, value_name = "N")]
    balanced: Option<NonZeroUsize>,
    /// A class of `--balanced`; may be repeated [default: the five of CheXpert-5x200]
    #[arg(long, value_name = "FINDING", value_parser = parse_finding, requires = "balanced")]
    class: Vec<Finding>,
}

/// How often the right one of several findings was chosen.
#[derive(Debug, Serialize)]
pub(super) struct BalancedAccuracy {
    asked_per_class: usize,
    per_class: usize,
    /// Accuracy of choices at random.
    chance: f64,
    accuracy: Option<Figure>,
    classes: Vec<ClassRecall>,
    /// `[actual][chosen]`, in the order of `classes`; summed over draws of prompts.
    confusion: ConfusionMatrix,
    draws: usize,
}

#[derive(Debug, Serialize)]
struct ClassRecall {
    name: &'static str,
    /// Films with this finding alone.
    available: usize,
    recall: Option<Figure>,
}

impl BalancedArgs {
    /// What is to be balanced: films of each class, and the classes.
    pub(super) fn wanted(&self) -> anyhow::Result<Option<(usize, Vec<Finding>)>> {
        let Some(count) = self.balanced else { return Ok(None) };
        Ok(Some((count.get(), exclusive::classes("--balanced", &self.class)?)))
    }
}

impl BalancedAccuracy {
    /// Chooses one of `classes` for films drawn from those that show one of them alone.
    pub(super) fn of(
        (asked_per_class, classes): (usize, &[Finding]),
        prompts: &Prompts,
        films: &Films,
        embedded: &Embedded<'_>,
        args: &ReportArgs,
    ) -> anyhow::Result<Self> {
        let available: Vec<Vec<usize>> =
            classes.iter().map(|finding| alone(*finding, classes, embedded)).collect();
        let fewest = classes.iter().zip(&available).min_by_key(|(_, films)| films.len());
        let (rarest, fewest) = fewest.context("no class to choose from")?;
        if fewest.is_empty() {
            bail!("--balanced: no image has {} and none of the other classes", rarest.name());
        }
        let per_class = asked_per_class.min(fewest.len());
        let drawn = available.iter().map(|films| draw(films, per_class, embedded, args.seed));
        let (rows, actual): (Vec<usize>, Vec<usize>) =
            drawn.enumerate().flat_map(|(class, rows)| rows.into_iter().map(move |row| (row, class))).unzip();

        let chosen = prompts.banks.iter().map(|bank| choose(bank, classes, &rows, prompts, films, embedded));
        let chosen: Vec<Vec<usize>> = chosen.collect::<anyhow::Result<_>>()?;
        let matrix = |draw: usize, counts: &[u32]| {
            ConfusionMatrix::count(classes.len(), &actual, &chosen[draw], counts)
        };
        let patients: Vec<&str> =
            rows.iter().map(|row| embedded.records[*row].patient_group.as_str()).collect();
        // Recall of each class, then accuracy.
        let statistics = |_: usize, draw: usize, counts: &[u32]| {
            let matrix = matrix(draw, counts);
            let recall = (0..classes.len()).map(|class| matrix.recall(class));
            recall.chain([matrix.accuracy()]).collect()
        };
        let ReportArgs { resamples, seed, .. } = *args;
        let found = bootstrap_settings(&patients, &[chosen.len()], &[], statistics, resamples, 0.95, seed)?;
        let figure = |column: usize| figure(&found, column);
        let of_class = |(class, finding): (usize, &Finding)| ClassRecall {
            name: finding.name(),
            available: available[class].len(),
            recall: figure(class),
        };
        Ok(Self {
            asked_per_class,
            per_class,
            chance: 1.0 / classes.len() as f64,
            accuracy: figure(classes.len()),
            classes: classes.iter().enumerate().map(of_class).collect(),
            confusion: (0..chosen.len()).map(|draw| matrix(draw, &[])).sum(),
            draws: chosen.len(),
        })
    }
}

fn figure(settings: &[Setting], column: usize) -> Option<Figure> {
    settings.first()?.each.get(column)?.clone().map(Figure::from)
}

/// Films that show `finding` and no other of `classes`.
fn alone(finding: Finding, classes: &[Finding], embedded: &Embedded<'_>) -> Vec<usize> {
    let records = embedded.records.iter().enumerate();
    records.filter(|(_, record)| only_class(record, classes) == Some(finding)).map(|(row, _)| row).collect()
}

/// `count` of the films, whatever their order in the manifest.
fn draw(films: &[usize], count: usize, embedded: &Embedded<'_>, seed: u64) -> Vec<usize> {
    let named: Vec<_> = films.iter().map(|row| (&embedded.records[*row].path, *row)).collect();
    let mut rows: Vec<usize> =
        grouped_order(&named, seed).into_iter().take(count).map(|(_, row)| row).collect();
    rows.sort_unstable();
    rows
}

/// Where the classes are in `bank`.
pub(super) fn columns(bank: &PromptBank, classes: &[Finding]) -> anyhow::Result<Vec<usize>> {
    let place = |finding: &Finding| bank.classes().iter().position(|class| class.name == finding.name());
    let place = |finding: &Finding| {
        place(finding).with_context(|| format!("--balanced: no prompts of {}", finding.name()))
    };
    classes.iter().map(place).collect()
}

/// The class that the positive prompts of `bank` choose for each film.
fn choose(
    bank: &PromptBank,
    classes: &[Finding],
    rows: &[usize],
    prompts: &Prompts,
    films: &Films,
    embedded: &Embedded<'_>,
) -> anyhow::Result<Vec<usize>> {
    let columns = columns(bank, classes)?;
    let scale = films.model.bundle().logit_scale();
    let choice = |row: &usize| {
        let logits = bank.positive_logits(&embedded.embeddings[*row], scale, prompts.pooling);
        let of_classes: Vec<f32> = columns.iter().map(|column| logits[*column]).collect();
        argmax(&of_classes).context("--balanced: a logit is not a number")
    };
    rows.iter().map(choice).collect()
}

impl BalancedAccuracy {
    pub(super) fn write_markdown(&self, out: &mut impl Write) -> io::Result<()> {
        let Self { asked_per_class, per_class, chance, accuracy, classes, confusion, draws } = self;
        let names: Vec<&str> = classes.iter().map(|class| class.name).collect();
        writeln!(
            out,
            "\nOne of {}: {per_class} films of each that show it alone; chance {chance:.3}.",
            names.join(", ")
        )?;
        if per_class < asked_per_class {
            let available: Vec<String> =
                classes.iter().map(|class| format!("{} {}", class.name, class.available)).collect();
            writeln!(out, "{asked_per_class} were asked for; there are: {}.", available.join(", "))?;
        }
        let cell = |figure: Option<&Figure>| cells::averaged(figure.map(|figure| &figure.averaged));
        let over = if *draws > 1 { ", mean ± standard deviation over draws" } else { "" };
        writeln!(out, "Accuracy (95 % CI{over}): **{}**.\n", cell(accuracy.as_ref()))?;
        let counts = if *draws > 1 { "films, mean over draws: " } else { "" };
        writeln!(out, "| {counts}actual \\ chosen | {} | recall (95 % CI) |", names.join(" | "))?;
        writeln!(out, "|---|{}--:|", "--:|".repeat(names.len()))?;
        for (class, row) in classes.iter().zip(confusion.rows()) {
            let films = row.iter().map(|count| match draws {
                1 => count.to_string(),
                _ => format!("{:.1}", *count as f64 / *draws as f64),
            });
            let films: Vec<String> = films.collect();
            writeln!(out, "| {} | {} | {} |", class.name, films.join(" | "), cell(class.recall.as_ref()))?;
        }
        let each = classes.iter().map(|class| (class.name, class.recall.as_ref()));
        let figures = each.chain([("the accuracy", accuracy.as_ref())]);
        let intervals = figures.map(|(name, figure)| (name, figure.map(|figure| &figure.averaged.interval)));
        cells::no_interval_note(intervals).map_or(Ok(()), |note| writeln!(out, "\n{note}"))
    }
}
