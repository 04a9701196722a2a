//! `medclip eval compare`: bundles side by side on the same films.

mod table;

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::path::Path;

use anyhow::{Context, bail};
use clap::Args;
use medclip_core::Finding;
use medclip_data::{Record, Split};
use medclip_runtime::Model;
use medclip_stats::{Interval, Ranks, Setting};
use serde::Serialize;

use super::cells::LeftOut;
use super::films::{Manifest, ManifestArgs, ReportArgs, parse_split};
use super::labelled::Labelled;
use super::logits::{findings, logits};
use super::members::{Figure, Members};
use crate::Outcome;
use crate::engine::EngineArgs;

/// Zero-shot AUROC of several bundles, with paired differences from those of the first label
///
/// Bundles of one label are members of one setting, such as seeds of one training recipe: a figure is the mean over them,
/// with the 95 % interval of that mean by patient. All labels are resampled on the same patients, and a difference is
/// taken resample by resample. The intervals say what other patients would give, not what other seeds would: for those
/// see the standard deviation. Many differences looked at together need a stricter level than each alone.
///
/// Each bundle's own prompt bank and pooling are used, so no text tower is loaded. Findings that not every bundle has prompts of
/// are left out.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(crate) struct CompareArgs {
    #[command(flatten)]
    manifest: ManifestArgs,
    /// Bundles, each with its label
    #[arg(required = true, value_name = "[LABEL=]BUNDLE")]
    bundles: Vec<Labelled>,
    /// Only images of this split; may be repeated
    #[arg(long, value_parser = parse_split)]
    split: Vec<Split>,
    #[command(flatten)]
    engine: EngineArgs,
    #[command(flatten)]
    report: ReportArgs,
}

const EXAMPLE: &str = "\
Example:
  medclip eval compare films/manifest.csv --split val InfoNCE=a-0 InfoNCE=a-1 matching=b-0 matching=b-1";

/// What is printed as JSON.
#[derive(Debug, Serialize)]
struct Comparison {
    engine: &'static str,
    images: usize,
    patients: usize,
    failed: usize,
    resamples: usize,
    seed: u64,
    /// The headline findings that are defined here: those the means are over.
    headline: Vec<&'static str>,
    /// The headline findings that are not.
    left_out_of_mean: Vec<LeftOut>,
    /// Findings that some bundle has no prompts of.
    left_out: Vec<&'static str>,
    findings: Vec<Counted>,
    labels: Vec<LabelFigures>,
}

#[derive(Debug, Serialize)]
struct Counted {
    name: &'static str,
    positives: usize,
    negatives: usize,
}

#[derive(Debug, Serialize)]
struct LabelFigures {
    label: String,
    bundles: Vec<Member>,
    macro_auroc: Option<Figure>,
    /// None for the first label.
    difference: Option<Difference>,
    findings: Vec<LabelFinding>,
}

#[derive(Debug, Serialize)]
struct Member {
    model: String,
    bundle: String,
}

#[derive(Debug, Serialize)]
struct LabelFinding {
    name: &'static str,
    auroc: Option<Figure>,
    difference: Option<Difference>,
}

/// From the first label, paired.
#[derive(Debug, Serialize)]
struct Difference {
    #[serde(flatten)]
    interval: Interval,
    /// None without an interval.
    excludes_zero: Option<bool>,
}

/// Bundles of one label.
struct Column {
    label: String,
    bundles: Vec<Scored>,
}

/// What one bundle makes of the films.
struct Scored {
    member: Member,
    findings: Vec<Finding>,
    /// `[findings][films]`.
    logits: Vec<Vec<f32>>,
}

pub(crate) fn run(args: CompareArgs) -> anyhow::Result<Outcome> {
    let manifest = args.manifest.open()?;
    let mut chosen = manifest.chosen("command line", &args.split)?;
    // One engine for all.
    let first = args.bundles.first().map_or(Path::new(""), |bundle| &bundle.path);
    let options = args.engine.options(first, NonZeroUsize::MIN)?;
    let workers = args.engine.threads().get();
    let asked = chosen.len();
    let mut columns: Vec<Column> = Vec::new();
    let mut engine = "";
    for (position, Labelled { label, path }) in args.bundles.iter().enumerate() {
        let scored = || -> anyhow::Result<(&'static str, Vec<&Record>, Scored)> {
            let model = Model::open_with(path, options.clone()).context("cannot load the model")?;
            let (records, scored) = score(&manifest, &model, &chosen, workers)?;
            Ok((model.engine().name(), records, scored))
        };
        let (name, read, scored) = scored().with_context(|| path.display().to_string())?;
        // A film that cannot be read fails with the first bundle; one that fails later leaves nothing to pair.
        if position > 0 && read.len() < chosen.len() {
            bail!("{}: images that other bundles embedded fail with it", path.display());
        }
        (engine, chosen) = (name, read);
        match columns.iter_mut().find(|column| column.label == *label) {
            Some(column) => {
                if column.bundles.iter().any(|other| other.member.bundle == scored.member.bundle) {
                    bail!("{}: a copy of another bundle of label {label}", path.display());
                }
                column.bundles.push(scored);
            }
            None => columns.push(Column { label: label.clone(), bundles: vec![scored] }),
        }
    }
    let failed = asked - chosen.len();
    let comparison = compare(columns, &chosen, failed, engine, &args.report)?;
    args.report.print(&comparison, |out| comparison.write_markdown(out))?;
    Ok(if failed == 0 { Outcome::Complete } else { Outcome::SomeFailed })
}

