//! `medclip eval qc`: the intake checks of a bundle, fitted and measured on spoilt films.

mod suite;

use std::collections::BTreeSet;
use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Args;
use medclip_core::Embeddings;
use medclip_core::bundle::Bundle;
use medclip_data::{Record, Split};
use medclip_qc::suite::{Films, Fit, fit};
use medclip_qc::{Code, LearnedChecks};
use medclip_runtime::Model;
use serde::Serialize;

use self::suite::{Checked, Group, Suite};
use super::films::{FilmArgs, parse_split};
use crate::Outcome;
use crate::output::{locked_stdout, write_json_line};

/// How many clean films the intake checks stop, and how many spoilt ones
///
/// Films are spoilt in every way the suite knows: inverted, turned, cropped, and replaced by blanks, noise, drawings and
/// axial slices; lateral films of the manifest join them. `--keep` fits the learned checks of the bundle on the films of
/// `--fit-split` first and leaves them in it; without it those that the bundle holds are measured.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(crate) struct QcArgs {
    #[command(flatten)]
    films: FilmArgs,
    /// Fit the learned checks and keep them in the bundle, in place of earlier ones
    #[arg(long)]
    keep: bool,
    /// Fit on images of this split; may be repeated
    #[arg(long, value_parser = parse_split, default_value = "train")]
    fit_split: Vec<Split>,
    /// Measure on images of this split; may be repeated
    #[arg(long, value_parser = parse_split, default_value = "val")]
    split: Vec<Split>,
    /// Pictures that are no chest films, to measure on: files, or directories to search
    #[arg(long, value_name = "PATH")]
    pictures: Vec<PathBuf>,
    /// Films to spoil in every way, at most, of each split: four windows are cropped of each, and no more than 1,000 give their
    /// place to a picture of each kind
    #[arg(long, default_value_t = 4000)]
    spoil: usize,
    /// Share of clean films that each learned check may stop; three times as many for parts of films and pictures that are none
    #[arg(long, default_value_t = Fit::default().false_alarms)]
    false_alarms: f64,
    /// Inverse strength of the regularisation of the learned checks
    #[arg(long, default_value_t = Fit::default().c)]
    c: f64,
    /// Seed of everything drawn
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Print one JSON object instead of a Markdown table
    #[arg(long)]
    json: bool,
}

const EXAMPLE: &str = "\
Example:
  medclip eval qc films/manifest.csv --model models/medclip-edge --keep --pictures photographs/";

/// What is printed as JSON.
#[derive(Debug, Serialize)]
struct Report {
    model: String,
    bundle: String,
    engine: &'static str,
    /// Films that could not be read.
    failed: usize,
    clean: Clean,
    groups: Vec<Row>,
}

#[derive(Debug, Serialize)]
struct Clean {
    images: usize,
    patients: usize,
    /// Films with any code.
    stopped: usize,
    by_code: Vec<Alarm>,
}

#[derive(Debug, Serialize)]
struct Alarm {
    code: &'static str,
    stopped: usize,
}

/// One way to spoil films.
#[derive(Debug, Serialize)]
struct Row {
    name: String,
    code: &'static str,
    images: usize,
    /// Images with any code.
    found: usize,
    /// Images with the code that says what is wrong.
    named: usize,
}

pub(crate) fn run(args: QcArgs) -> anyhow::Result<Outcome> {
    let films = args.films.open()?;
    let frontal = ["frontal".to_owned()];
    let lateral = ["lateral".to_owned()];
    let evaluation = films.manifest.chosen_of("evaluation", &args.split, &frontal)?;
    let fitted = films.manifest.chosen_of("fit", &args.fit_split, &frontal)?;
    films.manifest.check_apart(&fitted, &evaluation)?;
    let sides = |splits| films.manifest.chosen_of("lateral", splits, &lateral).unwrap_or_default();
    let suite = Suite { films: &films, spoil: args.spoil, seed: args.seed };

    let mut failed = 0;
    let checks = if args.keep {
        let (clean, groups) = suite.check(&fitted, &sides(&args.fit_split), &[])?;
        failed += clean.failed + groups.iter().map(|group| group.checked.failed).sum::<usize>();
        fit_checks(
            &films.model,
            &clean,
            &groups,
            Fit { c: args.c, false_alarms: args.false_alarms, seed: args.seed },
        )?
    } else {
        match films.model.bundle().intake() {
            Some(head) => LearnedChecks::new(head.clone())?,
            None => bail!(
                "{} holds no learned checks: --keep fits them",
                films.model.bundle().directory().display()
            ),
        }
    };
    let (clean, groups) = suite.check(&evaluation, &sides(&args.split), &args.pictures)?;
    failed += clean.failed + groups.iter().map(|group| group.checked.failed).sum::<usize>();
    let report = Report {
        model: films.model.name().to_owned(),
        bundle: films.model.bundle().id().to_owned(),
        engine: films.model.engine().name(),
        failed,
        clean: clean_figures(&checks, &clean),
        groups: groups.iter().map(|group| row(&checks, group)).collect(),
    };
    if args.keep {
        let bytes = checks.head().to_bytes()?;
        let mut bundle = Bundle::open(films.model.bundle().directory())?;
        bundle.keep_intake(&bytes).context("cannot keep the checks")?;
    }
    let mut out = locked_stdout();
    if args.json {
        write_json_line(&mut out, &report)?;
    } else {
        report.write_markdown(&mut out)?;
    }
    Ok(if failed == 0 { Outcome::Complete } else { Outcome::SomeFailed })
}

