//! Figures of findings as a Markdown table.

use std::io::{self, Write};

use medclip_protocols::{Figures, FindingFigures};

use super::cells::{interval, left_out_note, no_interval_note, number};
use crate::markdown::MarkdownTable;

/// What is said below every table with average precisions.
pub(super) const BY_CHANCE: &str =
    "By chance: the average precision of scores at random, which is the share of positives.";

/// A row a finding, and the mean.
pub(super) fn write(figures: &Figures, out: &mut impl Write) -> io::Result<()> {
    let header =
        ["finding", "positives", "negatives", "AUROC (95 % CI)", "average precision (95 % CI)", "by chance"];
    let mut table = MarkdownTable::new(&header, 1);
    for FindingFigures { name, positives, negatives, prevalence, auroc, average_precision } in
        &figures.findings
    {
        table.row(&[
            (*name).to_owned(),
            positives.to_string(),
            negatives.to_string(),
            interval(auroc.as_ref()),
            interval(average_precision.as_ref()),
            number(*prevalence),
        ]);
    }
    table.bold_row(&[
        format!("mean of {}", figures.headline.join(", ")),
        String::new(),
        String::new(),
        interval(figures.macro_auroc.as_ref()),
        interval(figures.macro_average_precision.as_ref()),
        number(figures.macro_prevalence),
    ]);
    table.write(out)?;
    writeln!(out, "\n{BY_CHANCE}")?;
    let each = figures.findings.iter().flat_map(|finding| {
        [(finding.name, finding.auroc.as_ref()), (finding.name, finding.average_precision.as_ref())]
    });
    let means = [figures.macro_auroc.as_ref(), figures.macro_average_precision.as_ref()];
    let all = each.chain(means.map(|mean| ("the mean", mean)));
    for note in [left_out_note(&figures.left_out), no_interval_note(all)].iter().flatten() {
        writeln!(out, "{note}")?;
    }
    Ok(())
}
