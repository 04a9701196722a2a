//! What a model reads, for people.

use super::Negation;
use crate::sheet::{Measured, Sheet, Table, cell, left_out_note, no_interval_note};

impl Measured for Negation {
    fn sheet(&self) -> Sheet {
        let mut sheet = Sheet::new(self.subject.words("", ", by each side of the prompts"));
        let header = ["finding", "positives", "negatives", "affirming (POS)", "denying (NEG)", "both (PNC)"];
        let mut table = Table::new(header, 1);
        let rows = self.positive.findings.iter().zip(&self.negative.findings).zip(&self.pair.findings);
        for ((positive, negative), pair) in rows {
            table.row([
                positive.name.to_owned(),
                positive.positives.to_string(),
                positive.negatives.to_string(),
                cell(positive.auroc.as_ref()),
                cell(negative.auroc.as_ref()),
                cell(pair.auroc.as_ref()),
            ]);
        }
        let sides = [&self.positive, &self.negative, &self.pair];
        let means = sides.map(|figures| cell(figures.macro_auroc.as_ref()));
        let name = format!("mean of {}", self.pair.headline.join(", "));
        table.bold_row([name, String::new(), String::new()].into_iter().chain(means));
        sheet.add_table(&table);
        let each = sides.into_iter().flat_map(|figures| {
            let findings = figures.findings.iter().map(|finding| (finding.name, finding.auroc.as_ref()));
            findings.chain([("the mean", figures.macro_auroc.as_ref())])
        });
        sheet.add_lines(left_out_note(&self.pair.left_out).into_iter().chain(no_interval_note(each)));
        sheet.add(format!("NEG minus POS, paired by patient: {}.", cell(self.difference.as_ref())));
        sheet
    }

    fn failed(&self) -> usize {
        self.subject.failed
    }
}
