//! A comparison as Markdown tables.

use std::io::{self, Write};

use super::{Comparison, Counted, Difference, LabelFigures};
use crate::eval::cells;
use crate::eval::members::Figure;

impl Comparison {
    /// Headline means by label, then every finding, then its differences.
    pub(super) fn write_markdown(&self, out: &mut impl Write) -> io::Result<()> {
        let Self { engine, images, patients, resamples, seed, .. } = self;
        writeln!(
            out,
            "{images} images of {patients} patients, zero-shot by prompts ({engine}); 95 % intervals from"
        )?;
        writeln!(out, "{resamples} resamples of patients (seed {seed}), the same for all labels.\n")?;
        self.write_means(out)?;
        let header = |out: &mut dyn Write, labels: &[LabelFigures]| {
            let names: Vec<&str> = labels.iter().map(|label| label.label.as_str()).collect();
            writeln!(out, "| finding | positives | negatives | {} |", names.join(" | "))?;
            writeln!(out, "|---|--:|--:|{}", "--:|".repeat(names.len()))
        };
        self.write_notes(out)?;
        writeln!(out, "\nAUROC by finding:\n")?;
        header(out, &self.labels)?;
        self.write_rows(out, &self.labels, |label, row| figure(label.findings[row].auroc.as_ref()))?;
        if let Some((first, others @ [_, ..])) = self.labels.split_first() {
            writeln!(out, "\nDifference from {}:\n", first.label)?;
            header(out, others)?;
            self.write_rows(out, others, |label, row| difference(label.findings[row].difference.as_ref()))?;
            writeln!(out, "\n\\* The 95 % interval excludes 0.")?;
        }
        if !self.left_out.is_empty() {
            writeln!(
                out,
                "\nLeft out, as not every bundle has prompts of them: {}.",
                self.left_out.join(", ")
            )?;
        }
        Ok(())
    }

    fn write_means(&self, out: &mut impl Write) -> io::Result<()> {
        let first = self.labels.first().map_or("", |label| label.label.as_str());
        let headline = self.headline.join(", ");
        writeln!(out, "| label | bundles | mean AUROC of {headline} | difference from {first} |")?;
        writeln!(out, "|---|--:|--:|--:|")?;
        for LabelFigures { label, bundles, macro_auroc, difference: paired, .. } in &self.labels {
            let (mean, paired) = (figure(macro_auroc.as_ref()), difference(paired.as_ref()));
            writeln!(out, "| {label} | {} | {mean} | {paired} |", bundles.len())?;
        }
        if self.labels.iter().any(|label| label.bundles.len() > 1) {
            writeln!(out, "\nMean ± standard deviation over bundles (95 % CI of the mean by patient).")?;
        }
        Ok(())
    }

    /// What the means leave out, and which figures have no interval.
    fn write_notes(&self, out: &mut impl Write) -> io::Result<()> {
        let figures = self.labels.iter().flat_map(|label| {
            let each = label.findings.iter().map(|finding| (finding.name, finding.auroc.as_ref()));
            let figures = each.chain([("the mean", label.macro_auroc.as_ref())]);
            figures.map(|(name, figure)| (name, figure.map(|figure| &figure.averaged.interval)))
        });
        let notes = [cells::left_out_note(&self.left_out_of_mean), cells::no_interval_note(figures)];
        for note in notes.iter().flatten() {
            writeln!(out, "\n{note}")?;
        }
        Ok(())
    }

    fn write_rows(
        &self,
        out: &mut impl Write,
        labels: &[LabelFigures],
        cell: impl Fn(&LabelFigures, usize) -> String,
    ) -> io::Result<()> {
        for (row, Counted { name, positives, negatives }) in self.findings.iter().enumerate() {
            let cells: Vec<String> = labels.iter().map(|label| cell(label, row)).collect();
            writeln!(out, "| {name} | {positives} | {negatives} | {} |", cells.join(" | "))?;
        }
        Ok(())
    }
}

fn figure(figure: Option<&Figure>) -> String {
    cells::averaged(figure.map(|figure| &figure.averaged))
}

/// `+0.012 (-0.003 to +0.027)`, with a star where that excludes 0; `+0.012 (–)` without an interval.
fn difference(difference: Option<&Difference>) -> String {
    let Some(Difference { interval, excludes_zero }) = difference else { return "–".to_owned() };
    let star = if *excludes_zero == Some(true) { " \\*" } else { "" };
    let ends = interval.ends();
    let ends = ends.map_or_else(|| "–".to_owned(), |(low, high)| format!("{low:+.3} to {high:+.3}"));
    format!("{:+.3} ({ends}){star}", interval.estimate)
}
