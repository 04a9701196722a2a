//! Rows of a Parquet file.

mod budget;
mod cells;
mod chunk;
mod delta;
mod description;
mod encoding;
mod file;
mod footer;
mod header;
mod pages;
mod source;
mod thrift;
mod unpack;

use std::sync::Arc;

use medclip_core::guard::catch_quietly;
use parquet::column::reader::get_column_reader;
use parquet::errors::ParquetError;
use parquet::file::metadata::ParquetMetaData;
use parquet::schema::types::SchemaDescriptor;

use crate::columns::{self, Column};
use crate::error::TableError;
use crate::place::Place;
use crate::table::{Table, TableRow};
use budget::Budget;
use cells::{Cells, Reading};
use pages::Pages;

pub use file::ParquetFile;
pub(crate) use source::Source;

/// The rows of a file, with those of `columns` that it has.
pub(crate) fn read(source: Source, columns: &[Column]) -> Result<Table<'static>, TableError> {
    let metadata = guarded(|| footer::read(&source)).map_err(TableError::Parquet)?;
    let schema = metadata.file_metadata().schema_descr();
    let fields = schema.root_schema().get_fields();
    let header: Vec<String> = fields.iter().map(|field| field.name().trim().to_owned()).collect();
    let found = columns::find(&header, columns)?;
    let wanted = columns
        .iter()
        .zip(&found)
        .map(|(column, position)| position.map(|position| Wanted::of(column, position, schema)).transpose())
        .collect::<Result<_, _>>()?;
    let is_there = found.iter().map(Option::is_some).collect();
    let bytes = source.length();
    let mut rows = Rows {
        bytes,
        text: 0,
        source: Arc::new(source),
        metadata: Arc::new(metadata),
        wanted,
        budget: Arc::new(Budget::of_file(bytes)),
        group: 0,
        left: 0,
        cells: Vec::new(),
        number: 0,
        is_done: false,
    };
    Ok(Table { header, found: is_there, rows: Box::new(std::iter::from_fn(move || rows.next())) })
}

/// A column that the file has.
struct Wanted {
    column: Column,
    /// Among the file's leaf columns.
    leaf: usize,
    reading: Reading,
}

impl Wanted {
    /// # Errors
    /// [`TableError::ColumnType`] when it is nested, binary, or of another type that has no cells of text.
    fn of(column: &Column, field: usize, schema: &SchemaDescriptor) -> Result<Self, TableError> {
        let wrong = |found: String| TableError::ColumnType {
            column: column.name.to_string(),
            found,
            expected: cells::expected(column.kind),
        };
        let leaf = (0..schema.num_columns()).find(|leaf| schema.get_column_root_idx(*leaf) == field);
        let leaf = leaf.ok_or_else(|| wrong("an empty group".to_owned()))?;
        let descriptor = schema.column(leaf);
        if schema.root_schema().get_fields()[field].is_group() || descriptor.max_rep_level() > 0 {
            return Err(wrong("nested values".to_owned()));
        }
        let reading = Reading::of(&descriptor).map_err(wrong)?;
        Ok(Self { column: column.clone(), leaf, reading })
    }
}

/// Bytes of text that a file of any length may have in the columns asked for.
const MIN_TEXT: u64 = 256 << 20;

/// And that a byte of a file may stand for: names that count up, well compressed, come to some hundreds.
const MAX_GROWTH: u64 = 1000;

struct Rows {
    /// Length of the file.
    bytes: u64,
    /// Bytes of text so far.
    text: u64,
    source: Arc<Source>,
    metadata: Arc<ParquetMetaData>,
    /// `None` for a column that the file lacks.
    wanted: Vec<Option<Wanted>>,
    budget: Arc<Budget>,
    /// Group of rows that is read next.
    group: usize,
    /// Rows left in the one that is read.
    left: u64,
    /// The columns of the one that is read.
    cells: Vec<Option<Cells>>,
    number: u64,
    is_done: bool,
}

impl Rows {
    fn next(&mut self) -> Option<Result<TableRow, TableError>> {
        if self.is_done {
            return None;
        }
        let row = match guarded(|| self.values()) {
            Ok(Some(values)) => {
                self.number += 1;
                self.row(&values)
            }
            Ok(None) => {
                self.is_done = true;
                return None;
            }
            Err(error) => {
                self.is_done = true;
                Err(TableError::Parquet(error))
            }
        };
        Some(row)
    }

    /// The values of the next row, in the order of the columns asked for.
    fn values(&mut self) -> Result<Option<Vec<cells::Value>>, ParquetError> {
        while self.left == 0 {
            for cells in self.cells.iter_mut().flatten() {
                if cells.next()?.is_some() {
                    return Err(general("a column has more rows than its group says"));
                }
            }
            self.cells.clear();
            if self.group == self.metadata.num_row_groups() {
                return Ok(None);
            }
            self.open()?;
        }
        self.left -= 1;
        let ends = || general("a column has fewer rows than its group says");
        let mut values = Vec::with_capacity(self.cells.len());
        for cells in &mut self.cells {
            values.push(match cells {
                Some(cells) => cells.next()?.ok_or_else(ends)?,
                None => cells::Value::Null,
            });
        }
        Ok(Some(values))
    }

    /// Opens the next group of rows.
    fn open(&mut self) -> Result<(), ParquetError> {
        let group = self.metadata.row_group(self.group);
        self.group += 1;
        self.left = u64::try_from(group.num_rows()).map_err(|_| general("a group has fewer than no rows"))?;
        for wanted in &self.wanted {
            let Some(wanted) = wanted else {
                self.cells.push(None);
                continue;
            };
            let chunk = group.columns().get(wanted.leaf).ok_or_else(|| general("a group lacks a column"))?;
            let pages = Pages::new(&self.source, chunk, &self.budget)?;
            let reader = get_column_reader(chunk.column_descr_ptr(), Box::new(pages));
            self.cells.push(Some(Cells::new(reader, wanted.reading)));
        }
        Ok(())
    }

    fn row(&mut self, values: &[cells::Value]) -> Result<TableRow, TableError> {
        let place = Place::row(self.number);
        let mut row = TableRow::new(place);
        row.is_blank = false;
        for (wanted, value) in self.wanted.iter().zip(values) {
            let Some(wanted) = wanted else {
                row.push(None);
                continue;
            };
            let column = &wanted.column;
            column.check_length(place, value.bytes())?;
            let text = value
                .text(column.kind)
                .ok_or_else(|| row.wrong(&column.name, &value.shown(), cells::expected(column.kind)))?;
            self.text += text.len() as u64;
            row.push(Some(&text));
        }
        let limit = self.bytes.saturating_mul(MAX_GROWTH).max(MIN_TEXT);
        if self.text > limit {
            self.is_done = true;
            return Err(TableError::Amplified { place, limit, file: self.bytes });
        }
        Ok(row)
    }
}

fn general(message: impl Into<String>) -> ParquetError {
    ParquetError::General(message.into())
}

/// Runs what reads the file: damaged files can make the reader panic, and that is an error like any other.
fn guarded<T>(
    run: impl FnOnce() -> Result<T, ParquetError>,
) -> Result<T, Box<dyn std::error::Error + Send + Sync>> {
    match catch_quietly(run) {
        Ok(result) => Ok(result?),
        Err(_) => Err("the reader gave up on it: the file is damaged".into()),
    }
}
