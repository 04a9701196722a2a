//! Parquet files as polars, pyarrow, DuckDB and fastparquet write them.
#![cfg(feature = "parquet")]
#![allow(clippy::unwrap_used, reason = "a test whose setting is broken fails")]

use std::error::Error;
use std::path::{Path, PathBuf};

use medclip_data::{Column, Kind, Table, TableError};

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tables").join(format!("{name}.parquet"))
}

fn columns() -> Vec<Column> {
    vec![
        Column::required("path", Kind::Name),
        Column::required("id", Kind::Name),
        Column::required("report", Kind::Text),
        Column::required("edema", Kind::Number),
        Column::required("pneumonia", Kind::Number),
        Column::optional("fold", Kind::Number),
    ]
}

fn rows(table: Table<'_>) -> Vec<Vec<String>> {
    let cells = |row: medclip_data::TableRow| (0..6).map(|column| row.cell(column).to_owned()).collect();
    table.map(|row| cells(row.unwrap())).collect()
}

#[test]
fn every_compression_and_encoding_says_the_same() {
    let expected = [
        ["films/0.png", "3", "Clear.", "1", "1", ""],
        ["films/1.png", "1000000000000", "", "0", "0", ""],
        ["films/2.png", "7", "", "", "", ""],
        ["films/3.png", "8", "Two\nlines.", "-1", "1", ""],
        ["films/4.png", "9", "Große \"Silhouette\"", "1", "0", ""],
    ];
    for name in [
        "polars-zstd",
        "polars-lz4",
        "delta",
        "groups",
        "decimal",
        "half",
        "duckdb-brotli",
        "duckdb-gzip",
        "duckdb-snappy",
        "duckdb-uncompressed",
        "duckdb-v2",
        "fastparquet",
    ] {
        let table = Table::open(&file(name), &columns()).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(table.has(0) && !table.has(5), "{name}");
        assert_eq!(rows(table), expected, "{name}");
        let bytes = std::fs::read(file(name)).unwrap();
        assert_eq!(rows(Table::from_bytes(bytes, &columns()).unwrap()), expected, "{name}");
    }
}

#[test]
fn content_decides_and_not_the_name() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("films.csv");
    std::fs::copy(file("polars-zstd"), &path).unwrap();
    assert_eq!(Table::open(&path, &columns()).unwrap().count(), 5);

    let path = directory.path().join("films.parquet");
    for (text, cause) in
        [("path,id\n", "does not begin with"), ("PAR1 and no more", "does not end with"), ("PAR1", "begin")]
    {
        std::fs::write(&path, text).unwrap();
        let error = Table::open(&path, &columns()).unwrap_err();
        assert_eq!(error.to_string(), "not a readable Parquet file");
        let source = error.source().unwrap().to_string();
        assert!(source.contains(cause), "{source}");
    }
    // Standard input cannot be read from its end.
    let error = Table::from_reader(&b"PAR1"[..], &columns()).unwrap_err();
    assert!(matches!(error, TableError::NotText { found } if found.contains("Parquet")));
}

#[test]
fn columns_without_text_are_refused_by_name() {
    let refused = |name: &str, column: Column| Table::open(&file(name), &[column]).unwrap_err().to_string();
    let path = || Column::required("path", Kind::Name);
    let expected = "but must be text or a whole number";
    assert_eq!(refused("struct", path()), format!("column `path` is of type nested values, {expected}"));
    assert_eq!(refused("list", path()), format!("column `path` is of type nested values, {expected}"));
    assert_eq!(refused("binary", path()), format!("column `path` is of type binary, {expected}"));
    let missing = refused("binary", Column::required("file", Kind::Name));
    assert!(
        missing.starts_with("column `file` is missing; the columns are `path`, `split`, `id`"),
        "{missing}"
    );
    // What nobody asks for is not looked at.
    for name in ["struct", "list", "binary"] {
        let columns = [Column::required("split", Kind::Name), Column::required("REPORT", Kind::Text)];
        assert_eq!(Table::open(&file(name), &columns).unwrap().flatten().count(), 5, "{name}");
    }
}

#[test]
fn wrong_values_are_refused_by_row() {
    let wrong = |column| {
        let mut table = Table::open(&file("polars-zstd"), &[column]).unwrap();
        table.find_map(Result::err).unwrap().to_string()
    };
    assert_eq!(
        wrong(Column::required("pneumonia", Kind::Name)),
        "row 1, column `pneumonia`: `true` is not text or a whole number"
    );
    assert_eq!(wrong(Column::required("edema", Kind::Text)), "row 1, column `edema`: `1` is not text");
    assert_eq!(wrong(Column::required("id", Kind::Text)), "row 1, column `id`: `3` is not text");
}
