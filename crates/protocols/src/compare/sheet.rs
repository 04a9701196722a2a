//! Bundles side by side, for people.

use super::{Comparison, Counted, Difference, LabelFigures};
use crate::evaluator::interval_words;
use crate::sheet::{Measured, Sheet, Table, cell, left_out_note, no_interval_note};
use crate::side::Side;

impl Measured for Comparison {
    fn sheet(&self) -> Sheet {
        let Self { engine, images, patients, resamples, seed, labels, .. } = self;
        let intervals = interval_words(*resamples, *seed);
        let sentences = match self.side {
            Side::Pair => "prompts",
            Side::Positive => "prompts that affirm alone",
            Side::Negative => "prompts that deny alone",
        };
        let mut sheet = Sheet::new(format!(
            "{images} images of {patients} patients, zero-shot by {sentences} ({engine}); {intervals}, the same for all labels."
        ));
        add_means(&mut sheet, self);
        sheet.add("AUROC by finding:");
        sheet.add_table(&self.by_finding(labels, |label, row| cell(label.findings[row].auroc.as_ref())));
        if let Some((first, others @ [_, ..])) = labels.split_first() {
            sheet.add(format!("Difference from {}:", first.label));
            let cell = |label: &LabelFigures, row: usize| difference(label.findings[row].difference.as_ref());
            sheet.add_table(&self.by_finding(others, cell));
            sheet.add("\\* The 95 % interval excludes 0.");
        }
        if !self.left_out.is_empty() {
            let names = self.left_out.join(", ");
            sheet.add(format!("Left out, as not every bundle has prompts of them: {names}."));
        }
        sheet
    }

    fn failed(&self) -> usize {
        self.failed
    }
}

impl Comparison {
    /// A row a finding, with a column for every one of `labels`.
    fn by_finding(&self, labels: &[LabelFigures], cell: impl Fn(&LabelFigures, usize) -> String) -> Table {
        let names = labels.iter().map(|label| label.label.as_str());
        let mut table = Table::new(["finding", "positives", "negatives"].into_iter().chain(names), 1);
        for (row, Counted { name, positives, negatives }) in self.findings.iter().enumerate() {
            let counts = [(*name).to_owned(), positives.to_string(), negatives.to_string()];
            table.row(counts.into_iter().chain(labels.iter().map(|label| cell(label, row))));
        }
        table
    }
}

/// Headline means by label, what they leave out, and which figures have no interval.
fn add_means(sheet: &mut Sheet, found: &Comparison) {
    let first = found.labels.first().map_or("", |label| label.label.as_str());
    let mean = format!("mean AUROC of {}", found.headline.join(", "));
    let paired = format!("difference from {first}");
    let mut table = Table::new(["label", "bundles", &mean, &paired], 1);
    for LabelFigures { label, bundles, macro_auroc, difference: paired, .. } in &found.labels {
        let (mean, paired) = (cell(macro_auroc.as_ref()), difference(paired.as_ref()));
        table.row([label.clone(), bundles.len().to_string(), mean, paired]);
    }
    sheet.add_table(&table);
    if found.labels.iter().any(|label| label.bundles.len() > 1) {
        sheet.add("Mean ± standard deviation over bundles (95 % CI of the mean by patient).");
    }
    let figures = found.labels.iter().flat_map(|label| {
        let each = label.findings.iter().map(|finding| (finding.name, finding.auroc.as_ref()));
        each.chain([("the mean", label.macro_auroc.as_ref())])
    });
    sheet.add_lines(left_out_note(&found.left_out_of_mean));
    sheet.add_lines(no_interval_note(figures));
}

/// `+0.012 (-0.003 to +0.027)`, with a star where that excludes 0; `+0.012 (–)` without an interval.
fn difference(difference: Option<&Difference>) -> String {
    let Some(Difference { interval, excludes_zero }) = difference else { return "–".to_owned() };
    let star = if *excludes_zero == Some(true) { " \\*" } else { "" };
    let ends = interval.ends();
    let ends = ends.map_or_else(|| "–".to_owned(), |(low, high)| format!("{low:+.3} to {high:+.3}"));
    format!("{:+.3} ({ends}){star}", interval.estimate)
}
