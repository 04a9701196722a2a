//! Training runs side by side, for people.

use super::RunComparison;
use crate::sheet::{Measured, Sheet, Table, spread};

impl Measured for RunComparison {
    fn sheet(&self) -> Sheet {
        let columns = self.columns.iter().map(|column| format!("{} ({})", column.label, column.runs));
        let mut table =
            Table::new(["finding".to_owned(), "positives".to_owned()].into_iter().chain(columns), 1);
        for finding in &self.findings {
            let cells = [finding.name.clone(), range(finding.positives)].into_iter();
            table.row(cells.chain(finding.auroc.iter().copied().map(spread)));
        }
        let means = self.columns.iter().map(|column| spread(column.macro_auroc));
        table.bold_row(["macro".to_owned(), String::new()].into_iter().chain(means));
        let mut sheet = Sheet::default();
        sheet.add_table(&table);
        for column in self.columns.iter().filter(|column| !column.left_out.is_empty()) {
            let names = column.left_out.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
            let label = &column.label;
            sheet.add(format!(
                "macro of {label} leaves out {names}: every film of a run has it, or none does."
            ));
        }
        sheet
    }
}

/// One number, or the least and the largest.
fn range(values: Option<(usize, usize)>) -> String {
    match values {
        Some((least, most)) if least < most => format!("{least}–{most}"),
        Some((least, _)) => least.to_string(),
        None => "–".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::runs::{RunColumn, RunFinding, Spread};

    #[test]
    fn runs_of_a_label_share_a_column() {
        let spread = |mean, deviation| Spread { mean, deviation };
        let spreads = [spread(Some(0.8), Some(0.1414)), spread(Some(0.5), None), spread(None, None)];
        let column = |(label, runs, macro_auroc, left_out): (&str, usize, Spread, &[&str])| RunColumn {
            label: label.to_owned(),
            runs,
            macro_auroc,
            left_out: left_out.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>(),
        };
        let [a, b, c] = spreads;
        let columns = [("a", 2, a, &[][..]), ("b", 1, b, &[]), ("c", 1, c, &["Edema"])].map(column).to_vec();
        let finding =
            RunFinding { name: "Edema".to_owned(), positives: Some((3, 3)), auroc: spreads.to_vec() };
        let found = RunComparison { columns, findings: vec![finding] };
        let expected = "| finding | positives | a (2) | b (1) | c (1) |\n|---|--:|--:|--:|--:|\n\
                        | Edema | 3 | 0.800 ± 0.141 | 0.500 | – |\n\
                        | **macro** | | **0.800 ± 0.141** | **0.500** | **–** |\n\n\
                        macro of c leaves out Edema: every film of a run has it, or none does.\n";
        assert_eq!(found.sheet().to_string(), expected);
    }
}
