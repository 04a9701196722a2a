//! Small files that stand for much text, and paths that lead to no file: refused at once, by row and column.
#![allow(clippy::unwrap_used, reason = "a test whose setting is broken fails")]

use std::io::Write;
use std::time::{Duration, Instant};

use medclip_data::{Column, Kind, Table, TableError};

const COLUMNS: [(&str, Kind); 3] = [("path", Kind::Name), ("report", Kind::Text), ("edema", Kind::Number)];

fn columns() -> Vec<Column> {
    COLUMNS.iter().map(|(name, kind)| Column::optional(*name, *kind)).collect()
}

/// Rows that are read before the first error, and the error.
fn rows(table: Result<Table<'_>, TableError>) -> (u64, Option<TableError>) {
    let mut count = 0;
    let table = match table {
        Ok(table) => table,
        Err(error) => return (0, Some(error)),
    };
    for row in table {
        match row {
            Ok(_) => count += 1,
            Err(error) => return (count, Some(error)),
        }
    }
    (count, None)
}

#[test]
fn long_cells_of_text_files_are_named() {
    let text = format!("path,report\na.png,{}\n{},clear\n", "x".repeat(100_000), "y".repeat(40_000));
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(text.as_bytes()).unwrap();
    for bytes in [text.into_bytes(), packed.finish().unwrap()] {
        let (count, error) = rows(Table::from_bytes(bytes, &columns()));
        let message = error.unwrap().to_string();
        assert_eq!(count, 1);
        assert_eq!(
            message,
            "row 2 (line 3), column `path`: the cell has 40000 bytes; 32768 are the most there may be"
        );
    }
    let number = format!("edema\n{}\n", "1".repeat(40_000));
    let (_, error) = rows(Table::from_bytes(number.into_bytes(), &columns()));
    assert!(matches!(error, Some(TableError::LongCell { column, .. }) if column == "edema"));
}

#[test]
fn lines_without_end_are_refused_within_the_limits() {
    let start = Instant::now();
    for (what, byte) in [("NUL", 0), ("first line", b'x'), ("column `path` is missing", b'\t')] {
        let endless = std::io::repeat(byte);
        let needed = [Column::required("path", Kind::Name)];
        let (_, error) = rows(Table::from_reader(endless, &needed));
        let message = error.unwrap().to_string();
        assert!(message.contains(what) || message.contains("does not end"), "{message}");
        let after_header = (&b"path\na.png\n"[..]).chain_byte(byte);
        let (count, error) = rows(Table::from_reader(after_header, &needed));
        assert!(count <= 1 && error.is_some(), "{what}");
    }
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
}

trait Endless {
    fn chain_byte(self, byte: u8) -> std::io::Chain<Self, std::io::Repeat>
    where
        Self: std::io::Read + Sized,
    {
        self.chain(std::io::repeat(byte))
    }
}

impl Endless for &[u8] {}

#[test]
fn a_directory_is_no_table() {
    let directory = tempfile::tempdir().unwrap();
    let (_, error) = rows(Table::open(directory.path(), &columns()));
    assert!(matches!(error, Some(TableError::Open { path, .. }) if path == directory.path()));
}

#[cfg(unix)]
#[test]
fn pipes_are_read_and_sockets_and_devices_are_not() {
    let directory = tempfile::tempdir().unwrap();
    let pipe = directory.path().join("pipe.csv");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let socket = directory.path().join("socket.csv");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let zero = directory.path().join("zero.parquet");
    std::os::unix::fs::symlink("/dev/zero", &zero).unwrap();
    let start = Instant::now();
    for path in [&pipe, &socket, &zero] {
        let (_, error) = rows(Table::open(path, &columns()));
        assert!(matches!(error, Some(TableError::Open { path: named, .. }) if named == *path));
    }
    assert!(start.elapsed() < Duration::from_secs(10));
    let writer = std::thread::spawn({
        let pipe = pipe.clone();
        move || std::fs::write(pipe, "path\na.png\nb.png\n").unwrap()
    });
    assert!(matches!(rows(Table::open(&pipe, &columns())), (2, None)));
    writer.join().unwrap();
}

