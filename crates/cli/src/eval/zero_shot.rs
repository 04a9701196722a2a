//! `medclip eval zero-shot`: how well a bundle does on annotated images by prompts alone.

use std::io::Write;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use anyhow::{Context, anyhow, bail};
use clap::Args;
use medclip_core::Finding;
use medclip_eval::{Interval, annotated, auroc, average_precision, bootstrap_macro};
use medclip_runtime::{EngineKind, Model, ModelOptions};
use medclip_train::data::{Record, Selection, Split, read_manifest};
use serde::Serialize;

use crate::models::ModelArg;
use crate::ordered::for_each_ordered;
use crate::output::{locked_stdout, progress, write_json_line};
use crate::score::score_file;
use crate::{Outcome, report_error};

/// The findings the headline macro-AUROC averages over.
const HEADLINE: [Finding; 6] = [
    Finding::NoFinding,
    Finding::Cardiomegaly,
    Finding::LungOpacity,
    Finding::Atelectasis,
    Finding::PleuralEffusion,
    Finding::Edema,
];

/// AUROC and average precision of every finding from prompts alone, with bootstrap intervals by patient
#[derive(Debug, Args)]
pub(crate) struct ZeroShotArgs {
    /// Manifest (CSV): path, split, `patient_group`, view and the 14 findings
    manifest: PathBuf,
    /// Directory that the manifest's paths start from [default: the manifest's]
    #[arg(long, value_name = "DIR")]
    images: Option<PathBuf>,
    #[command(flatten)]
    model: ModelArg,
    /// Only images of this source; may be repeated
    #[arg(long)]
    source: Vec<String>,
    /// Only images of this view; may be repeated; `frontal` is PA, AP and Frontal
    #[arg(long)]
    view: Vec<String>,
    /// Only images of this split
    #[arg(long, value_parser = parse_split)]
    split: Vec<Split>,
    /// Patients drawn this many times for the 95 % intervals
    #[arg(long, default_value_t = 2000)]
    resamples: usize,
    /// Seed of the resampling
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Print one JSON object instead of a Markdown table
    #[arg(long)]
    json: bool,
    /// What runs the model
    #[arg(long, default_value_t)]
    engine: EngineKind,
}

/// What is printed as JSON.
#[derive(Debug, Serialize)]
struct Report {
    model: String,
    bundle: String,
    engine: &'static str,
    images: usize,
    patients: usize,
    failed: usize,
    resamples: usize,
    seed: u64,
    findings: Vec<FindingReport>,
    /// Mean over the six headline findings that are defined.
    macro_auroc: Option<Interval>,
}

#[derive(Debug, Serialize)]
struct FindingReport {
    name: &'static str,
    positives: usize,
    negatives: usize,
    auroc: Option<Interval>,
    average_precision: Option<f64>,
}

pub(crate) fn run(args: ZeroShotArgs) -> anyhow::Result<Outcome> {
    let records = read_manifest(&args.manifest).with_context(|| args.manifest.display().to_string())?;
    let selection =
        Selection { sources: args.source, views: args.view, splits: args.split, ..Selection::default() };
    let indices = selection.indices("command line", &records)?;
    let chosen: Vec<&Record> = indices.into_iter().filter_map(|index| records.get(index)).collect();
    let root = args.images.or_else(|| args.manifest.parent().map(PathBuf::from)).unwrap_or_default();
    let options = ModelOptions { engine: args.engine, threads: NonZeroUsize::MIN };
    let workers = ModelOptions::default().threads.get();
    let model = Model::open_with(args.model.resolve()?, options).context("cannot load the model")?;
    let classes: Vec<Finding> = model.class_names().filter_map(Finding::from_name).collect();
    let columns: Vec<usize> = model
        .class_names()
        .enumerate()
        .filter(|(_, n)| Finding::from_name(n).is_some())
        .map(|(i, _)| i)
        .collect();
    if classes.is_empty() {
        bail!("none of the model's classes is a finding");
    }

    let bar = progress(chosen.len(), "images");
    let (mut kept, mut logits): (Vec<&Record>, Vec<Vec<f32>>) = (Vec::new(), Vec::new());
    let mut failed = 0;
    let mut waiting = chosen.iter();
    let score = |record: &Record| -> anyhow::Result<Vec<f32>> {
        let path = root.join(&record.path);
        let row = score_file(&model, &path).with_context(|| path.display().to_string())?;
        Ok(columns.iter().filter_map(|column| row.get(*column)).map(|score| score.logit).collect())
    };
    for_each_ordered(chosen.iter().copied(), workers, score, |scored| {
        let record = waiting.next().context("a result for no image")?;
        bar.inc(1);
        match scored.unwrap_or_else(|_| Err(anyhow!("a fault in medclip"))) {
            Ok(row) => {
                kept.push(record);
                logits.push(row);
            }
            Err(error) => {
                failed += 1;
                bar.suspend(|| report_error(&format!("{error:#}")));
            }
        }
        anyhow::Ok(())
    })?;
    bar.finish_and_clear();

    let report = evaluate(&model, &classes, &kept, &logits, failed, args.resamples, args.seed)?;
    let mut out = locked_stdout();
    if args.json {
        write_json_line(&mut out, &report)?;
    } else {
        report.write_markdown(&mut out)?;
    }
    Ok(if failed == 0 { Outcome::Complete } else { Outcome::SomeFailed })
}

