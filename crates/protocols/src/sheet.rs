//! Results as people read them: paragraphs and tables, in Markdown.

mod cells;
mod figures;
mod table;

use std::fmt;

use serde::Serialize;

use crate::charts::Chart;

pub(crate) use cells::{Valued, cell, decimals, ends, left_out_note, no_interval_note};
pub(crate) use figures::add_figures;
pub(crate) use table::Table;

#[cfg(feature = "train")]
pub(crate) use cells::spread;

/// What an evaluation or a fit found: values that serialize for programs, and a [`Sheet`] for people.
pub trait Measured: Serialize {
    /// The result for people.
    fn sheet(&self) -> Sheet;

    /// Films that were asked for and could not be used.
    fn failed(&self) -> usize {
        0
    }

    /// The charts that were asked for.
    fn charts(&self) -> &[Chart] {
        &[]
    }
}

/// Paragraphs and tables in reading order. Its `Display` is Markdown, with a line end after the last line.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sheet {
    parts: Vec<String>,
}

impl Sheet {
    /// A sheet that begins with this paragraph.
    pub(crate) fn new(paragraph: impl Into<String>) -> Self {
        let mut sheet = Self::default();
        sheet.add(paragraph);
        sheet
    }

    /// Adds a paragraph, which may have several lines; an empty one is left out.
    pub(crate) fn add(&mut self, paragraph: impl Into<String>) {
        let paragraph = paragraph.into();
        if !paragraph.is_empty() {
            self.parts.push(paragraph);
        }
    }

    /// Adds one paragraph of these lines.
    pub(crate) fn add_lines(&mut self, lines: impl IntoIterator<Item = String>) {
        self.add(lines.into_iter().collect::<Vec<_>>().join("\n"));
    }

    /// Adds a table.
    pub(crate) fn add_table(&mut self, table: &Table) {
        self.add(table.to_string());
    }
}

impl fmt::Display for Sheet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, part) in self.parts.iter().enumerate() {
            let gap = if position > 0 { "\n" } else { "" };
            writeln!(f, "{gap}{part}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_apart_by_one_empty_line() {
        let mut sheet = Sheet::new("tiny: 3 images\nof 2 patients.");
        let mut table = Table::new(["finding", "films"], 1);
        table.row(["Edema", "3"]);
        sheet.add_table(&table);
        sheet.add("");
        sheet.add_lines(["Left out: none.".to_owned(), "By chance: half.".to_owned()]);
        let expected = "tiny: 3 images\nof 2 patients.\n\n| finding | films |\n|---|--:|\n| Edema | 3 |\n\n\
                        Left out: none.\nBy chance: half.\n";
        assert_eq!(sheet.to_string(), expected);
    }
}