/// Learned checks of every code that embeddings can tell.
fn fit_checks(
    model: &Model,
    clean: &Checked<'_>,
    groups: &[Group<'_>],
    how: Fit,
) -> anyhow::Result<LearnedChecks> {
    let dim = model.bundle().config().architecture.embedding_dim;
    // Blanks have nothing to embed; grey values tell them.
    let codes: BTreeSet<Code> =
        groups.iter().map(|group| group.code).filter(|code| *code != Code::Blank).collect();
    let spoilt = codes
        .into_iter()
        .map(|code| {
            let of_code: Vec<&Checked<'_>> =
                groups.iter().filter(|group| group.code == code).map(|group| &group.checked).collect();
            anyhow::Ok((code, films(&of_code, dim)?))
        })
        .collect::<anyhow::Result<Vec<_>>>()?;
    Ok(fit(model.bundle().id(), &films(&[clean], dim)?, &spoilt, how)?)
}

/// Rows of all groups, one after another.
fn films<'a>(groups: &[&Checked<'a>], dim: usize) -> anyhow::Result<Films<'a>> {
    let values = groups.iter().flat_map(|group| group.embeddings.iter().flatten().copied());
    let records = groups.iter().flat_map(|group| group.records.iter().copied());
    let patients = records.map(|record| record.patient_group.as_str()).collect();
    Ok(Films { embeddings: Embeddings::new(values.collect(), dim)?, patients })
}

/// Codes of each image: what its pixels say, then what its embedding says.
fn codes<'a>(checks: &'a LearnedChecks, checked: &'a Checked<'_>) -> impl Iterator<Item = Vec<Code>> + 'a {
    checked.pixel_codes.iter().zip(&checked.embeddings).map(|(pixels, embedding)| {
        let mut codes = pixels.clone();
        codes.extend(checks.check(embedding));
        codes
    })
}

fn clean_figures(checks: &LearnedChecks, clean: &Checked<'_>) -> Clean {
    let found: Vec<Vec<Code>> = codes(checks, clean).collect();
    let alarms = Code::ALL.into_iter().map(|code| {
        let stopped = found.iter().filter(|codes| codes.contains(&code)).count();
        Alarm { code: code.name(), stopped }
    });
    let patients: BTreeSet<&str> =
        clean.records.iter().map(|record: &&Record| record.patient_group.as_str()).collect();
    Clean {
        images: found.len(),
        patients: patients.len(),
        stopped: found.iter().filter(|codes| !codes.is_empty()).count(),
        by_code: alarms.filter(|alarm| alarm.stopped > 0).collect(),
    }
}

fn row(checks: &LearnedChecks, group: &Group<'_>) -> Row {
    let found: Vec<Vec<Code>> = codes(checks, &group.checked).collect();
    Row {
        name: group.name.clone(),
        code: group.code.name(),
        images: found.len(),
        found: found.iter().filter(|codes| !codes.is_empty()).count(),
        named: found.iter().filter(|codes| codes.contains(&group.code)).count(),
    }
}

impl Report {
    fn write_markdown(&self, out: &mut impl Write) -> std::io::Result<()> {
        let Clean { images, patients, stopped, by_code } = &self.clean;
        let share = |part: usize, of: usize| part as f64 / of.max(1) as f64;
        writeln!(
            out,
            "{}: of {images} clean frontal films of {patients} patients {stopped} are stopped ({:.2} %).",
            self.model,
            100.0 * share(*stopped, *images)
        )?;
        if !by_code.is_empty() {
            let alarms: Vec<_> =
                by_code.iter().map(|alarm| format!("{} {}", alarm.code, alarm.stopped)).collect();
            writeln!(out, "By code: {}.", alarms.join(", "))?;
        }
        writeln!(out, "\n| films | code | images | found | named |\n|---|---|--:|--:|--:|")?;
        for Row { name, code, images, found, named } in &self.groups {
            let [found, named] = [found, named].map(|part| share(*part, *images));
            writeln!(out, "| {name} | `{code}` | {images} | {found:.3} | {named:.3} |")?;
        }
        writeln!(out, "\nFound: any code; named: the code of the row among them.")
    }
}
