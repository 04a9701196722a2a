//! Damaged files that once took the reader too long. Each is refused, and in far less than a second.
#![cfg(feature = "parquet")]
#![allow(clippy::unwrap_used, reason = "a test whose setting is broken fails")]

use std::path::Path;
use std::time::{Duration, Instant};

use medclip_data::{Column, Kind, Table};

#[test]
fn damaged_files_are_refused_at_once() {
    let columns = [
        Column::optional("path", Kind::Name),
        Column::optional("report", Kind::Text),
        Column::optional("id", Kind::Name),
        Column::optional("edema", Kind::Number),
        Column::optional("pneumonia", Kind::Number),
    ];
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/damaged");
    let mut count = 0;
    for file in std::fs::read_dir(directory).unwrap() {
        let path = file.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        let start = Instant::now();
        let is_refused = Table::from_bytes(bytes, &columns)
            .map_or(true, |table| table.take(10_000).any(|row| row.is_err()));
        let time = start.elapsed();
        assert!(is_refused, "{}", path.display());
        assert!(time < Duration::from_secs(1), "{}: {time:?}", path.display());
        count += 1;
    }
    assert!(count > 0);
}
