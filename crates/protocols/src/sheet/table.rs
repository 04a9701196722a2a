//! Tables in Markdown.

use std::fmt;

/// A table: columns of text on the left, columns of numbers aligned right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Table {
    lines: Vec<String>,
}

impl Table {
    /// A table with this header, whose first `texts` columns are text.
    pub(crate) fn new<S: AsRef<str>>(header: impl IntoIterator<Item = S>, texts: usize) -> Self {
        let header: Vec<S> = header.into_iter().collect();
        let rule = (0..header.len()).map(|column| if column < texts { "---|" } else { "--:|" });
        let rule = format!("|{}", rule.collect::<String>());
        Self { lines: vec![line(header), rule] }
    }

    /// Adds a row.
    pub(crate) fn row<S: AsRef<str>>(&mut self, cells: impl IntoIterator<Item = S>) {
        self.lines.push(line(cells));
    }

    /// Adds a row that sums the others up: its cells are bold.
    pub(crate) fn bold_row<S: AsRef<str>>(&mut self, cells: impl IntoIterator<Item = S>) {
        self.row(cells.into_iter().map(|cell| match cell.as_ref() {
            "" => String::new(),
            text => format!("**{text}**"),
        }));
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.lines.join("\n"))
    }
}

/// `| a | b | |`. A bar within a cell would begin another one.
fn line<S: AsRef<str>>(cells: impl IntoIterator<Item = S>) -> String {
    let cells = cells.into_iter().map(|cell| match cell.as_ref() {
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
        let mut table = Table::new(["finding", "films", "a|b"], 1);
        table.row(["Edema", "3", "0.500"]);
        table.bold_row(["mean", "", "0.500"]);
        let expected =
            "| finding | films | a\\|b |\n|---|--:|--:|\n| Edema | 3 | 0.500 |\n| **mean** | | **0.500** |";
        assert_eq!(table.to_string(), expected);
    }
}
