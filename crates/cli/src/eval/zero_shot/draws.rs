//! Means over draws of prompts as a Markdown table.

use std::io::{self, Write};

use medclip_protocols::{DrawnFigures, DrawnFinding};

use crate::eval::cells::{figure, left_out_note, no_interval_note, number};
use crate::eval::figures::BY_CHANCE;
use crate::markdown::MarkdownTable;

/// A row a finding, and the mean.
pub(super) fn write(figures: &DrawnFigures, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "Mean ± standard deviation over draws, and the 95 % interval by patient of that mean.\n")?;
    let header = ["finding", "positives", "negatives", "AUROC", "average precision", "by chance"];
    let mut table = MarkdownTable::new(&header, 1);
    for DrawnFinding { name, positives, negatives, prevalence, auroc, average_precision } in &figures.findings
    {
        table.row(&[
            (*name).to_owned(),
            positives.to_string(),
            negatives.to_string(),
            figure(auroc.as_ref()),
            figure(average_precision.as_ref()),
            number(*prevalence),
        ]);
    }
    table.bold_row(&[
        format!("mean of {}", figures.headline.join(", ")),
        String::new(),
        String::new(),
        figure(figures.macro_auroc.as_ref()),
        figure(figures.macro_average_precision.as_ref()),
        number(figures.macro_prevalence),
    ]);
    table.write(out)?;
    if let Some(figure) = &figures.macro_auroc {
        let draws: Vec<String> = figure.averaged.members.iter().map(|value| format!("{value:.3}")).collect();
        writeln!(out, "\nMean AUROC of each draw: {}.", draws.join(", "))?;
    }
    writeln!(out, "{BY_CHANCE}")?;
    let each = figures.findings.iter().flat_map(|finding| {
        [(finding.name, finding.auroc.as_ref()), (finding.name, finding.average_precision.as_ref())]
    });
    let means = [figures.macro_auroc.as_ref(), figures.macro_average_precision.as_ref()];
    let all = each.chain(means.map(|mean| ("the mean", mean)));
    let intervals = all.map(|(name, figure)| (name, figure.map(|figure| &figure.averaged.interval)));
    for note in [left_out_note(&figures.left_out), no_interval_note(intervals)].iter().flatten() {
        writeln!(out, "{note}")?;
    }
    Ok(())
}
