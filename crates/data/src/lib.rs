//! What a data set says of its films, without their pixels.
//!
//! | what | read or made by |
//! |---|---|
//! | a table in any usual form | [`Table`] |
//! | rows of a Parquet file with lists in them (feature `parquet`) | `ParquetFile` |
//! | one row a film: patient, view, split, annotations | [`read_manifest`] |
//! | a public data set as a manifest | [`prepare()`] |
//! | reports by patient, and those that training may read | [`read_reports`], [`TrainingReports`] |
//! | annotations as label vectors | [`LabelPolicy`] |
//! | reports from files and columns, and what a labeler read in them | [`for_each_report`], [`LabeledReport`], [`LabelCsv`] |
//! | scores of other models as soft labels | [`soften`] |
//! | which films, and that no patient and no film is on both sides | [`Selection`], [`check_disjoint`], [`check_no_film_shared`] |
//! | the labeled sentences of reports | [`SentencePool`] |
//! | rows and files by name and by content | [`RowName`], [`Digest`] |
//! | random streams by name | [`random`] |
//!
//! # Tables
//! CSV in any usual form, and Parquet: one reader for every table of the workspace. It gives cells as text, in the file's
//! order, and never guesses: a row that cannot be told apart from its neighbor, or a cell that is not text, is an error that
//! names row, line and column.
//!
//! | what arrives | what happens |
//! |---|---|
//! | separator `,` `;` tab or `\|` | told by the header: the one under which the columns asked for are there |
//! | Excel's first line `sep=;` | decides the separator |
//! | UTF-8 with or without mark, UTF-16 of either order with or without mark | read |
//! | other bytes (Latin-1, Windows-1252 …) | refused, with row and column, where the column is asked for |
//! | line ends LF, CR LF or CR; blank lines | read; blank lines are no rows |
//! | a quotation mark that is never closed, or closed in the middle of a later row | refused, with the row where it opens |
//! | an apostrophe in front of a text that a spreadsheet would run as a formula, as medclip writes it | taken away ([`unguard_cell`]) |
//! | a line break in a cell that holds a name, a path or a number | refused; texts may have them |
//! | a row with more or fewer cells than the header | refused, with both counts; cells of columns without a name at the end may be left out |
//! | gzip (`.csv.gz`, `.tsv.gz`) | read |
//! | Parquet: plain, Snappy, gzip, zstd, LZ4, Brotli | read (feature `parquet`) |
//! | Excel workbooks, Feather, HTML, other compressions | refused by their names |
//!
//! Columns are found by name: exactly, or else without regard to case where that leaves one. A name that two columns have
//! is refused if it is asked for. Columns that nobody asks for are not looked at.
//!
//! # Numbers
//! Rows count from 1, the first after the header; lines count from 1, the first of the file, as editors show them. An error
//! about a CSV file names both ([`Place`]).
//!
//! ```
//! use medclip_data::{Column, Kind, Table};
//!
//! let file = "Path;Report\r\nfilms/a.png;\"No effusion;\nno edema.\"\r\n";
//! let columns = [Column::required("path", Kind::Name), Column::required("report", Kind::Text)];
//! let rows: Vec<_> = Table::from_reader(file.as_bytes(), &columns)?.collect::<Result<_, _>>()?;
//! assert_eq!(rows[0].cell(0), "films/a.png");
//! assert_eq!(rows[0].cell(1), "No effusion;\nno edema.");
//!
//! let file = "path,report\na.png,\"No effusion\nb.png,Pneumothorax\n";
//! let mut rows = Table::from_reader(file.as_bytes(), &columns)?;
//! let error = rows.next().unwrap().unwrap_err();
//! assert!(error.to_string().starts_with("row 1 (line 2), column `report`: the quotation mark"));
//! # Ok::<(), medclip_data::TableError>(())
//! ```

mod boxes;
mod columns;
mod digests;
mod error;
#[cfg(test)]
mod fixture;
mod label;
mod labeled;
mod manifest;
mod open;
#[cfg(feature = "parquet")]
mod parquet;
mod place;
mod prepare;
pub mod random;
mod reports;
mod rows;
mod selection;
mod sentences;
mod spreadsheet;
mod table;
mod teacher;
mod text;
mod unnamed;

pub use boxes::{BoxesError, MarkedBox, read_boxes, read_boxes_from};
pub use columns::{Column, Kind};
pub use digests::{Digest, KnownDigests, digests, first_shared_digest};
pub use error::{Names, TableError};
pub use label::{AbsentAs, LabelPolicy, LabelPolicyError, LabelVector};
pub use labeled::{
    LabelCsv, LabeledReport, LabeledSentence, ReportError, SectionRead, SectionReader, for_each_report,
    mentioned,
};
pub use manifest::{
    Annotation, ManifestError, Record, Split, is_manifest, read_manifest, read_manifest_from,
};
#[cfg(feature = "parquet")]
pub use parquet::ParquetFile;
pub use place::Place;
pub use prepare::{
    DataSet, FindingCounts, LeftOutReason, MimicLabels, MissingImages, PrepareError, PrepareOptions,
    PreparedCounts, PreparedData, PreparedRow, SourcePlace, UncertainAs, Undivided, UnknownDataSet,
    UnknownLabels, UnlistedAs, prepare,
};
pub use reports::{ReportRow, ReportsError, TrainingReports, read_reports, read_reports_from};
pub use rows::RowName;
pub use selection::{Selection, SelectionError, check_disjoint, check_no_film_shared, is_same_file};
pub use sentences::{Polarity, Sentence, SentenceConfig, SentencePool};
pub use spreadsheet::{CellText, guard_cell, unguard_cell};
pub use table::{Table, TableRow};
pub use teacher::{TeacherConfig, TeacherError, soften};
pub use unnamed::unnamed;
