//! Rows of a Parquet file.

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use csv::StringRecord;
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
use parquet::record::reader::RowIter;
use parquet::schema::types::Type;

use super::{Column, Kind, Place, Table, TableError, TableRow};

/// The rows of `file`, with those of `columns` that it has.
pub(super) fn read(file: File, columns: &[Column]) -> Result<Table<'static>, TableError> {
    let (read, mut rows) = guarded(|| open(file, columns)).map_err(TableError::Parquet)?;
    let header = read.iter().map(|(name, _)| (*name).to_owned()).collect();
    let mut number = 0;
    let rows = std::iter::from_fn(move || {
        number += 1;
        let row = match guarded(|| rows.next().transpose()) {
            Ok(row) => row?,
            Err(error) => return Some(Err(TableError::Parquet(error))),
        };
        let fields = row.get_column_iter().map(|(_, field)| field);
        Some(table_row(Place::Row(number), &read, fields))
    });
    Ok(Table { header, rows: Box::new(rows) })
}

/// The columns that the file has, in its order, and an iterator over them.
fn open(file: File, columns: &[Column]) -> Result<(Vec<Column>, RowIter<'static>), ParquetError> {
    let reader = SerializedFileReader::new(file)?;
    let schema = reader.metadata().file_metadata().schema();
    let wanted = |field: &Type| columns.iter().find(|(name, _)| *name == field.name()).copied();
    let (mut read, mut fields) = (Vec::new(), Vec::new());
    for field in schema.get_fields() {
        if let Some(column) = wanted(field) {
            read.push(column);
            fields.push(Arc::clone(field));
        }
    }
    let projection = Type::group_type_builder(schema.name()).with_fields(fields).build()?;
    Ok((read, RowIter::from_file_into(Box::new(reader)).project(Some(projection))?))
}

fn table_row<'a>(
    place: Place,
    columns: &[Column],
    fields: impl Iterator<Item = &'a Field>,
) -> Result<TableRow, TableError> {
    let mut cells = StringRecord::new();
    for ((name, kind), field) in columns.iter().zip(fields) {
        let wrong = |expected| TableError::Value {
            place,
            column: (*name).to_owned(),
            value: field.to_string(),
            expected,
        };
        match kind {
            Kind::Name => cells.push_field(&name_cell(field).ok_or_else(|| wrong("text or a whole number"))?),
            Kind::Number => {
                cells
                    .push_field(&number_cell(field).ok_or_else(|| wrong("text, a number or true or false"))?);
            }
        }
    }
    Ok(TableRow { place, cells })
}

/// Text of names and identifiers; blank of null.
fn name_cell(field: &Field) -> Option<String> {
    Some(match field {
        Field::Null => String::new(),
        Field::Str(text) => text.clone(),
        Field::Byte(value) => value.to_string(),
        Field::Short(value) => value.to_string(),
        Field::Int(value) => value.to_string(),
        Field::Long(value) => value.to_string(),
        Field::UByte(value) => value.to_string(),
        Field::UShort(value) => value.to_string(),
        Field::UInt(value) => value.to_string(),
        Field::ULong(value) => value.to_string(),
        _ => return None,
    })
}

/// Also truth values as 1 and 0, and floating-point numbers, without decimals where they are whole.
fn number_cell(field: &Field) -> Option<String> {
    let float = |value: f64| {
        // Adding 0 makes 0 of −0.
        if value.fract() == 0.0 { format!("{:.0}", value + 0.0) } else { value.to_string() }
    };
    match field {
        Field::Bool(value) => Some(u8::from(*value).to_string()),
        Field::Float16(value) => Some(float(value.to_f64())),
        Field::Float(value) => Some(float(f64::from(*value))),
        Field::Double(value) => Some(float(*value)),
        other => name_cell(other),
    }
}

/// Runs what reads the file: damaged files can make the reader panic, and that is an error like any other.
fn guarded<T>(
    run: impl FnOnce() -> Result<T, ParquetError>,
) -> Result<T, Box<dyn std::error::Error + Send + Sync>> {
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(result) => Ok(result?),
        Err(_) => Err("the reader gave up on it".into()),
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use rand::RngExt;

    use crate::data::manifest::Split::{Train, Val};
    use crate::data::manifest::read_manifest;
    use crate::data::reports::read_reports;
    use crate::data::stream::{Purpose, stream};

    fn table(name: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tables").join(name)
    }

    #[test]
    fn says_what_the_csv_file_says() {
        let records = read_manifest(&table("manifest.parquet")).unwrap();
        assert_eq!(records.len(), 5);
        assert_eq!(records, read_manifest(&table("manifest.csv")).unwrap());

        let reports = read_reports(&table("reports.parquet")).unwrap();
        let read: Vec<_> =
            reports.iter().map(|row| (row.id.as_str(), row.split, row.text.as_str())).collect();
        assert_eq!(
            read,
            [("3", Some(Train), "One."), ("1000000000000", None, "Two."), ("11", Some(Val), "Three.")]
        );
    }

    #[test]
    fn faults_are_named_by_row_and_column() {
        let cases = [
            ("half", "row 2, column `Edema`: `0.5` is not 1, 0, -1 or blank"),
            ("not-a-number", "row 3, column `Edema`: `NaN` is not 1, 0, -1 or blank"),
            ("no-name", "row 3, column `patient_group`: `` is not a name"),
            ("truth-as-name", "row 1, column `source`: `true` is not text or a whole number"),
            ("missing-column", "column `Fracture` is missing"),
            ("twice", "row 4, column `path`: `b.png` is also on row 2"),
        ];
        for (name, message) in cases {
            let error = read_manifest(&table(&format!("{name}.parquet"))).unwrap_err();
            assert_eq!(error.to_string(), message);
        }
        let error = read_reports(&table("reports-dated.parquet")).unwrap_err().to_string();
        assert_eq!(error, "row 1, column `text`: `1970-01-01` is not text or a whole number");
        assert_eq!(
            read_reports(&table("manifest.parquet")).unwrap_err().to_string(),
            "column `id` is missing"
        );
    }

    #[test]
    fn damage_is_an_error_or_read_past_but_no_panic() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("damaged.parquet");
        let intact = std::fs::read(table("manifest.parquet")).unwrap();
        let mut refused = 0;
        for length in (0..intact.len()).step_by(97) {
            std::fs::write(&path, &intact[..length]).unwrap();
            assert!(read_manifest(&path).is_err(), "cut at {length}");
        }
        for draw in 0..200 {
            let mut rng = stream(3, Purpose::Order, 0, draw);
            let mut bytes = intact.clone();
            let position = rng.random_range(0..bytes.len());
            bytes[position] ^= 1 << rng.random_range(0..8);
            std::fs::write(&path, bytes).unwrap();
            refused += usize::from(read_manifest(&path).is_err());
        }
        assert!(refused >= 50, "{refused}");
        std::fs::write(&path, "path,split\n").unwrap();
        assert_eq!(read_manifest(&path).unwrap_err().to_string(), "not a readable Parquet file");
    }
}
