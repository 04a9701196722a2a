//! Rows and columns of text for a terminal.

use std::fmt;

use comfy_table::{CellAlignment, Table, presets};

use super::escape;

/// A table without lines, as text. No cell controls a terminal, and each stays on one line.
#[derive(Debug, Clone)]
pub struct TextTable(Table);

impl TextTable {
    /// A table whose `numeric` columns are aligned right; no header row when `header` is empty.
    pub fn new(header: &[&str], numeric: &[usize]) -> Self {
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        if !header.is_empty() {
            table.set_header(header);
        }
        for &column in numeric {
            if let Some(column) = table.column_mut(column) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        Self(table)
    }

    /// Adds a row.
    pub fn row<S: AsRef<str>>(&mut self, cells: impl IntoIterator<Item = S>) {
        self.0.add_row(cells.into_iter().map(|cell| escape(cell.as_ref()).into_owned()));
    }
}

/// The lines, each with its end and without the blanks that pad the last column.
impl fmt::Display for TextTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.lines().try_for_each(|line| writeln!(f, "{}", line.trim_end()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_cells_stay_on_their_line() {
        let mut table = TextTable::new(&["Name", "Count"], &[1]);
        table.row(["a", "10"]);
        table.row(["long\u{1b}[2J\nname".to_owned(), "7".to_owned()]);
        let text = table.to_string();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 3, "{text}");
        assert!(!text.contains('\u{1b}') && lines.iter().all(|line| !line.ends_with(' ')), "{text}");
        assert!(lines[1].ends_with("10") && lines[2].ends_with(" 7"), "{text}");
        assert_eq!(TextTable::new(&[], &[]).to_string(), "");
    }
}
