//! Tables in Markdown.

use std::io::{self, Write};

/// A Markdown table: columns of text on the left, columns of numbers aligned right.
pub(crate) struct MarkdownTable {
    lines: Vec<String>,
}

impl MarkdownTable {
    /// A table with this header, whose first `texts` columns are text.
    pub(crate) fn new<S: AsRef<str>>(header: &[S], texts: usize) -> Self {
        let rule = (0..header.len()).map(|column| if column < texts { "---|" } else { "--:|" });
        Self { lines: vec![line(header), format!("|{}", rule.collect::<String>())] }
    }

    /// Adds a row.
    pub(crate) fn row<S: AsRef<str>>(&mut self, cells: &[S]) {
        self.lines.push(line(cells));
    }

    /// Adds a row that sums the others up: what it has is bold.
    pub(crate) fn bold_row<S: AsRef<str>>(&mut self, cells: &[S]) {
        let bold = |cell: &S| match cell.as_ref() {
            "" => String::new(),
            text => format!("**{text}**"),
        };
        self.row(&cells.iter().map(bold).collect::<Vec<_>>());
    }

    /// Writes header and rows, a line each.
    pub(crate) fn write(&self, out: &mut impl Write) -> io::Result<()> {
        self.lines.iter().try_for_each(|line| writeln!(out, "{line}"))
    }
}

/// `| a | b | |`. A bar within a cell would begin another one.
fn line<S: AsRef<str>>(cells: &[S]) -> String {
    let cells = cells.iter().map(|cell| match cell.as_ref() {
        "" => " |".to_owned(),
        text => format!(" {} |", text.replace('|', "\\|")),
    });
    format!("|{}", cells.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_stand_between_bars() {
        let mut table = MarkdownTable::new(&["finding", "films", "a|b"], 1);
        table.row(&["Edema", "3", "0.500"]);
        table.bold_row(&["mean", "", "0.500"]);
        let mut out = Vec::new();
        table.write(&mut out).unwrap();
        let expected =
            "| finding | films | a\\|b |\n|---|--:|--:|\n| Edema | 3 | 0.500 |\n| **mean** | | **0.500** |\n";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}