#[cfg(feature = "parquet")]
mod packed {
    use std::sync::Arc;

    use parquet::basic::{Compression, Encoding};
    use parquet::column::writer::ColumnWriter;
    use parquet::data_type::ByteArray;
    use parquet::file::properties::WriterProperties;
    use parquet::file::writer::SerializedFileWriter;
    use parquet::schema::parser::parse_message_type;

    use super::*;

    /// A file of one column, whose rows all hold `cell`.
    fn file(column: &str, cell: &str, rows: usize, properties: WriterProperties) -> Vec<u8> {
        let schema = format!("message table {{ required binary {column} (UTF8); }}");
        let schema = Arc::new(parse_message_type(&schema).unwrap());
        let mut bytes = Vec::new();
        let mut writer = SerializedFileWriter::new(&mut bytes, schema, Arc::new(properties)).unwrap();
        let mut group = writer.next_row_group().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        let ColumnWriter::ByteArrayColumnWriter(typed) = column.untyped() else { panic!("text") };
        let cell: ByteArray = cell.into();
        for part in vec![cell; rows].chunks(1 << 16) {
            typed.write_batch(part, None, None).unwrap();
        }
        column.close().unwrap();
        group.close().unwrap();
        writer.close().unwrap();
        bytes
    }

    fn dictionary() -> WriterProperties {
        let properties = WriterProperties::builder().set_dictionary_page_size_limit(64 << 20);
        properties.set_compression(Compression::SNAPPY).build()
    }

    fn delta() -> WriterProperties {
        let properties = WriterProperties::builder().set_dictionary_enabled(false);
        properties.set_encoding(Encoding::DELTA_BYTE_ARRAY).set_compression(Compression::SNAPPY).build()
    }

    #[test]
    fn long_cells_are_named_before_they_are_copied() {
        for (column, bytes, properties) in [
            ("path", 4 << 20, dictionary()),
            ("path", 33 << 10, delta()),
            ("edema", 100_000, dictionary()),
            ("report", 17 << 20, dictionary()),
        ] {
            let file = file(column, &"x".repeat(bytes), 3, properties);
            let (count, error) = rows(Table::from_bytes(file, &columns()));
            let Some(TableError::LongCell { column: named, bytes: actual, place, .. }) = error else {
                panic!("{column}: {error:?}")
            };
            assert_eq!((count, place.row, named.as_str(), actual), (0, 1, column, bytes));
        }
    }

    #[test]
    fn a_small_file_does_not_write_a_large_list() {
        for (name, properties) in [("dictionary", dictionary()), ("delta", delta())] {
            for (column, bytes) in [("path", 32 << 10), ("report", 64 << 10)] {
                let file = file(column, &"x".repeat(bytes), 40_000, properties.clone());
                let length = file.len() as u64;
                assert!(length < 2 << 20, "{name}: {length} bytes");
                let start = Instant::now();
                let (count, error) = rows(Table::from_bytes(file, &columns()));
                let Some(TableError::Amplified { limit, file, .. }) = error else {
                    panic!("{name}: {count} rows, {error:?}")
                };
                assert_eq!(file, length);
                assert!(count * bytes as u64 <= limit && limit <= (1000 * length).max(256 << 20), "{name}");
                assert!(start.elapsed() < Duration::from_secs(20), "{name}: {:?}", start.elapsed());
            }
        }
    }

    #[test]
    fn the_number_of_rows_is_not_limited() {
        let file = file("path", "films/a.png", 3_000_000, dictionary());
        assert!(file.len() < 10_000);
        assert!(matches!(rows(Table::from_bytes(file, &columns())), (3_000_000, None)));
    }
}
