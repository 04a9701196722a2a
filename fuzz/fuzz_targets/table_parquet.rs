//! Any bytes as a Parquet file. Its reader's panics are caught and errors, so what fails here is memory, time or an abort.
#![no_main]

mod hook;

use libfuzzer_sys::fuzz_target;
use medclip_data::{Column, Kind, Table};

fuzz_target!(init: hook::allow_expected_panics(), |bytes: &[u8]| {
    let columns = [
        Column::optional("path", Kind::Name),
        Column::optional("report", Kind::Text),
        Column::optional("id", Kind::Name),
        Column::optional("edema", Kind::Number),
        Column::optional("pneumonia", Kind::Number),
    ];
    let mut file = b"PAR1".to_vec();
    file.extend_from_slice(bytes.strip_prefix(b"PAR1").unwrap_or(bytes));
    if let Ok(table) = Table::from_bytes(file, &columns) {
        for row in table.take(10_000).flatten() {
            assert!((0..columns.len()).all(|column| row.cell(column).len() <= 128 << 20));
        }
    }
});
