//! Figures of findings as a table.

use super::{Sheet, Table, Valued, cell, decimals, left_out_note, no_interval_note};
use crate::ranking::{Figures, FindingFigures};

/// The line below every table with average precisions.
const BY_CHANCE: &str =
    "By chance: the average precision of scores at random, which is the share of positives.";

/// Adds a row a finding, the mean, and what to know of them, which begins with `lead`.
///
/// The two columns of figures have these names.
pub(crate) fn add_figures<V: Valued>(
    sheet: &mut Sheet,
    figures: &Figures<V>,
    [auroc, precision]: [&str; 2],
    lead: Option<String>,
) {
    let mut table = Table::new(["finding", "positives", "negatives", auroc, precision, "by chance"], 1);
    for finding in &figures.findings {
        let FindingFigures { name, positives, negatives, prevalence, auroc, average_precision } = finding;
        table.row([
            (*name).to_owned(),
            positives.to_string(),
            negatives.to_string(),
            cell(auroc.as_ref()),
            cell(average_precision.as_ref()),
            decimals(*prevalence),
        ]);
    }
    table.bold_row([
        format!("mean of {}", figures.headline.join(", ")),
        String::new(),
        String::new(),
        cell(figures.macro_auroc.as_ref()),
        cell(figures.macro_average_precision.as_ref()),
        decimals(figures.macro_prevalence),
    ]);
    sheet.add_table(&table);
    let each = figures.findings.iter().flat_map(|finding| {
        [(finding.name, finding.auroc.as_ref()), (finding.name, finding.average_precision.as_ref())]
    });
    let means = [figures.macro_auroc.as_ref(), figures.macro_average_precision.as_ref()];
    let all = each.chain(means.map(|mean| ("the mean", mean)));
    let notes = [lead, Some(BY_CHANCE.to_owned()), left_out_note(&figures.left_out), no_interval_note(all)];
    sheet.add_lines(notes.into_iter().flatten());
}