/// Logits of the films that could be read, by the prompt bank of `model`.
fn score<'a>(
    manifest: &Manifest,
    model: &Model,
    chosen: &[&'a Record],
    workers: usize,
) -> anyhow::Result<(Vec<&'a Record>, Scored)> {
    let bundle = model.bundle();
    let found = findings(bundle.bank());
    if found.is_empty() {
        bail!("none of the model's classes is a finding");
    }
    let embedded = manifest.embed(model, chosen, workers)?;
    let pooling = bundle.config().prompt_pooling;
    let logits = logits(bundle.bank(), bundle.logit_scale(), pooling, &embedded.embeddings);
    let member = Member { model: model.name().to_owned(), bundle: bundle.id().to_owned() };
    Ok((embedded.records, Scored { member, findings: found, logits }))
}

fn compare(
    columns: Vec<Column>,
    records: &[&Record],
    failed: usize,
    engine: &'static str,
    args: &ReportArgs,
) -> anyhow::Result<Comparison> {
    let all: Vec<&Scored> = columns.iter().flat_map(|column| &column.bundles).collect();
    let in_all = |finding: &Finding| all.iter().all(|scored| scored.findings.contains(finding));
    let in_any = |finding: &Finding| all.iter().any(|scored| scored.findings.contains(finding));
    let (shared, left_out): (Vec<Finding>, Vec<Finding>) =
        Finding::ALL.into_iter().filter(in_any).partition(in_all);
    if shared.is_empty() {
        bail!("the bundles have no finding in common");
    }
    let of_shared = |scored: &Scored| -> Vec<Vec<f32>> {
        let place = |finding: &Finding| scored.findings.iter().position(|other| other == finding);
        shared.iter().filter_map(|finding| scored.logits.get(place(finding)?).cloned()).collect()
    };
    let scores: Vec<Vec<Vec<Vec<f32>>>> =
        columns.iter().map(|column| column.bundles.iter().map(of_shared).collect()).collect();
    let members = Members::new(shared, &scores, records);
    let settings = members.intervals(args, Ranks::auroc)?;
    let counted = members.findings().iter().enumerate().map(|(column, finding)| {
        let (positives, negatives) = members.class_counts(column);
        Counted { name: finding.name(), positives, negatives }
    });
    let patients: BTreeSet<&str> = records.iter().map(|record| record.patient_group.as_str()).collect();
    let headline = members.headline(&settings);
    Ok(Comparison {
        engine,
        images: records.len(),
        patients: patients.len(),
        failed,
        resamples: args.resamples,
        seed: args.seed,
        left_out_of_mean: members.left_out(&headline),
        headline,
        left_out: left_out.iter().map(|finding| finding.name()).collect(),
        findings: counted.collect(),
        labels: columns
            .into_iter()
            .zip(&settings)
            .map(|(column, setting)| LabelFigures::of(column, setting, members.findings()))
            .collect(),
    })
}

impl LabelFigures {
    fn of(column: Column, setting: &Setting, findings: &[Finding]) -> Self {
        let Setting { each, mean, difference } = setting;
        let differences = difference.as_ref().map(|difference| difference.each.as_slice());
        let differences = differences.unwrap_or_default().iter().copied().chain(std::iter::repeat(None));
        let finding =
            |((finding, auroc), difference): ((&Finding, &Option<_>), Option<Interval>)| LabelFinding {
                name: finding.name(),
                auroc: auroc.clone().map(Figure::from),
                difference: difference.map(Difference::from),
            };
        Self {
            label: column.label,
            bundles: column.bundles.into_iter().map(|scored| scored.member).collect(),
            macro_auroc: mean.clone().map(Figure::from),
            difference: difference.as_ref().and_then(|difference| difference.mean).map(Difference::from),
            findings: findings.iter().zip(each).zip(differences).map(finding).collect(),
        }
    }
}

impl From<Interval> for Difference {
    fn from(interval: Interval) -> Self {
        Self { excludes_zero: interval.excludes(0.0), interval }
    }
}
