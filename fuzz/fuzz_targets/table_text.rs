//! Any bytes as a table of text: what is read has the header's columns, and a second reading says the same.
#![no_main]

mod hook;

use libfuzzer_sys::fuzz_target;
use medclip_data::{Column, Kind, Table};

fuzz_target!(init: hook::allow_expected_panics(), |bytes: &[u8]| {
    let columns = [
        Column::required("path", Kind::Name),
        Column::optional("report", Kind::Text),
        Column::optional("fold", Kind::Number),
    ];
    let read = || {
        let table = Table::from_reader(bytes, &columns).ok()?;
        Some(table.take(10_000).map(|row| row.map_err(|error| error.to_string())).collect::<Vec<_>>())
    };
    let Some(rows) = read() else { return };
    let mut line = 0;
    for row in rows.iter().flatten() {
        assert!(row.cell(0).lines().count() <= 1 && row.cell(2).lines().count() <= 1);
        let next = row.place().line.unwrap_or_default();
        assert!(next > line, "rows are on lines of their own");
        line = next;
    }
    assert_eq!(read(), Some(rows));
});
