//! What prompts alone do, for people.

use medclip_core::PromptPooling;

use super::{BalancedAccuracy, DrawNote, PromptNote, Ranked, ZeroShot};
use crate::charts::Chart;
use crate::sheet::{Measured, Sheet, Table, add_figures, cell, no_interval_note};

impl Measured for ZeroShot {
    fn sheet(&self) -> Sheet {
        let mut sheet = Sheet::new(self.subject.words("", ", zero-shot by prompts"));
        sheet.add_lines(self.prompts.iter().flat_map(|note| of_prompts(note, "the bundle")));
        match &self.ranked {
            Ranked::Once(figures) => {
                let columns = ["AUROC (95 % CI)", "average precision (95 % CI)"];
                add_figures(&mut sheet, figures, columns, None);
            }
            Ranked::Drawn(figures) => {
                sheet.add(
                    "Mean ± standard deviation over draws, and the 95 % interval by patient of that mean.",
                );
                let each = figures.macro_auroc.as_ref().map(|figure| {
                    let draws = figure.averaged.members.iter().map(|value| format!("{value:.3}"));
                    format!("Mean AUROC of each draw: {}.", draws.collect::<Vec<_>>().join(", "))
                });
                add_figures(&mut sheet, figures, ["AUROC", "average precision"], each);
            }
        }
        if let Some(balanced) = &self.balanced {
            add_balanced(&mut sheet, balanced);
        }
        sheet
    }

    fn failed(&self) -> usize {
        self.subject.failed
    }

    fn charts(&self) -> &[Chart] {
        &self.charts
    }
}

/// Which prompts were evaluated: those of a file, or of `own`.
pub(crate) fn of_prompts(note: &PromptNote, own: &str) -> Vec<String> {
    let origin = note.file.as_ref().map_or_else(|| own.to_owned(), |f| f.display().to_string());
    let pooling = match note.pooling {
        PromptPooling::Mean => "mean",
        PromptPooling::Max => "max",
    };
    let begin = format!("Prompts of {origin}, pooled by {pooling}");
    let Some(DrawNote { per_class, seeds, unvaried }) = &note.draws else { return vec![format!("{begin}.")] };
    let list: Vec<String> = seeds.iter().map(u64::to_string).collect();
    let mut lines = vec![format!(
        "{begin}: {} draws of {per_class} sentences a class side (seeds {}).",
        seeds.len(),
        list.join(", ")
    )];
    if !unvaried.is_empty() {
        lines
            .push(format!("With no more than {per_class}, the same in every draw: {}.", unvaried.join(", ")));
    }
    lines
}

/// Accuracy, and a row a class with what was chosen for its films.
fn add_balanced(sheet: &mut Sheet, found: &BalancedAccuracy) {
    let BalancedAccuracy { asked_per_class, per_class, chance, accuracy, classes, confusion, draws } = found;
    let names: Vec<&str> = classes.iter().map(|class| class.name).collect();
    let mut lines = vec![format!(
        "One of {}: {per_class} films of each that show it alone; chance {chance:.3}.",
        names.join(", ")
    )];
    if per_class < asked_per_class {
        let available: Vec<String> =
            classes.iter().map(|class| format!("{} {}", class.name, class.available)).collect();
        lines.push(format!("{asked_per_class} were asked for; there are: {}.", available.join(", ")));
    }
    let over = if *draws > 1 { ", mean ± standard deviation over draws" } else { "" };
    lines.push(format!("Accuracy (95 % CI{over}): **{}**.", cell(accuracy.as_ref())));
    sheet.add_lines(lines);
    let counts = if *draws > 1 { "films, mean over draws: " } else { "" };
    let actual = format!("{counts}actual \\ chosen");
    let header = [actual.as_str()].into_iter().chain(names).chain(["recall (95 % CI)"]);
    let mut table = Table::new(header, 1);
    for (class, row) in classes.iter().zip(confusion.rows()) {
        let films = row.iter().map(|count| match draws {
            1 => count.to_string(),
            _ => format!("{:.1}", *count as f64 / *draws as f64),
        });
        let name = [class.name.to_owned()].into_iter();
        table.row(name.chain(films).chain([cell(class.recall.as_ref())]));
    }
    sheet.add_table(&table);
    let each = classes.iter().map(|class| (class.name, class.recall.as_ref()));
    sheet.add_lines(no_interval_note(each.chain([("the accuracy", accuracy.as_ref())])));
}
