//! The choice of one of several findings as a Markdown table.

use std::io::{self, Write};

use medclip_protocols::BalancedAccuracy;

use crate::eval::cells::{figure, no_interval_note};
use crate::markdown::MarkdownTable;

/// Accuracy, and a row a class with what was chosen for its films.
pub(super) fn write(found: &BalancedAccuracy, out: &mut impl Write) -> io::Result<()> {
    let BalancedAccuracy { asked_per_class, per_class, chance, accuracy, classes, confusion, draws } = found;
    let names: Vec<&str> = classes.iter().map(|class| class.name).collect();
    writeln!(
        out,
        "\nOne of {}: {per_class} films of each that show it alone; chance {chance:.3}.",
        names.join(", ")
    )?;
    if per_class < asked_per_class {
        let available: Vec<String> =
            classes.iter().map(|class| format!("{} {}", class.name, class.available)).collect();
        writeln!(out, "{asked_per_class} were asked for; there are: {}.", available.join(", "))?;
    }
    let over = if *draws > 1 { ", mean ± standard deviation over draws" } else { "" };
    writeln!(out, "Accuracy (95 % CI{over}): **{}**.\n", figure(accuracy.as_ref()))?;
    let counts = if *draws > 1 { "films, mean over draws: " } else { "" };
    let actual = format!("{counts}actual \\ chosen");
    let header: Vec<&str> = [actual.as_str()].into_iter().chain(names).chain(["recall (95 % CI)"]).collect();
    let mut table = MarkdownTable::new(&header, 1);
    for (class, row) in classes.iter().zip(confusion.rows()) {
        let films = row.iter().map(|count| match draws {
            1 => count.to_string(),
            _ => format!("{:.1}", *count as f64 / *draws as f64),
        });
        let cells = [class.name.to_owned()].into_iter().chain(films);
        table.row(&cells.chain([figure(class.recall.as_ref())]).collect::<Vec<_>>());
    }
    table.write(out)?;
    let each = classes.iter().map(|class| (class.name, class.recall.as_ref()));
    let figures = each.chain([("the accuracy", accuracy.as_ref())]);
    let intervals = figures.map(|(name, figure)| (name, figure.map(|figure| &figure.averaged.interval)));
    no_interval_note(intervals).map_or(Ok(()), |note| writeln!(out, "\n{note}"))
}
