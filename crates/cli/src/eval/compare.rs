//! `medclip eval compare`: bundles side by side on the same films.

use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::path::Path;

use clap::Args;
use medclip_data::Split;
use medclip_protocols::{
    CompareOptions, Comparison, Counted, Difference, LabelFigures, LabelledBundle, compare,
};

use super::args::{Labelled, ManifestArgs, ReportArgs, outcome, parse_split};
use super::bar::Bar;
use super::cells::{figure, left_out_note, no_interval_note};
use crate::Outcome;
use crate::engine::EngineArgs;
use crate::markdown::MarkdownTable;

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

pub(crate) fn run(args: CompareArgs) -> anyhow::Result<Outcome> {
    let films = args.manifest.open()?;
    // One engine for all.
    let first = args.bundles.first().map_or(Path::new(""), |bundle| &bundle.path);
    let options = CompareOptions {
        splits: args.split,
        model: args.engine.options(first, NonZeroUsize::MIN)?,
        threads: args.engine.threads().get(),
        resampling: args.report.resampling(),
    };
    let bundles = args.bundles.into_iter().map(|Labelled { label, path }| LabelledBundle { label, path });
    let found = compare(&films, &bundles.collect::<Vec<_>>(), &options, &mut Bar::new())?;
    args.report.print(&found, |out| write_markdown(&found, out))?;
    Ok(outcome(found.failed))
}

/// Headline means by label, then every finding, then its differences.
fn write_markdown(found: &Comparison, out: &mut impl Write) -> io::Result<()> {
    let Comparison { engine, images, patients, resamples, seed, labels, .. } = found;
    writeln!(
        out,
        "{images} images of {patients} patients, zero-shot by prompts ({engine}); 95 % intervals from"
    )?;
    writeln!(out, "{resamples} resamples of patients (seed {seed}), the same for all labels.\n")?;
    write_means(found, out)?;
    write_notes(found, out)?;
    writeln!(out, "\nAUROC by finding:\n")?;
    by_finding(found, labels, |label, row| figure(label.findings[row].auroc.as_ref())).write(out)?;
    if let Some((first, others @ [_, ..])) = labels.split_first() {
        writeln!(out, "\nDifference from {}:\n", first.label)?;
        by_finding(found, others, |label, row| difference(label.findings[row].difference.as_ref()))
            .write(out)?;
        writeln!(out, "\n\\* The 95 % interval excludes 0.")?;
    }
    if !found.left_out.is_empty() {
        let names = found.left_out.join(", ");
        writeln!(out, "\nLeft out, as not every bundle has prompts of them: {names}.")?;
    }
    Ok(())
}

fn write_means(found: &Comparison, out: &mut impl Write) -> io::Result<()> {
    let first = found.labels.first().map_or("", |label| label.label.as_str());
    let (mean, paired) =
        (format!("mean AUROC of {}", found.headline.join(", ")), format!("difference from {first}"));
    let mut table = MarkdownTable::new(&["label", "bundles", &mean, &paired], 1);
    for LabelFigures { label, bundles, macro_auroc, difference: paired, .. } in &found.labels {
        let (mean, paired) = (figure(macro_auroc.as_ref()), difference(paired.as_ref()));
        table.row(&[label.clone(), bundles.len().to_string(), mean, paired]);
    }
    table.write(out)?;
    if found.labels.iter().any(|label| label.bundles.len() > 1) {
        writeln!(out, "\nMean ± standard deviation over bundles (95 % CI of the mean by patient).")?;
    }
    Ok(())
}

/// What the means leave out, and which figures have no interval.
fn write_notes(found: &Comparison, out: &mut impl Write) -> io::Result<()> {
    let figures = found.labels.iter().flat_map(|label| {
        let each = label.findings.iter().map(|finding| (finding.name, finding.auroc.as_ref()));
        let figures = each.chain([("the mean", label.macro_auroc.as_ref())]);
        figures.map(|(name, figure)| (name, figure.map(|figure| &figure.averaged.interval)))
    });
    let notes = [left_out_note(&found.left_out_of_mean), no_interval_note(figures)];
    notes.iter().flatten().try_for_each(|note| writeln!(out, "\n{note}"))
}

/// A row a finding, with a column for every one of `labels`.
fn by_finding(
    found: &Comparison,
    labels: &[LabelFigures],
    cell: impl Fn(&LabelFigures, usize) -> String,
) -> MarkdownTable {
    let names = labels.iter().map(|label| label.label.as_str());
    let header: Vec<&str> = ["finding", "positives", "negatives"].into_iter().chain(names).collect();
    let mut table = MarkdownTable::new(&header, 1);
    for (row, Counted { name, positives, negatives }) in found.findings.iter().enumerate() {
        let counts = [(*name).to_owned(), positives.to_string(), negatives.to_string()];
        let cells = labels.iter().map(|label| cell(label, row));
        table.row(&counts.into_iter().chain(cells).collect::<Vec<_>>());
    }
    table
}

/// `+0.012 (-0.003 to +0.027)`, with a star where that excludes 0; `+0.012 (–)` without an interval.
fn difference(difference: Option<&Difference>) -> String {
    let Some(Difference { interval, excludes_zero }) = difference else { return "–".to_owned() };
    let star = if *excludes_zero == Some(true) { " \\*" } else { "" };
    let ends = interval.ends();
    let ends = ends.map_or_else(|| "–".to_owned(), |(low, high)| format!("{low:+.3} to {high:+.3}"));
    format!("{:+.3} ({ends}){star}", interval.estimate)
}
