//! Cells of CSV that no spreadsheet runs as a formula.
//!
//! Spreadsheets run a cell that begins like a formula when a CSV file is opened. A *guarded* cell has an apostrophe in front,
//! which makes it a text. The rule is exact in both directions:
//!
//! - [`guard_cell`] puts one apostrophe in front of a text that is a *trigger* or begins with an apostrophe. A trigger
//!   begins, after any blanks, invisible characters and quotation marks, with `=`, `+`, `-`, `@` or one of their full-width
//!   forms; or it begins with a tab or a line break.
//! - [`unguard_cell`] takes one apostrophe away where a trigger or a further apostrophe follows it.
//!
//! So `unguard_cell(guard_cell(text)) == text` for every text, and a cell of another program that begins with an apostrophe
//! for its own reasons (`'s-Gravenhage`) stays as it is. Every table of text is read with [`unguard_cell`], Parquet is not.

use std::borrow::Cow;

/// How a text becomes a cell of CSV.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CellText {
    /// By [`guard_cell`].
    #[default]
    Guarded,
    /// As it is, whatever a spreadsheet does with it.
    Exact,
}

impl CellText {
    /// The cell of a text.
    pub fn cell(self, text: &str) -> Cow<'_, str> {
        match self {
            Self::Guarded => guard_cell(text),
            Self::Exact => text.into(),
        }
    }
}

/// A text as a cell that is no formula.
pub fn guard_cell(text: &str) -> Cow<'_, str> {
    if is_guarded(text) { format!("'{text}").into() } else { text.into() }
}

/// The text of a cell.
pub fn unguard_cell(cell: &str) -> &str {
    cell.strip_prefix('\'').filter(|text| is_guarded(text)).unwrap_or(cell)
}

/// Whether a text has an apostrophe put in front.
fn is_guarded(text: &str) -> bool {
    text.starts_with(['\'', '\t', '\r', '\n'])
        || text
            .trim_start_matches(is_skipped)
            .starts_with(['=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'])
}

/// What programs leave out before they look for a formula.
fn is_skipped(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(c, '"' | '\u{feff}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{202a}'..='\u{202e}' | '\u{ad}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn formulas_are_guarded_and_other_texts_stay() {
        for text in [
            "=1+1",
            "+1",
            "-1",
            "@SUM(A1)",
            "\tx",
            "\rx",
            "\nx",
            "＝1",
            "＋1",
            "－1",
            "＠x",
            " =1",
            "\u{a0}\u{feff}=1",
            "\"=1",
            "'",
            "'x",
            "'=1",
            "\u{1b}=1",
        ] {
            assert_eq!(guard_cell(text), format!("'{text}"));
            assert_eq!(unguard_cell(&guard_cell(text)), text);
        }
        for text in ["", "a=b", "1-2", " x", "\"x", "漢字", "films/a.png"] {
            assert_eq!(guard_cell(text), text);
        }
    }

    #[test]
    fn apostrophes_of_others_stay() {
        for cell in ["'s-Gravenhage", "'", "' x", "'tis"] {
            assert_eq!(unguard_cell(cell), cell);
        }
    }

    proptest! {
        #[test]
        fn a_cell_gives_its_text_back(text in "['=+\\-@\\t\\r\\n \"＝a]{0,6}|\\PC*|.*") {
            let cell = guard_cell(&text);
            prop_assert_eq!(unguard_cell(&cell), text.as_str());
            prop_assert_eq!(CellText::Exact.cell(&text), text.as_str());
            prop_assert!(!guard_cell(&text).trim_start_matches(is_skipped).starts_with(['=', '+', '-', '@']));
        }
    }
}