fn evaluate(
    model: &Model,
    classes: &[Finding],
    records: &[&Record],
    logits: &[Vec<f32>],
    failed: usize,
    resamples: usize,
    seed: u64,
) -> anyhow::Result<Report> {
    let patients: Vec<&str> = records.iter().map(|record| record.patient_group.as_str()).collect();
    let scores: Vec<Vec<f32>> =
        (0..classes.len()).map(|class| logits.iter().map(|row| row[class]).collect()).collect();
    let labels: Vec<Vec<Option<bool>>> = classes
        .iter()
        .map(|finding| records.iter().map(|r| r.annotations[finding.index()].known()).collect())
        .collect();
    let statistic = |class: usize, rows: &[usize]| {
        let (scores, labels) = annotated(&scores[class], &labels[class], rows);
        auroc(&scores, &labels)
    };
    let each = bootstrap_macro(&patients, classes.len(), statistic, resamples, 0.95, seed)?.each;
    let headline: Vec<usize> = HEADLINE.iter().filter_map(|f| classes.iter().position(|c| c == f)).collect();
    let of_headline = |class: usize, rows: &[usize]| statistic(headline[class], rows);
    let mean = bootstrap_macro(&patients, headline.len(), of_headline, resamples, 0.95, seed)?.mean;

    let all: Vec<usize> = (0..records.len()).collect();
    let findings = classes
        .iter()
        .enumerate()
        .map(|(class, finding)| {
            let (known, present) = annotated(&scores[class], &labels[class], &all);
            let positives = present.iter().filter(|present| **present).count();
            FindingReport {
                name: finding.name(),
                positives,
                negatives: present.len() - positives,
                auroc: each[class],
                average_precision: average_precision(&known, &present),
            }
        })
        .collect();
    let mut distinct = patients.clone();
    distinct.sort_unstable();
    distinct.dedup();
    Ok(Report {
        model: model.name().to_owned(),
        bundle: model.bundle().id().to_owned(),
        engine: model.engine_name(),
        images: records.len(),
        patients: distinct.len(),
        failed,
        resamples,
        seed,
        findings,
        macro_auroc: mean,
    })
}

impl Report {
    fn write_markdown(&self, out: &mut impl Write) -> std::io::Result<()> {
        let Self { model, images, patients, resamples, seed, .. } = self;
        writeln!(
            out,
            "{model}: {images} images of {patients} patients, zero-shot by prompts; 95 % intervals from"
        )?;
        writeln!(out, "{resamples} resamples of patients (seed {seed}).\n")?;
        writeln!(out, "| finding | positives | negatives | AUROC (95 % CI) | average precision |")?;
        writeln!(out, "|---|--:|--:|--:|--:|")?;
        for finding in &self.findings {
            let FindingReport { name, positives, negatives, auroc, average_precision } = finding;
            let precision = average_precision.map_or_else(|| "–".to_owned(), |value| format!("{value:.3}"));
            writeln!(out, "| {name} | {positives} | {negatives} | {} | {precision} |", text(auroc.as_ref()))?;
        }
        let names: Vec<&str> = HEADLINE.iter().map(|finding| finding.name()).collect();
        writeln!(out, "| **mean of {}** | | | **{}** | |", names.join(", "), text(self.macro_auroc.as_ref()))
    }
}

fn text(interval: Option<&Interval>) -> String {
    interval.map_or_else(
        || "–".to_owned(),
        |Interval { estimate, low, high, .. }| format!("{estimate:.3} ({low:.3}–{high:.3})"),
    )
}

fn parse_split(text: &str) -> Result<Split, String> {
    match text {
        "train" => Ok(Split::Train),
        "val" => Ok(Split::Val),
        "test" => Ok(Split::Test),
        other => Err(format!("`{other}` is none of train, val, test")),
    }
}
