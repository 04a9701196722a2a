//! Boxes that readers drew around findings.

use std::io::Read;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::columns::{Column, Kind};
use crate::error::TableError;
use crate::table::Table;

/// One box on one image, in pixels of the file, from its upper left corner.
#[derive(Debug, Clone, PartialEq)]
pub struct MarkedBox {
    /// Image, as the manifest names it.
    pub path: PathBuf,
    /// What is in the box.
    pub label: String,
    /// Who drew it; empty where the file does not say.
    pub annotator: String,
    /// Left edge.
    pub left: f64,
    /// Upper edge.
    pub top: f64,
    /// Columns.
    pub width: f64,
    /// Rows.
    pub height: f64,
}

/// Why a file of boxes was refused.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BoxesError {
    /// The file, a column or a cell of it.
    #[error(transparent)]
    Table(#[from] TableError),
}

/// Reads a file of boxes with columns `path`, `label`, `x`, `y`, `w`, `h` and perhaps `annotator`; others are ignored, and so are
/// rows in which every cell is blank.
///
/// The file is CSV in any form that [`Table`] reads, or Parquet, which needs the feature `parquet`.
///
/// # Errors
/// [`BoxesError`] for a missing column, a blank name, or a side that is no positive number.
pub fn read_boxes(path: &Path) -> Result<Vec<MarkedBox>, BoxesError> {
    boxes(Table::open(path, &columns())?)
}

/// A CSV file of boxes from any reader.
///
/// # Errors
/// As [`read_boxes`].
pub fn read_boxes_from(input: impl Read) -> Result<Vec<MarkedBox>, BoxesError> {
    boxes(Table::from_reader(input, &columns())?)
}

/// Places in [`columns`].
const PATH: usize = 0;
const LABEL: usize = 1;
const NUMBERS: [(usize, &str); 4] = [(2, "x"), (3, "y"), (4, "w"), (5, "h")];
const ANNOTATOR: usize = 6;

fn columns() -> [Column; 7] {
    let number = |name| Column::required(name, Kind::Number);
    [
        Column::required("path", Kind::Name),
        Column::required("label", Kind::Name),
        number("x"),
        number("y"),
        number("w"),
        number("h"),
        Column::optional("annotator", Kind::Name),
    ]
}

fn boxes(table: Table<'_>) -> Result<Vec<MarkedBox>, BoxesError> {
    let mut boxes = Vec::new();
    for row in table {
        let row = row?;
        if row.is_blank() {
            continue;
        }
        let filled = |place: usize, column: &'static str| {
            row.filled(place).ok_or_else(|| row.wrong(column, "", "a name"))
        };
        let mut numbers = [0.0; 4];
        for (number, (place, column)) in numbers.iter_mut().zip(NUMBERS) {
            let text = row.cell(place);
            let is_side = place > 3;
            let parsed: Option<f64> = text.trim().parse().ok().filter(|value: &f64| value.is_finite());
            *number = parsed.filter(|value| !is_side || *value > 0.0).ok_or_else(|| {
                row.wrong(column, text, if is_side { "a positive number" } else { "a number" })
            })?;
        }
        let [left, top, width, height] = numbers;
        boxes.push(MarkedBox {
            path: PathBuf::from(filled(PATH, "path")?),
            label: filled(LABEL, "label")?.to_owned(),
            annotator: row.filled(ANNOTATOR).unwrap_or_default().to_owned(),
            left,
            top,
            width,
            height,
        });
    }
    Ok(boxes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_are_read_by_the_names_of_their_columns() {
        let text = "label,path,extra,w,h,x,y\nLung Opacity,a.png,?,3.5,4,1,-2\n\nEdema,b.png,,1,1,0,0\n";
        let boxes = read_boxes_from(text.as_bytes()).unwrap();
        assert_eq!(boxes.len(), 2);
        let first = &boxes[0];
        assert_eq!((first.path.as_path(), first.label.as_str()), (Path::new("a.png"), "Lung Opacity"));
        assert_eq!([first.left, first.top, first.width, first.height], [1.0, -2.0, 3.5, 4.0]);
        assert_eq!(first.annotator, "");
    }

    #[test]
    fn what_is_no_box_is_refused_by_row_and_column() {
        for (row, word) in [
            ("a.png,Edema,1,2,0,4", "`w`"),
            ("a.png,Edema,1,2,3,nan", "`h`"),
            ("a.png,Edema,,2,3,4", "`x`"),
            (",Edema,1,2,3,4", "`path`"),
            ("a.png,,1,2,3,4", "`label`"),
        ] {
            let text = format!("path,label,x,y,w,h\n{row}\n");
            let error = read_boxes_from(text.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(word) && error.contains("line 2"), "{error}");
        }
        let error = read_boxes_from(&b"path,label,x,y,w\n"[..]).unwrap_err().to_string();
        assert!(error.contains("`h`"), "{error}");
    }
}
