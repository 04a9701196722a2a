//! `medclip eval runs`: training runs side by side.

use std::io::{self, Write};

use clap::Args;
use medclip_protocols::{LabelledRun, RunComparison, compare_runs};

use super::args::Labelled;
use super::cells::spread;
use crate::Outcome;
use crate::markdown::MarkdownTable;
use crate::output::locked_stdout;

/// AUROC at the end of training runs, as a Markdown table
///
/// Runs under one label share a column, which gives their mean and standard deviation: seeds or folds of one setting.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(crate) struct RunsArgs {
    /// Output directories of `medclip train`, each with the label of its column
    #[arg(required = true, value_name = "[LABEL=]DIR")]
    runs: Vec<Labelled>,
    /// Evaluation set
    #[arg(long, default_value = "val")]
    set: String,
}

const EXAMPLE: &str = "\
Example:
  medclip eval runs matching=runs/sm-1 matching=runs/sm-2 InfoNCE=runs/nce-1 InfoNCE=runs/nce-2";

pub(crate) fn run(args: &RunsArgs) -> anyhow::Result<Outcome> {
    let runs = args.runs.iter().cloned().map(|Labelled { label, path }| LabelledRun { label, path });
    let found = compare_runs(&runs.collect::<Vec<_>>(), &args.set)?;
    write_markdown(&found, &mut locked_stdout())?;
    Ok(Outcome::Complete)
}

/// A row a finding, the macro and what it leaves out.
fn write_markdown(found: &RunComparison, out: &mut impl Write) -> io::Result<()> {
    let columns = found.columns.iter().map(|column| format!("{} ({})", column.label, column.runs));
    let header = ["finding".to_owned(), "positives".to_owned()].into_iter().chain(columns);
    let mut table = MarkdownTable::new(&header.collect::<Vec<_>>(), 1);
    for finding in &found.findings {
        let cells = [finding.name.clone(), range(finding.positives)].into_iter();
        table.row(&cells.chain(finding.auroc.iter().copied().map(spread)).collect::<Vec<_>>());
    }
    let means = found.columns.iter().map(|column| spread(column.macro_auroc));
    let cells = ["macro".to_owned(), String::new()].into_iter().chain(means);
    table.bold_row(&cells.collect::<Vec<_>>());
    table.write(out)?;
    for column in &found.columns {
        if !column.left_out.is_empty() {
            let names = column.left_out.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
            let label = &column.label;
            writeln!(
                out,
                "\nmacro of {label} leaves out {names}: every film of a run has it, or none does."
            )?;
        }
    }
    Ok(())
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

    use medclip_protocols::{RunColumn, RunFinding, Spread};

    use super::*;

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
        let mut out = Vec::new();
        write_markdown(&RunComparison { columns, findings: vec![finding] }, &mut out).unwrap();
        let expected = "| finding | positives | a (2) | b (1) | c (1) |\n|---|--:|--:|--:|--:|\n\
                        | Edema | 3 | 0.800 ± 0.141 | 0.500 | – |\n\
                        | **macro** | | **0.800 ± 0.141** | **0.500** | **–** |\n\n\
                        macro of c leaves out Edema: every film of a run has it, or none does.\n";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}
