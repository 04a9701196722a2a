//! `medclip eval runs`: training runs side by side.

use std::collections::BTreeSet;
use std::io::Write;

use anyhow::{Context, bail};
use clap::Args;
use medclip_train::evaluate::Evaluation;
use medclip_train::log::last_evaluations;

use super::cells::mean_and_deviation;
use super::labelled::Labelled;
use crate::Outcome;
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

/// Runs of one label.
struct Column {
    label: String,
    evaluations: Vec<Evaluation>,
}

pub(crate) fn run(args: &RunsArgs) -> anyhow::Result<Outcome> {
    let mut columns: Vec<Column> = Vec::new();
    for Labelled { label, path: output } in &args.runs {
        let mut sets = last_evaluations(output).context("no finished run")?;
        let Some((_, evaluation)) = sets.remove(&args.set) else {
            let known: Vec<&str> = sets.keys().map(String::as_str).collect();
            bail!("{} evaluated no set `{}`, but {known:?}", output.display(), args.set);
        };
        match columns.iter_mut().find(|column| column.label == *label) {
            Some(column) => column.evaluations.push(evaluation),
            None => columns.push(Column { label: label.clone(), evaluations: vec![evaluation] }),
        }
    }
    write_markdown(&columns, &mut locked_stdout())?;
    Ok(Outcome::Complete)
}

fn write_markdown(columns: &[Column], out: &mut impl Write) -> std::io::Result<()> {
    write!(out, "| finding | positives |")?;
    for Column { label, evaluations } in columns {
        write!(out, " {label} ({}) |", evaluations.len())?;
    }
    writeln!(out, "\n|---|--:|{}", "--:|".repeat(columns.len()))?;
    let first = columns.first().and_then(|column| column.evaluations.first());
    for finding in first.map_or(&[][..], |evaluation| &evaluation.findings) {
        let of = |evaluation: &Evaluation| {
            evaluation.findings.iter().find(|other| other.name == finding.name).cloned()
        };
        let positives = |column: &Column| -> Vec<usize> {
            column.evaluations.iter().filter_map(of).map(|finding| finding.positives).collect()
        };
        write!(out, "| {} | {} |", finding.name, range(columns.iter().flat_map(positives)))?;
        for column in columns {
            let values = column.evaluations.iter().filter_map(of).filter_map(|finding| finding.auroc);
            write!(out, " {} |", mean_and_deviation(&values.collect::<Vec<_>>()))?;
        }
        writeln!(out)?;
    }
    write!(out, "| **macro** | |")?;
    for column in columns {
        let values = column.evaluations.iter().filter_map(|evaluation| evaluation.macro_auroc);
        write!(out, " **{}** |", mean_and_deviation(&values.collect::<Vec<_>>()))?;
    }
    writeln!(out)?;
    for Column { label, evaluations } in columns {
        let left_out: BTreeSet<&str> =
            evaluations.iter().flat_map(|evaluation| &evaluation.left_out).map(String::as_str).collect();
        if !left_out.is_empty() {
            let names = left_out.into_iter().collect::<Vec<_>>().join(", ");
            writeln!(
                out,
                "\nmacro of {label} leaves out {names}: every film of a run has it, or none does."
            )?;
        }
    }
    Ok(())
}

/// One number, or the least and the largest.
fn range(values: impl Iterator<Item = usize> + Clone) -> String {
    match (values.clone().min(), values.max()) {
        (Some(least), Some(most)) if least < most => format!("{least}–{most}"),
        (least, _) => least.map_or_else(|| "–".to_owned(), |value| value.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use medclip_train::evaluate::FindingAuroc;

    use super::*;

    fn evaluation(auroc: Option<f64>) -> Evaluation {
        let finding = FindingAuroc { name: "Edema".to_owned(), positives: 3, negatives: 5, auroc };
        let left_out = if auroc.is_none() { vec!["Edema".to_owned()] } else { Vec::new() };
        Evaluation { set: "val".to_owned(), images: 8, findings: vec![finding], macro_auroc: auroc, left_out }
    }

    #[test]
    fn runs_of_a_label_become_mean_and_deviation() {
        let column = |label: &str, values: &[Option<f64>]| Column {
            label: label.to_owned(),
            evaluations: values.iter().map(|value| evaluation(*value)).collect(),
        };
        let columns = [column("a", &[Some(0.7), Some(0.9)]), column("b", &[Some(0.5)]), column("c", &[None])];
        let mut out = Vec::new();
        write_markdown(&columns, &mut out).unwrap();
        let expected = "| finding | positives | a (2) | b (1) | c (1) |\n|---|--:|--:|--:|--:|\n\
                        | Edema | 3 | 0.800 ± 0.141 | 0.500 | – |\n\
                        | **macro** | | **0.800 ± 0.141** | **0.500** | **–** |\n\n\
                        macro of c leaves out Edema: every film of a run has it, or none does.\n";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}
