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

/// `+0.012 (-0.003 to +0.027)`, with a star where that excludes 0.
fn difference(difference: Option<&Difference>) -> String {
    let Some(Difference { interval, excludes_zero }) = difference else { return "–".to_owned() };
    let star = if *excludes_zero { " \\*" } else { "" };
    format!("{:+.3} ({:+.3} to {:+.3}){star}", interval.estimate, interval.low, interval.high)
}
